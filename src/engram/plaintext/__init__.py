"""Plaintext memory: what was said and learned, in words."""
