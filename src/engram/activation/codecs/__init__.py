"""Codecs: in what form keys and values are held. One method a file."""
