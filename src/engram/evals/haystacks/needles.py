"""Eight tasks of needles: what was said of a key is asked for.

Keys are two words, so that there are thousands. A number has seven digits; a code has four groups
of four digits and stands for the long identifiers of RULER.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from engram.evals.haystacks.making import Made, hidden, noise, prose
from engram.evals.lexicon import FILLER, KEYS


@dataclass(frozen=True, slots=True)
class Needles:
    """Makes the rows of one task.

    Attributes:
        hay: ``noise``, ``prose`` or ``needles``, that is keys which nobody asks for.
        keys: keys with a needle.
        values: needles of each key.
        asked: keys that are asked for.
        codes: whether keys and values are codes, and not words and numbers; for keys only where
            the hay is needles.
    """

    hay: str
    keys: int = 1
    values: int = 1
    asked: int = 1
    codes: bool = False

    def __call__(self, rng: random.Random, size: int) -> Made:
        """Make a row; ``size`` is the sentences of the haystack."""
        names = _distinct(rng, self.keys, self._key)
        said = {
            name: _distinct(rng, self.values, _code if self.codes else _number) for name in names
        }
        asked = names[: self.asked]
        kind = "code" if self.codes else "number"
        needles = [_needle(kind, name, value) for name in names for value in said[name]]
        plural = "s" if self.values * self.asked > 1 else ""
        verb = "are" if plural else "is"
        listed = ", and ".join((", ".join(asked[:-1]), asked[-1])) if asked[1:] else asked[0]
        return Made(
            f"Some magic {kind}s are hidden in the text below. Remember them, for one question "
            f"follows after it.\n{hidden(rng, needles, self._hay(rng, size, kind, set(names)))}\n",
            f"What {verb} the magic {kind}{plural} for {listed} in the text?",
            f" The magic {kind}{plural} for {listed} in the text {verb}",
            tuple(value for name in asked for value in said[name]),
        )

    def _key(self, rng: random.Random) -> str:
        return _code(rng) if self.codes and self.hay == "needles" else _name(rng)

    def _hay(self, rng: random.Random, size: int, kind: str, taken: set[str]) -> list[str]:
        if self.hay == "noise":
            return noise(size)
        if self.hay == "prose":
            return prose(rng, size)
        drawn = (self._key(rng) for _ in range(size))
        value = _code if self.codes else _number
        return [_needle(kind, name, value(rng)) for name in drawn if name not in taken]


def _needle(kind: str, name: str, value: str) -> str:
    return f"One of the magic {kind}s for {name} is: {value}."


def _distinct(rng: random.Random, count: int, draw: Callable[[random.Random], str]) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        found[draw(rng)] = None
    return list(found)


def _name(rng: random.Random) -> str:
    return f"{rng.choice(FILLER)} {rng.choice(KEYS)}"


def _number(rng: random.Random) -> str:
    return str(rng.randint(1_000_000, 9_999_999))


def _code(rng: random.Random) -> str:
    return "-".join(f"{rng.randrange(10_000):04d}" for _ in range(4))
