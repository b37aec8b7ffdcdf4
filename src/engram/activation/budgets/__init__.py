"""Budgets: how many entries each head of a layer may keep. One method a file."""
