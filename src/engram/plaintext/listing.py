"""Listing a scope a page at a time, in the order in which its records were first stored."""

from dataclasses import dataclass

import numpy as np

from engram.plaintext.columns import Columns, Rows
from engram.plaintext.filters import Sql
from engram.plaintext.roles import Record, Scope, State
from engram.plaintext.store.columns import STATES
from engram.plaintext.store.store import Store


@dataclass(frozen=True, slots=True)
class Page:
    """What to list: at most ``limit`` records, after the first ``after`` that were ever stored."""

    scope: Scope
    now: float
    limit: int
    after: int
    states: tuple[State, ...]
    as_of: float | None = None
    known_at: float | None = None
    filters: Sql | None = None


def listing(store: Store, page: Page) -> tuple[list[Record], str | None]:
    """One page, and the cursor of the next; None when it was the last."""
    with store.read(page.scope) as view:
        allowed = None if page.filters is None else view.matching(page.filters)
        if page.as_of is None and page.known_at is None:
            codes = [STATES.index(state) for state in page.states]
            columns = view.columns
            live = np.isin(columns.state, codes) & (columns.known_to == np.inf) & view.in_scope()
            live = live if allowed is None else live & allowed
        else:
            view.narrow(page.now, page.as_of, page.known_at, allowed)
            live = view.live
        stored = view.columns.remembered("places", lambda: _first_stored(view.columns))
        rows = np.flatnonzero(live & (stored > page.after))
        rows = rows[np.argsort(stored[rows], kind="stable")]
        chosen = rows[: page.limit]
        following = str(stored[chosen[-1]]) if len(rows) > len(chosen) else None
        return view.records(chosen), following


def _first_stored(columns: Columns) -> Rows:
    """(N,) the place of each row's record among all that the space ever held, from 1.

    Not its row in the log, which would tell how much others write.
    """
    first: dict[str, int] = {}
    places = [first.setdefault(record, len(first) + 1) for record in columns.ids]
    return np.array(places, dtype=np.int64)
