"""The twin of the multi-hop sets: a question about one passage that only another one can answer.

Source: the form of HotpotQA (arXiv:1809.09600) and 2WikiMultihopQA (arXiv:2011.01060); the world
    and its names are made here.
Differs: nothing but the two passages holds the answer, and every name stands in several passages.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from engram.errors import InvalidInput
from engram.evals.roles import Episode, Probe, Session, Turn

_SYLLABLES = [f"{a}{b}" for a, b in product("bdfgklmnprstvz", "aeiou")]
_MOST = 1_000_000  # names
_WORKS = (
    ("film", "directed", "directed"),
    ("novel", "written", "wrote"),
    ("opera", "composed", "composed"),
    ("bridge", "designed", "designed"),
)
_BORN = "Where was the person born who {did} the {kind} {title}?"
_STUDIED = "Where did the person study who {did} the {kind} {title}?"


@dataclass(frozen=True, slots=True)
class Linked:
    """Works and the people who made them, a passage each.

    Attributes:
        seed: the same seed makes the same passages.
        count: works, and as many people; at least 2.
    """

    seed: int = 0
    count: int = 120
    name: str = "multihop (synthetic twin)"

    def __post_init__(self) -> None:
        """Refuse a world without a second answer."""
        if self.count < 2:
            raise InvalidInput(f"count must be at least 2 works, got {self.count!r}")

    def episodes(self) -> Iterator[Episode]:
        """Make the one episode."""
        rng = random.Random(self.seed)
        names = _named(rng)
        people = [_person(names) for _ in range(self.count)]
        made = [
            _work(rng, names, maker, rng.choice(people)) for maker in rng.sample(people, self.count)
        ]
        told: list[_Person | _Work] = [*people, *made]
        where = {each.name: f"P{at}" for at, each in enumerate(told)}
        sessions = [
            Session(where[each.name], (Turn(f"{where[each.name]}:0", f"{each.name}\n{each.text}"),))
            for each in told
        ]
        probes = tuple(
            Probe(
                id=f"linked:{at}",
                question=work.question,
                answer=work.answer,
                category="2 passages",
                evidence=(f"{where[work.name]}:0", f"{where[work.maker]}:0"),
                evidence_sessions=(where[work.name], where[work.maker]),
            )
            for at, work in enumerate(made)
        )
        yield Episode(f"linked-{self.seed}", tuple(rng.sample(sessions, len(sessions))), probes)


class _Person(NamedTuple):
    """Somebody, with what is told of them."""

    name: str
    born: str
    studied: str
    text: str


class _Work(NamedTuple):
    """Something made by a person, what is told of it, and what is asked."""

    name: str
    maker: str
    text: str
    question: str
    answer: str


def _person(names: Iterator[str]) -> _Person:
    name, born, studied = f"{next(names)} {next(names)}", next(names), next(names)
    text = (
        f"{name} was born in {born} and studied at {studied}. {name} lived in {next(names)} for "
        "many years."
    )
    return _Person(name, born, studied, text)


def _work(rng: random.Random, names: Iterator[str], maker: _Person, other: _Person) -> _Work:
    title = f"The {next(names)}"
    kind, verb, did = rng.choice(_WORKS)
    text = (
        f"{title} is a {kind} {verb} by {maker.name}. It was praised by {other.name} and first "
        f"shown in {next(names)}."
    )
    born = rng.random() < 0.5
    asked = _BORN if born else _STUDIED
    question = asked.format(did=did, kind=kind, title=title)
    return _Work(title, maker.name, text, question, maker.born if born else maker.studied)


def _named(rng: random.Random) -> Iterator[str]:
    """Names, no two alike."""
    known: set[str] = set()
    while len(known) < _MOST:
        name = "".join(rng.choices(_SYLLABLES, k=4)).capitalize()
        if name not in known:
            known.add(name)
            yield name
