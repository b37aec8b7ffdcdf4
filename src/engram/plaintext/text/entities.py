"""What a text speaks of by name: people and places, quoted titles, identifiers, compound nouns.

A name that a memory knows is a node: a ``fact`` that says of what kind the named thing is.
"""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from engram.plaintext.roles import Record, Route, Rows, View
from engram.plaintext.text.names import Kind as NameKind
from engram.plaintext.text.names import names
from engram.plaintext.text.words import GRAMMAR, same_text, terms
from engram.ports import Embedder

Kind: TypeAlias = NameKind | Literal["title", "identifier", "thing"]


class Entity(NamedTuple):
    """Something that a text names, at character ``start``."""

    text: str
    kind: Kind
    start: int


IS_A = "is_a"
"""The relation of a node: its head is the name, its tail the kind of what is named."""

_LONGEST = 20_000  # characters that are read
_QUOTED = re.compile(r"[\"“]([^\"“”\n]{2,60})[\"”]")
_IDENTIFIER = re.compile(
    r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,24})+|\b[A-Za-z]{1,12}-?\d[\w.-]{0,20}\b"
    r"|\b[A-Za-z]\w{0,30}_\w{1,30}\b|\b[a-z]{1,20}[A-Z]\w{1,30}\b"
)
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[^\w\s]")
_OPENS = frozenset("a an the my your his her our their this that some any no".split())
_FLAT_WORDS = """
time times day days week weeks weekend month year years way lot bit thing things one ones kind sort
part bunch couple few moment chance idea point while stuff new old good great big little small nice
cool awesome amazing real own last first next same other whole such really very pretty super lovely
perfect best better fun hard long special beautiful wonderful incredible huge right different
"""
_FLAT = frozenset(_FLAT_WORDS.split())
"""Words that name nothing, alone or before another."""
_ENDS_WORDS = """
means mean looks look sounds sound feels feel loves loved makes made starts started happens happen
happened held holds come came comes goes said says like around since together yesterday tomorrow
today tonight later ago earlier around
"""
_ENDS = GRAMMAR | frozenset(_ENDS_WORDS.split())
"""Words that are no part of a name."""


def entities(text: str) -> list[Entity]:
    """What a text names, in its order, each once."""
    text = text[:_LONGEST]
    found = [
        Entity(each[1].strip(), "title", each.start(1))
        for each in _QUOTED.finditer(text)
        if 1 <= len(each[1].split()) <= 6
    ]
    found += [Entity(each[0], "identifier", each.start()) for each in _IDENTIFIER.finditer(text)]
    taken = {at for each in found for at in range(each.start, each.start + len(each.text))}
    named = [Entity(each.text, each.kind, each.start) for each in names(text)]
    found += [each for each in (*named, *_compounds(text)) if each.start not in taken]
    first: dict[str, Entity] = {}
    for each in sorted(found, key=lambda entity: entity.start):
        if key := same_text(each.text):
            first.setdefault(key, each)
    return list(first.values())


def asked_of(route: Route) -> list[str]:
    """What a query names, each once, the speakers first."""
    first: dict[str, str] = {}
    for name in (*route.people, *(entity.text for entity in entities(route.query))):
        first.setdefault(same_text(name), name)
    return list(first.values())


def nodes(view: View) -> list[tuple[int, Record]]:
    """The live nodes with their positions in the view."""
    columns = view.columns

    def look() -> list[tuple[int, Record]]:
        rows = np.flatnonzero(columns.of_kind("fact") & (columns.known_to == np.inf))
        found = zip(rows.tolist(), view.records(rows), strict=True)
        return [(row, fact) for row, fact in found if fact.fields.get("relation") == IS_A]

    return [(row, node) for row, node in columns.remembered("nodes", look) if view.live[row]]


def alike(
    name: str, others: Sequence[str], embedder: Embedder | None, least: float
) -> list[tuple[int, float]]:
    """The positions of names like one, with how near each is, nearest first.

    Equal names are as near as can be. Of the others only those are compared that begin a word with
    the same three letters as the name does.

    Args:
        name: to compare.
        others: with these.
        embedder: gives the cosine; without one only equal names are alike.
        least: cosine.
    """
    plain, begins = [same_text(other) for other in others], _begins(name)
    found = [(at, 1.0) for at, other in enumerate(plain) if other == same_text(name)]
    close = [
        at
        for at, other in enumerate(plain)
        if other != same_text(name) and not begins.isdisjoint(_begins(other))
    ]
    if embedder is not None and close:
        own, *theirs = embedder.embed([name, *(others[at] for at in close)])
        cosines = [(at, float(own @ each)) for at, each in zip(close, theirs, strict=True)]
        found += [(at, cosine) for at, cosine in cosines if cosine >= least]
    return sorted(found, key=lambda pair: -pair[1])


def _begins(name: str) -> set[str]:
    return {word[:3] for word in same_text(name).split()}


def naming(name: str, view: View) -> Rows:
    """Live rows that hold the words of a name, side by side."""
    found = terms(name, query=True)
    rows = np.flatnonzero(view.live & (view.columns.length > 0))
    asked = view.postings(found.pairs or found.content or found.stems)
    for where, _ in asked.values():
        rows = np.intersect1d(rows, where, assume_unique=True)
    return rows if asked else rows[:0]


def _compounds(text: str) -> list[Entity]:
    """Two or three plain words after an article or the like, before mere grammar or a mark."""
    found: list[Entity] = []
    run: list[re.Match[str]] = []
    opened = False
    for word in [*_WORD.finditer(text), None]:
        plain = "" if word is None else word[0]
        if word is not None and opened and _names(plain):
            run.append(word)
        elif not (opened and not run and plain in _FLAT):  # "a new job offer" is a job offer
            if 2 <= len(run) <= 3:
                start, end = run[0].start(), run[-1].end()
                found.append(Entity(text[start:end], "thing", start))
            run, opened = [], plain.lower() in _OPENS
    return found


def _names(word: str) -> bool:
    """Whether a word may be part of a compound noun."""
    return (
        word.islower() and word not in _ENDS | _FLAT and not word.endswith(("ed", "ly", "'s", "’s"))
    )
