"""Edges between items: what follows what, and what one that stands for others takes over."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engram.plaintext.roles import Record, State, View
from engram.plaintext.text.drafts import Drafts
from engram.plaintext.text.tiers import KIND, firsts, moved

_MERGED = "merged_to"
_BACK = {"follows": "precedes", "parent": "child"}
"""An edge as it is seen from its other end."""


def previous(record: Record, view: View) -> str | None:
    """The item that was said last before a record, in its conversation."""
    columns = view.columns
    mine = view.live & columns.of_kind(KIND)
    for name, column in ((record.scope.run, columns.run), (record.scope.agent, columns.agent)):
        mine &= column == (columns.names.index(name) if name in columns.names else -1)
    place = firsts(columns)
    here = place[columns.ids == record.id].min(initial=len(place))
    rows = np.flatnonzero(mine & (place < here))
    return str(columns.ids[rows[place[rows].argmax()]]) if len(rows) else None


def inherited(gone: Sequence[Record], drafts: Drafts, view: View) -> dict[str, str]:
    """The edges that lead from and to some items, as those of one that stands in their place.

    Args:
        gone: the items, the new one among them.
        drafts: what is written in this run.
        view: what was written before.
    """
    ids = {each.id for each in gone}
    found = {to: kind for each in gone for to, kind in each.links.items() if kind != _MERGED}
    out, into = view.edges()
    reached = np.isin(view.columns.ids[into], list(ids)) if len(into) else np.zeros(0, dtype=bool)
    leading = [drafts.held(each) for each in view.records(np.unique(out[reached]))]
    for each in [*leading, *(edit.record for edit in drafts.edits())]:
        for to, kind in each.links.items():
            if to in ids and kind in _BACK:
                found.setdefault(each.id, _BACK[kind])
    return {to: kind for to, kind in found.items() if to not in ids}


def replaced(gone: Sequence[Record], stands: Record) -> list[Record]:
    """What stands, then what gave way to it: archived, with an edge that leads there."""
    parents = dict.fromkeys((*stands.parents, *(each.id for each in gone)))
    images = [replace(stands, parents=tuple(parents))]
    for each in gone:
        links = {**each.links, stands.id: _MERGED}
        out = moved(each, working=False)
        images.append(replace(out, state=State.ARCHIVED, superseded_by=stands.id, links=links))
    return images
