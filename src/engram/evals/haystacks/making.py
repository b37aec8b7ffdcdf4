"""A row before it has its length: its makers take a size, and a longer text for a larger one."""

import random
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from engram.evals.lexicon import FIRST_NAMES, KEYS, LAST_NAMES, TOWNS, TRADES, VALUES


class Made(NamedTuple):
    """The parts of a row; ``any_of`` as in ``Prompt``."""

    context: str
    question: str
    answer_prefix: str
    answer: tuple[str, ...]
    any_of: bool = False


Maker: TypeAlias = Callable[[random.Random, int], Made]
"""Makes a row whose haystack has so many pieces, at least 0; the same chance, the same needles."""

NOISE = (
    "The grass is green.",
    "The sky is blue.",
    "The sun is yellow.",
    "Here the river winds.",
    "There and back again.",
)
"""Sentences that repeat, the plainest haystack."""


def noise(count: int) -> list[str]:
    """So many sentences, the same few in turn."""
    return [NOISE[number % len(NOISE)] for number in range(count)]


def prose(rng: random.Random, count: int) -> list[str]:
    """So many sentences that differ, of people, towns and things."""
    return [_sentence(rng) for _ in range(count)]


def hidden(rng: random.Random, needles: list[str], hay: list[str]) -> str:
    """The needles, in a drawn order, each at a drawn place of the hay."""
    drawn = rng.sample(needles, len(needles))
    places = sorted(rng.randint(0, len(hay)) for _ in drawn)
    for needle, place in zip(reversed(drawn), reversed(places), strict=True):
        hay = [*hay[:place], needle, *hay[place:]]
    return " ".join(hay)


def _sentence(rng: random.Random) -> str:
    who = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}".title()
    thing, stuff = rng.choice(KEYS), rng.choice(VALUES)
    town, trade = rng.choice(TOWNS).title(), rng.choice(TRADES)
    shape = rng.choice(
        (
            "In {town} they say that the {thing} was made of {stuff}.",
            "{who}, a {trade} from {town}, has a {thing}.",
            "Once {who} made a {thing} of {stuff} and {stuff2}.",
            "The {trade} of {town} has made many things, and a {thing} is one of them.",
            "After all, {who} was here to find the {thing}.",
        )
    )
    return shape.format(
        who=who, thing=thing, stuff=stuff, stuff2=rng.choice(VALUES), town=town, trade=trade
    )
