"""Tiers: where an item stands, as its slot and as a tag, and how much it is needed now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from engram.plaintext.roles import Columns, Record, Rows, State, View

KIND = "item"
WORKING, LONG_TERM, USER = "working", "long-term", "user"
HITS, USES = 5, 2  # words and uses from which on more of them count no more
_SLOT = "tier"


def tag_of(tier: str) -> str:
    """What a filter finds a tier by; no word of a text has a colon."""
    return f"memory:{tier}"


def marked(home: str, about: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an item that stands in its home tier."""
    return {**about, "head": home, "relation": _SLOT, "tail": home, "home": home}


def at_hand(item: Record) -> bool:
    """Whether an item is in working memory."""
    return item.fields.get("head") == WORKING


def home_of(item: Record) -> str:
    """The tier that an item belongs to when it is not at hand."""
    return str(item.fields["home"])


def moved(item: Record, *, working: bool) -> Record:
    """The item as it stands in working memory, or back in its home tier alone."""
    head = WORKING if working else home_of(item)
    tags = [tag for tag in item.tags if tag != tag_of(WORKING)]
    first = [tag_of(WORKING)] if working else []
    return replace(item, fields={**item.fields, "head": head}, tags=(*first, *tags))


def standing_in(view: View, tier: str) -> list[Record]:
    """The live items whose slot is a tier, those said first first."""
    columns = view.columns
    place = firsts(columns)
    live = np.flatnonzero(view.live & columns.of_kind(KIND))
    known = {columns.ids[row]: int(place[row]) for row in live}
    held = [
        each for each in view.facts(tier, _SLOT) if each.id in known and each.state is State.ACTIVE
    ]
    return sorted(held, key=lambda each: known[each.id])


def firsts(columns: Columns) -> Rows:
    """(N,) the first row of what each row rests on: the order in which it was said.

    An item that moves gets a later row, but rests on what it always rested on.
    """

    def made() -> Rows:
        first = np.full(int(columns.group.max(initial=-1)) + 1, len(columns.group), dtype=np.int64)
        np.minimum.at(first, columns.group, np.arange(len(columns.group)))
        found: Rows = first[columns.group]
        return found

    return columns.remembered("firsts", made)


def importance(rank: float, hits: int, uses: int, *, faithful: bool = False) -> float:
    """How much an item is needed, 0 to 1.

    Args:
        rank: 1 for the best of those that were compared, 0 for the last.
        hits: words of the last queries that it holds.
        uses: how often it was packed into a context.
        faithful: weigh hits and uses twice, as the published code does, so that they hardly count.
    """
    if faithful:
        return 0.9 * rank + 0.05 * min(0.05 * hits, HITS) + 0.05 * min(0.05 * uses, USES)
    return 0.9 * rank + 0.05 * min(hits, HITS) / HITS + 0.05 * min(uses, USES) / USES


def changes(before: Iterable[Record], after: Sequence[Record]) -> list[Record]:
    """The items whose tier changes when working memory becomes ``after``; frozen ones stay."""
    kept = {item.id for item in after}
    out = [moved(item, working=False) for item in before if item.id not in kept]
    into = [moved(item, working=True) for item in after if not at_hand(item)]
    return [item for item in (*out, *into) if not item.frozen]
