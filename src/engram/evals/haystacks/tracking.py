"""Variable tracking: a value goes from variable to variable, and all that have it are asked for."""

import random
from itertools import pairwise

from engram.evals.haystacks.making import Made, noise
from engram.evals.lexicon import KEYS

HOPS = 4


def chain(rng: random.Random, size: int) -> Made:
    """Make a row; ``size`` is the sentences of the haystack, between the assignments."""
    names = [name.upper() for name in rng.sample(KEYS, HOPS + 1)]
    value = str(rng.randint(10_000, 99_999))
    told = [f"VAR {names[0]} = {value}."]
    told += [f"VAR {new} = VAR {old}." for old, new in pairwise(names)]
    hay = noise(size)
    places = sorted(rng.randint(0, len(hay)) for _ in told)
    for line, place in zip(reversed(told), reversed(places), strict=True):
        hay.insert(place, line)
    return Made(
        f"Remember the variables assigned in the text below.\n{' '.join(hay)}\n",
        f"Question: find all variables that are assigned the value {value} in the text above.",
        f" Answer: {len(names)} variables are assigned the value {value}, they are:",
        tuple(names),
    )
