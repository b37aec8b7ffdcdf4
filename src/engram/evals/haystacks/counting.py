"""Aggregation: which words of a long list are the most common, two ways."""

import random

from engram.evals.haystacks.making import Made
from engram.evals.lexicon import FILLER, KEYS, VALUES

COMMON = 10
"""How many words are common, in the first of the two."""

FREQUENT = 3
"""How many are asked for, in the second."""

_SHARE = 0.3  # of the list, for the common words together
_SLOPE = 2.0  # of Zipf's law
_POOL = (*KEYS, *VALUES, *FILLER)


def common(rng: random.Random, size: int) -> Made:
    """Make a row; the list has ``size`` more words than the least.

    Ten words are said equally often and make up three tenths of the list; the others are said at
    most half as often.
    """
    entries = 40 + size
    words = rng.sample(_POOL, len(_POOL))
    often = max(2, int(entries * _SHARE / COMMON))
    rest = entries - COMMON * often
    listed = words[:COMMON] * often
    listed += [words[COMMON + number % (len(words) - COMMON)] for number in range(rest)]
    rng.shuffle(listed)
    numbered = " ".join(f"{number}. {word}" for number, word in enumerate(listed, 1))
    return Made(
        f"Below is a numbered list of words. Some appear more often than others. Remember the "
        f"ones that appear most often.\n{numbered}\n",
        f"Question: what are the {COMMON} most common words in the list above?",
        f" Answer: the {COMMON} words that appear most often in the list are:",
        tuple(words[:COMMON]),
    )


def frequent(rng: random.Random, size: int) -> Made:
    """Make a row; ``size`` is the words of the text beyond the least.

    How often a word is said falls with the square of its rank.
    """
    words = rng.sample(_POOL, len(_POOL))
    total = 24 + size
    shares = [rank**-_SLOPE for rank in range(1, len(words) + 1)]
    times = [int(total * share / sum(shares)) for share in shares]
    text = [word for word, count in zip(words, times, strict=True) for _ in range(count)]
    rng.shuffle(text)
    return Made(
        f"Find the words that are repeated in the text below.\n{' '.join(text)}.\n",
        "Question: what are the three most frequent words in the text above?",
        " Answer: the three most frequent words are:",
        tuple(words[:FREQUENT]),
    )
