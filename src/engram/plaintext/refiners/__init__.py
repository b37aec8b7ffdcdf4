"""Expand, filter and reorder hits."""
