"""The law book: what every member of a role must satisfy, importable by outsiders."""
