"""Channels that propose records for a query."""
