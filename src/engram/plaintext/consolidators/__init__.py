"""Settle candidates with what is known."""
