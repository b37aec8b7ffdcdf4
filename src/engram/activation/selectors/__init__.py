"""Choose what of the far past to attend to: a method is given queries and returns blocks."""
