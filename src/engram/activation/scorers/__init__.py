"""Scorers: what an entry is worth. One method a file."""
