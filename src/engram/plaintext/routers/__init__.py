"""Read a query once, for all channels."""
