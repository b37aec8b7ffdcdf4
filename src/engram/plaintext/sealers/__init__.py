"""Take out of a message what must never be stored as it is."""
