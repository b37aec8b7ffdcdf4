"""What the thirteen tasks of long context are made of, a module for each group."""
