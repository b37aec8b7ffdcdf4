"""Tokens of a text, estimated without knowing the tokenizer that will read it."""

LETTERS = 3.5
"""Characters of a token; errs on the safe side for English."""


def estimated(text: str) -> int:
    """Tokens, at least 1: one for each character of scripts without spaces, else by length."""
    wide = sum(char > "\u2e80" for char in text) if not text.isascii() else 0
    return int(wide + (len(text) - wide) / LETTERS) + 1
