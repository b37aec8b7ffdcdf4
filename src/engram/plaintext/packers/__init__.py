"""Write hits into a token budget."""
