"""Needs: what a conversation asks for as it goes on, and which items it needs, the most first."""

from collections.abc import Collection, Sequence
from enum import StrEnum

import numpy as np

from engram.plaintext.roles import Floats, Record, Rows, View
from engram.plaintext.text.sentences import sentences
from engram.plaintext.text.slots import is_person
from engram.plaintext.text.tiers import KIND, firsts, importance
from engram.plaintext.text.words import terms

_LOOKED_AT = 4  # turns that end in a question, for each query that counts


class Label(StrEnum):
    """What a message asks of a memory."""

    QUERY = "query"  # look for what it needs
    ANSWER = "answer"  # by an assistant or a tool; kept like an addition
    ADD = "add"
    UPDATE = "update"  # said before, in other words


class Needs:
    """The items of a view, and the messages of a batch as they arrive one after the other.

    Args:
        view: holds the batch and the items that were made of it.
        fresh: the batch, in log order.
        recent: queries that count.
        faithful: see ``importance``.

    Attributes:
        queries: those that were asked so far, the last last.
    """

    def __init__(
        self, view: View, fresh: Sequence[Record], recent: int, *, faithful: bool = False
    ) -> None:
        columns = view.columns
        self._view, self._recent, self._faithful = view, recent, faithful
        self._place = firsts(columns)
        self._items = np.flatnonzero(view.live & columns.of_kind(KIND))
        self._raw = view.live & columns.of_kind("raw")
        self._known: dict[int, Record] = {}
        self._at = {columns.ids[row]: int(row) for row in np.flatnonzero(view.live)}
        self._last, self._worth = "", (np.zeros(0, dtype=np.float32), self._items)
        self.queries = self._before(fresh)

    def label(self, record: Record) -> Label:
        """What a message of the batch is."""
        if record.version > 1:
            return Label.UPDATE
        if not is_person(record):
            return Label.ANSWER
        asks = bool(self._view.columns.asks[self._row(record)])
        return Label.QUERY if asks else Label.ADD

    def rows(self, ids: Collection[str]) -> list[int]:
        """The rows of items."""
        return [self._at[each] for each in ids if each in self._at]

    def said_in(self, record: Record) -> list[int]:
        """The rows of the items that a message made; none where it only asks."""
        spans = sentences(record.text)
        if spans and all(record.text[s.start : s.end].rstrip().endswith("?") for s in spans):
            return []
        group = self._view.columns.group
        mine = group[self._items] == group[self._row(record)]
        return [int(row) for row in self._items[mine]]

    def before(self, query: Record) -> Rows:
        """The rows of the items that rest on what was said before a query."""
        return self._items[self._place[self._items] < self._place[self._row(query)]]

    def likeness(self, query: Record, words: Sequence[str]) -> Floats:
        """(N,) how much each row is like a query: their cosine, and the share of words it holds."""
        vectors = self._view.columns.vectors
        like: Floats = vectors @ vectors[self._row(query)]
        for where, _ in self._view.postings(words).values():
            like[where] += np.float32(1 / len(words))
        return like

    def held(self, words: Sequence[str], rows: Sequence[int]) -> list[str]:
        """The words that stand in some of the rows."""
        posted = self._view.postings(words)
        return [word for word in words if np.isin(posted[word][0], rows).any()]

    def items(self, rows: Sequence[int]) -> list[Record]:
        """The items at these rows, in this order."""
        new = [row for row in rows if row not in self._known]
        found = self._view.records(np.array(new, dtype=np.int64))
        self._known |= {self._at[record.id]: record for record in found}
        return [self._known[row] for row in rows if row in self._known]

    def ordered(self, rows: Sequence[int]) -> list[int]:
        """Rows of items, those first that are needed most.

        What was said since the last query, the newest first; then by importance for that query.
        """
        newest = sorted(rows, key=lambda row: -self._place[row])
        if not self.queries:
            return newest
        asked = self._place[self._row(self.queries[-1])]
        since = [row for row in newest if self._place[row] >= asked]
        old = np.array([row for row in newest if self._place[row] < asked], dtype=np.int64)
        return [*since, *self._by_importance(old)]

    def _by_importance(self, rows: Rows) -> list[int]:
        like, hits = self._needed(self.queries)
        order = np.argsort(-like[rows].round(5), kind="stable")
        rank = np.empty(len(rows))
        rank[order] = np.linspace(1, 0, len(rows))
        uses = [item.uses for item in self.items(rows.tolist())]
        parts = zip(rank.tolist(), hits[rows].tolist(), uses, strict=True)
        worth = np.array([importance(*each, faithful=self._faithful) for each in parts])
        return [int(row) for row in rows[np.argsort(-worth.round(9), kind="stable")]]

    def _needed(self, queries: Sequence[Record]) -> tuple[Floats, Rows]:
        """(N,) how much rows are like the last query, and how many words of the last ones each has.

        They stay as they are until the next query.
        """
        if self._last != queries[-1].id:
            words = list(dict.fromkeys(terms(queries[-1].text, query=True).content))
            like = self.likeness(queries[-1], words)
            texts = " ".join(query.text for query in queries[-self._recent :])
            hits = np.zeros(len(like), dtype=np.int64)
            for where, _ in self._view.postings(sorted(set(terms(texts).content))).values():
                hits[where] += 1
            self._last, self._worth = queries[-1].id, (like, hits)
        return self._worth

    def _row(self, record: Record) -> int:
        return self._at[record.id]

    def _before(self, fresh: Sequence[Record]) -> list[Record]:
        """The last queries that were asked before the batch."""
        if not fresh:
            return []
        columns = self._view.columns
        first = min(self._place[self._row(record)] for record in fresh)
        rows = np.flatnonzero(self._raw & columns.asks & (self._place < first))
        rows = rows[np.argsort(self._place[rows], kind="stable")][-_LOOKED_AT * self._recent :]
        found = [each for each in self._view.records(rows) if self.label(each) is Label.QUERY]
        return found[-self._recent :]
