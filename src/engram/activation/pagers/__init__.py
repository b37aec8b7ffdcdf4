"""Pagers: where keys and values lie, and how they get there. One method a file."""
