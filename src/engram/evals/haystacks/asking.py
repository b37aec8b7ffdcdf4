"""Questions over many short documents, of one fact or of two that must be joined.

The documents tell of made people: where each was born, what each works as, who has which sister.
"""

import random
from typing import NamedTuple

from engram.errors import InvalidInput
from engram.evals.haystacks.making import Made
from engram.evals.lexicon import FIRST_NAMES, LAST_NAMES, TOWNS, TRADES

_PARTS = (FIRST_NAMES, FIRST_NAMES, FIRST_NAMES, LAST_NAMES)
_PEOPLE = 16**4


class _Person(NamedTuple):
    name: str
    town: str
    trade: str
    sister: str


def one(rng: random.Random, size: int) -> Made:
    """A fact of one document is asked for; ``size`` is the documents beside it."""
    drawn = _drawn(rng, size + 2)
    who = drawn[0]
    question, answer = rng.choice(
        (
            (f"In which town was {who.name} born?", who.town),
            (f"What does {who.name} work as?", who.trade),
            (f"Who is the sister of {who.name}?", who.sister),
        )
    )
    return _made(rng, drawn, question, answer)


def two(rng: random.Random, size: int) -> Made:
    """The first document names whom the second tells of; ``size`` is the documents beside them."""
    drawn = _drawn(rng, size + 2)
    who, sister = drawn[:2]
    question, answer = rng.choice(
        (
            (f"In which town was the sister of {who.name} born?", sister.town),
            (f"What does the sister of {who.name} work as?", sister.trade),
        )
    )
    return _made(rng, drawn, question, answer)


def _drawn(rng: random.Random, count: int) -> list[_Person]:
    """So many people with different names; the sister of each is the next."""
    if count > _PEOPLE:
        raise InvalidInput(
            f"there are names for {_PEOPLE:,} documents, got {count!r}; ask for less"
        )
    names = [_name(number) for number in rng.sample(range(_PEOPLE), count)]
    return [
        _Person(name, rng.choice(TOWNS).title(), rng.choice(TRADES), sister)
        for name, sister in zip(names, [*names[1:], names[0]], strict=True)
    ]


def _name(number: int) -> str:
    words = []
    for part in _PARTS:
        number, at = divmod(number, len(part))
        words.append(part[at].title())
    return " ".join(words)


def _made(rng: random.Random, people: list[_Person], question: str, answer: str) -> Made:
    documents = [
        f"Document {number}: {who.name} was born in {who.town}. {who.name} works as a {who.trade}. "
        f"The sister of {who.name} is {who.sister}."
        for number, who in enumerate(rng.sample(people, len(people)), 1)
    ]
    return Made(
        "Answer the question from the documents below.\n" + "\n".join(documents) + "\n",
        f"Question: {question}",
        " Answer:",
        (answer,),
        any_of=True,
    )
