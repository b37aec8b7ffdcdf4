"""One file for each outside library: the only places that know their names."""
