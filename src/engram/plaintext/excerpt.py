"""Some rows of a view as a view of their own, so that a large scope is rated in a small part of it.

Every number that a method takes from all rows, such as how many hold a word, stays that of all.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from engram.plaintext.roles import Floats, Mask, Record, Rows, Scope, View


class Excerpt:
    """A ``View`` of some rows.

    Args:
        full: the view of all.
        rows: positions in it, ascending.
    """

    def __init__(self, full: View, rows: Rows) -> None:
        self.full, self.rows = full, rows
        self.scope: Scope = full.scope
        self.columns = full.columns.take(rows)
        self.live: Mask = full.live[rows]
        self._place = np.full(len(full.live), -1, dtype=np.int32)
        self._place[rows] = np.arange(len(rows), dtype=np.int32)

    @property
    def count(self) -> int:
        """How many rows of the full view are live."""
        return self.full.count

    def along(self, vector: Floats) -> Floats:
        """(N,) how far the vector of each row goes along this one."""
        return self.full.along(vector)[self.rows]

    def holding(self, term: str) -> int:
        """How many of these hold a term."""
        return self.full.holding(term)

    def get(self, record_id: str) -> Record | None:
        """The current version, whether it is in the excerpt or not."""
        return self.full.get(record_id)

    def records(self, rows: Rows) -> list[Record]:
        """The records at these positions of the excerpt, in this order."""
        return self.full.records(self.rows[rows])

    def current(self, record_ids: Iterable[str]) -> dict[str, Record]:
        """Current versions by id."""
        return self.full.current(record_ids)

    def resting_on(self, record_id: str) -> list[Record]:
        """Records that were made of this one."""
        return self.full.resting_on(record_id)

    def facts(self, head: str, relation: str) -> list[Record]:
        """Everything that ever filled a slot."""
        return self.full.facts(head, relation)

    def in_scope(self) -> Mask:
        """(N,) rows of the agent and run that the scope names."""
        return self.full.in_scope()[self.rows]

    def edges(self) -> tuple[Rows, Rows]:
        """Links between live rows of the excerpt."""
        sources, targets = (self._place[rows].astype(np.int64) for rows in self.full.edges())
        inside = (sources >= 0) & (targets >= 0)
        return sources[inside], targets[inside]

    def postings(self, terms: Sequence[str]) -> Mapping[str, tuple[Rows, Floats]]:
        """Positions and counts of each term among the rows of the excerpt."""
        return {term: self._inside(*found) for term, found in self.full.postings(terms).items()}

    def _inside(self, rows: Rows, counts: Floats) -> tuple[Rows, Floats]:
        places = self._place[rows].astype(np.int64)
        inside = places >= 0
        return places[inside], counts[inside]
