"""Passkey: five digits are told somewhere in a long text that means nothing, and asked for.

A small model learns it in minutes inside a window; past its window it shows what a cache that
looks far back is good for. One word is one token.

Source: Mohtashami and Jaggi 2023, Landmark Attention, arXiv:2305.16300, section 4.2; made anew.
Differs: the digits of a key differ from each other, and the text between follows no sense at all.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from engram.errors import InvalidInput
from engram.evals import lexicon
from engram.evals.filler import fill
from engram.evals.prompts import Prompt

_DIGITS = 5
_QUESTION, _PREFIX = "what is it ?", "the pass word is"


@dataclass(frozen=True, slots=True)
class Passkey:
    """Rows of ``length`` tokens, the start, the question and the answer included.

    Attributes:
        length: tokens, at least 32.
        depths: where the key is told, from 0, at the beginning, to 1; a row each.
        count: rows of each depth.
        query_aware: whether the question is part of the context.
        seed: the same seed makes the same rows.
    """

    length: int = 256
    depths: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    count: int = 8
    query_aware: bool = False
    seed: int = 0
    name: str = "passkey"

    def __post_init__(self) -> None:
        """Refuse rows that cannot be."""
        if self.count < 1 or not all(0 <= depth <= 1 for depth in self.depths):
            raise InvalidInput(
                f"count must be at least 1 and depths 0 to 1, got {self.count!r} and "
                f"{self.depths!r}"
            )
        if self.length < 32:
            raise InvalidInput(f"length must be at least 32 tokens, got {self.length!r}")

    def prompts(self) -> Iterator[Prompt]:
        """Make the rows, each depth in turn."""
        for number in range(self.count):
            for depth in self.depths:
                rng = random.Random(f"{self.seed}:{number}:{depth}")
                context, key = _hidden(rng, self.length, depth)
                row = Prompt(
                    self.name,
                    " ".join(context),
                    f" {_QUESTION}",
                    f" {_PREFIX}",
                    (" ".join(key),),
                    _DIGITS,
                )
                yield row.aware() if self.query_aware else row


def told(rng: random.Random, length: int) -> tuple[list[int], list[int]]:
    """A text to learn from: ids, and the places among them where the key is said again.

    The first digit after ``remember`` is not among them: no word before it tells where to look.
    """
    context, key = _hidden(rng, length, rng.random())
    asked = f"{_QUESTION} {_PREFIX}".split()
    text = [lexicon.SPECIAL[lexicon.START], *context, *asked, *key]
    again = text.index("remember") + 1
    places = [*range(again + 1, again + _DIGITS), *range(len(text) - _DIGITS, len(text))]
    return [lexicon.number(word) for word in text], places


def _hidden(rng: random.Random, length: int, depth: float) -> tuple[list[str], list[str]]:
    """The words of a context, and the key in it."""
    key = rng.sample(lexicon.DIGITS, _DIGITS)
    needle = [*_PREFIX.split(), *key, ".", "remember", *key, "."]
    asked = len(f"{_QUESTION} {_PREFIX}".split()) + _DIGITS
    spare = length - 1 - asked - len(needle)
    before = round(depth * spare)
    return [*fill(rng, before), *needle, *fill(rng, spare - before)], key
