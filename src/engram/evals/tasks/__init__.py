"""Benchmarks: a loader each, and synthetic twins that need no file."""
