"""Memories that come from elsewhere, and the archive in which ours can leave."""
