"""A small language that means nothing: every word of it has four that may follow."""

import random

from engram.evals.lexicon import FILLER

_RULES = random.Random("filler")
_AFTER = {word: tuple(_RULES.sample(FILLER, 4)) for word in FILLER}


def fill(rng: random.Random, count: int) -> list[str]:
    """So many words of it, from any word on."""
    words: list[str] = []
    for _ in range(count):
        words.append(rng.choice(_AFTER[words[-1]] if words else FILLER))
    return words
