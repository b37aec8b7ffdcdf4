"""The half of an index that reads: it searches, counts its bytes, and follows what is on disk."""

import threading
from pathlib import Path

import numpy as np

from engram.vectors import checks, manifest
from engram.vectors.exact import Floats, Mask, Rows
from engram.vectors.manifest import Manifest
from engram.vectors.opening import Content, opened
from engram.vectors.pieces import numbers_of
from engram.vectors.search import Found, Question, State, find
from engram.vectors.spann.settings import Spann
from engram.vectors.tail import Tail

IN_MEMORY = 65_536
"""Vectors on disk that are in no list yet are kept in memory as well, up to so many."""


class Reading:
    """An index as a search sees it.

    Attributes:
        reach: row up to which everything is on disk; 0 for nothing.
        fed: row up to which everything is here, on disk or in memory: what comes next is above it.
    """

    def __init__(self, folder: Path, dimension: int, settings: Spann, exact: int) -> None:
        self.reach = self.fed = 0
        self._folder = folder
        self._dimension = dimension
        self._settings = settings
        self._exact = exact
        self._change = threading.RLock()
        self._removed: list[Rows] = []  # since the last seal
        self._tail = Tail(dimension)
        self._take(Manifest(dimension))

    def search(
        self,
        queries: Floats,
        k: int,
        *,
        allowed: Mask | Rows | None = None,
        heads: int | None = None,
        eps2: float | None = None,
    ) -> Found:
        """The rows whose vectors have the highest inner products with each query.

        Args:
            queries: (B, D), of length 1.
            k: most results.
            allowed: rows that may be found: a mask that is indexed by row, or the rows, ascending;
                None is all.
            heads: lists to read, in place of the settings; as many as there are heads, or more,
                makes the result exact.
            eps2: in place of the settings.

        Raises:
            InvalidInput: an argument cannot be used.
        """
        asked = Question(
            most=checks.whole(k, "k", 0),
            allowed=None if allowed is None else checks.allowed(allowed),
            heads=self._settings.heads if heads is None else checks.whole(heads, "heads", 1),
            eps2=self._settings.eps2 if eps2 is None else eps2,
            exact=self._exact,
        )
        return find(self._state, checks.vectors(queries, self._dimension, "queries"), asked)

    def memory_bytes(self) -> int:
        """Memory that the index takes while nothing is searched or merged."""
        with self._change:
            lists = self._content.lists
            held = self._tail.bytes() + self._gone.nbytes + self._content.gone.nbytes
            held += self._content.pieces.memory_bytes()
            return held + (lists.memory_bytes() if lists is not None else 0)

    def disk_bytes(self) -> int:
        """Bytes of the files that the index is made of."""
        names = {manifest.NAME, *self._content.manifest.names()}
        paths = [self._folder / name for name in names]
        return sum(path.stat().st_size for path in paths if path.exists())

    def _follow(self, check: int = 0) -> Manifest:
        """Take over what another process wrote; what the folder says, damaged or not."""
        told = manifest.read(self._folder, self._dimension)
        if told != self._seen or check:
            self._take(told, check)
        return told

    def _take(self, told: Manifest, check: int = 0) -> None:
        known = getattr(self, "_content", None)
        self._load(opened(self._folder, told, check, known))
        self._seen = told

    def _load(self, content: Content) -> None:
        """Take over files, and have in memory what is in no list, if it is not too much."""
        self._content = content
        count, before = len(content.pieces), self.reach
        self.reach = int(content.pieces.rows[-1]) if count else 0
        if self.reach < before:  # what is behind a gap is fed again, together with the gap
            self._tail.keep(self._tail.rows <= self.reach)
        self._start = content.covered if count - content.covered <= IN_MEMORY else count
        wanted = content.pieces.rows[self._start :]
        floor = int(content.pieces.rows[self._start - 1]) if self._start else 0
        self._tail.keep(self._tail.rows > floor)
        if not np.array_equal(self._tail.rows[: len(wanted)], wanted):
            fed, self._tail = self._tail, Tail(self._dimension)
            numbers = np.arange(self._start, count)
            self._tail.extend(wanted, content.pieces.gather(numbers))
            fed.keep(fed.rows > self.reach)
            self._tail.extend(fed.rows, fed.vectors)
            self._tail.remove(np.flatnonzero(fed.gone) + len(wanted))
        self._gone = content.gone[: self._start]
        self._tail.remove(np.flatnonzero(content.gone[self._start :]))
        for rows in self._removed:
            self._mark(rows)
        self._show()

    def _mark(self, rows: Rows) -> None:
        known = numbers_of(self._content.pieces.rows[: self._start], rows)
        if len(known):
            self._gone = self._gone.copy()
            self._gone[known] = True
        self._tail.remove(numbers_of(self._tail.rows, rows))

    def _gone_on_disk(self) -> Mask:
        """(N,) what is removed of the vectors on disk."""
        waiting = len(self._content.pieces) - self._start
        found: Mask = np.concatenate([self._gone, self._tail.gone[:waiting]])
        return found

    def _show(self) -> None:
        """From here on searches see the index as it is now."""
        tail, content = self._tail, self._content
        self.fed = max(self.reach, int(tail.rows[-1]) if len(tail.rows) else 0)
        self._state = State(
            pieces=content.pieces,
            lists=content.lists,
            start=self._start,
            gone=self._gone,
            rows=tail.rows,
            vectors=tail.vectors,
            tail_gone=tail.gone,
        )
