"""Read candidates out of what was said."""
