"""Make something of raw records once they are stored."""
