"""A question is read once: whom it names, which fact and time it asks for, what would answer it.

Source: time-aware queries as in LongMemEval (Wu et al. 2025, arXiv:2410.10813, section 5.4).
Differs: rules over words in place of a language model; the period boosts and never filters; names
    of speakers leave the text that is searched for, since they select whose words to look at.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engram.plaintext.roles import Columns, Period, Route, View
from engram.plaintext.text.dates import question_periods
from engram.plaintext.text.names import names
from engram.plaintext.text.relations import KIN, asked
from engram.plaintext.text.words import terms

_TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SELF = re.compile(r"\b(?:i|me|my|mine|myself|i'm|i've|we|our|us)\b", re.IGNORECASE)
_OTHERS = re.compile(r"\b(?:she|he|they|her|his|him|their|them)\b", re.IGNORECASE)
_KIN_OF = re.compile(rf"\b(?P<whose>my|[^\W\d_][\w-]{{0,30}}['’]s) (?P<kin>{KIN})\b", re.IGNORECASE)
_WANTS = (
    (
        "time",
        r"^\W*(?:(?:and|so|but) )?(?:when\b|since when|(?:on |in |at )?(?:what|which) (?:exact )?"
        r"(?:date|day|year|month|time|week)\b|how long ago|how recently)",
    ),
    ("number", r"\bhow (?:many|much|old|often|long|far|tall|big)\b|\bwhat (?:age|number)\b"),
    (
        "list",
        r"^\W*(?:what|which) (?:[\w'-]+ ){0,2}?(?!(?:was|does|is|has|this|its|focus|class|bus)\b)"
        r"\w{3,}s (?:do|does|did|has|have|had|is|are|was|were|can|could|will|would|in|of|on)\b"
        r"|^\W*(?:what|which|who) (?:are|were)\b|^\W*(?:list|name)\b"
        r"|\bwhat (?:all|else)\b",
    ),
)
_ANSWERS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _WANTS)


@dataclass(frozen=True, slots=True)
class Question:
    """Reads a query by rules. Nothing in it depends on what was asked before.

    Attributes:
        longest: characters of a query that are read; the rest is searched for, not understood.
    """

    longest: int = 2_000

    def route(self, query: str, now: float, view: View) -> Route:
        """What the query asks for. ``content`` is never empty where the query is not."""
        head = query[: self.longest]
        people, content = _people(head, view)
        found = question_periods(head, now)
        return Route(
            query=query,
            content=_sought(content + query[self.longest :]) or query,
            now=now,
            people=people,
            heads=_heads(head, people, view),
            relation=asked(head),
            periods=tuple(Period(begin, until) for begin, until in found),
            wants=next((kind for kind, pattern in _ANSWERS if pattern.search(head)), ""),
        )


def _sought(content: str) -> str:
    """What is left to search for; nothing where only grammar is left."""
    return " ".join(content.split()) if terms(content).content else ""


@lru_cache(maxsize=64)
def _by_first_word(known: tuple[str, ...]) -> Mapping[str, tuple[int, ...]]:
    """Positions of names by their first word, case folded."""
    table: dict[str, tuple[int, ...]] = {}
    for position, name in enumerate(known):
        if first := _TOKEN.search(name):
            key = first.group().casefold()
            table[key] = (*table.get(key, ()), position)
    return table


@lru_cache(maxsize=64)
def _unspaced(known: tuple[str, ...]) -> tuple[int, ...]:
    """Positions of names that may stand in a text without spaces around them."""
    return tuple(at for at, name in enumerate(known) if name and ord(name[0]) >= 0x2E80)


def _people(query: str, view: View) -> tuple[tuple[str, ...], str]:
    """The speakers that the query names, and the query without them."""
    known = view.columns.names
    table = _by_first_word(known)
    named: dict[str, None] = {}
    pieces, last = [], 0
    for token in _TOKEN.finditer(query):
        if token.start() < last:
            continue
        word = re.sub(r"['’]s?$", "", token.group())
        positions = [at for at in table.get(word.casefold(), ()) if _speaks(view, at)]
        if match := _longest(query, token.start(), word, [known[at] for at in positions]):
            name, end = match
            named[name] = None
            pieces.append(query[last : token.start()])
            last = _after_possessive(query, end)
    for at in _unspaced(known):
        if known[at] in query and _speaks(view, at):
            named[known[at]] = None
    return tuple(named), "".join(pieces) + query[last:]


_POSSESSIVE = re.compile(r"['’]s?(?!\w)")


def _after_possessive(query: str, end: int) -> int:
    found = _POSSESSIVE.match(query, end)
    return found.end() if found else end


def _longest(query: str, start: int, word: str, people: list[str]) -> tuple[str, int] | None:
    """The speaker meant by a word, and where the name ends: the full name, or the only such."""
    for name in sorted(people, key=len, reverse=True):
        end = start + len(name)
        if query[start:end].casefold() == name.casefold() and not query[end : end + 1].isalnum():
            return name, end
    return (people[0], start + len(word)) if len(people) == 1 else None


def _speaks(view: View, position: int) -> bool:
    """Whether that name is a speaker of the scope; other columns share the list of names."""
    return bool(np.any(view.live & (view.columns.speaker == position)))


def _heads(query: str, people: tuple[str, ...], view: View) -> tuple[str, ...]:
    """Whose facts are asked for."""
    heads = dict.fromkeys(name.lower() for name in people)
    owners = {kin.start("whose") for kin in _KIN_OF.finditer(query)}
    for name in names(query):
        # Few first names are in the list of those we know, so any name may be a person's.
        if name.kind == "person" or (name.kind == "other" and name.start not in owners):
            heads.setdefault(name.text.lower())
    if _SELF.search(query):
        heads.setdefault("user")
    for kin in _KIN_OF.finditer(query):
        whose = kin["whose"].lower()
        heads.setdefault(f"{'user' if whose == 'my' else whose[:-2]}'s {kin['kin'].lower()}")
    if not heads and _OTHERS.search(query):
        heads = dict.fromkeys(speaker.lower() for speaker in _speakers(view.columns, view))
        heads.setdefault("user")
    return tuple(heads) or ("user",)


def _speakers(columns: Columns, view: View) -> list[str]:
    spoken = columns.speaker[view.live]
    counts = np.bincount(spoken[spoken >= 0], minlength=1)
    return [columns.names[position] for position in np.flatnonzero(counts)]
