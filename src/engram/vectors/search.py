"""One search of one state of an index: through the lists where they pay, exactly otherwise."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engram.vectors.exact import Floats, Mask, Rows, best, products
from engram.vectors.pieces import Pieces, numbers_of
from engram.vectors.spann.postings import Postings
from engram.vectors.spann.probe import Asked, probe

_ONCE = 4096
_LIST_COST = 16
"""A list, read and compared by its codes, takes about as long as so many vectors that are read one
by one, where all of them are in the system's cache."""

_RERANK = 128  # vectors that are read for the best codes, at least
_WIDE = 256  # numbers of a vector below which codes say less, so that more are read
_WIDER = 4  # times as many lists are read when too few of their records pass


@dataclass(frozen=True, slots=True)
class State:
    """What a search sees. Changes make another, so a search that runs keeps its own.

    Attributes:
        pieces: all vectors on disk; those in ``lists`` come first.
        lists: of the first vectors, or None.
        start: number of the vector with which the tail begins.
        gone: (start,) what was removed.
        rows, vectors, tail_gone: (T,), (T, D), (T,) of the tail.
    """

    pieces: Pieces
    lists: Postings | None
    start: int
    gone: Mask
    rows: Rows
    vectors: Floats
    tail_gone: Mask

    @property
    def covered(self) -> int:
        """Vectors that are in lists."""
        return self.lists.covered if self.lists is not None else 0


class Stats(NamedTuple):
    """What a search took: lists read, bytes read, vectors and codes compared."""

    postings: int = 0
    bytes: int = 0
    scanned: int = 0


class Found(NamedTuple):
    """Results of B queries, best first.

    Attributes:
        rows: (B, k), -1 where there are fewer.
        scores: (B, k) exact inner products, minus infinity where there are fewer.
        stats: of all queries together.
    """

    rows: Rows
    scores: Floats
    stats: Stats


class Question(NamedTuple):
    """How to search: see ``Segments.search``."""

    most: int
    allowed: Mask | Rows | None
    heads: int
    eps2: float | None
    exact: int


class _Scope(NamedTuple):
    """What may be found before the tail and in it; None is all that is not gone."""

    numbers: Rows | None
    tail: Rows | None
    size: int


class _Best:
    """The best of everything that was looked at so far, for B queries."""

    def __init__(self, queries: int, count: int) -> None:
        self._count = count
        self.rows: Rows = np.full((queries, count), -1, np.int64)
        self.scores: Floats = np.full((queries, count), -np.inf, np.float32)

    def add(self, rows: Rows, scores: Floats, at: slice | int = slice(None)) -> None:
        """Look at (n,) rows with (B, n) scores; ``at`` names one query whose they are."""
        which = [at] if isinstance(at, int) else range(len(self.rows))
        for query, own in zip(which, scores, strict=True):
            chosen = best(own, self._count)
            both = np.concatenate([self.scores[query], own[chosen]])
            order = best(both, self._count)
            joined = np.concatenate([self.rows[query], rows[chosen]])
            self.rows[query], self.scores[query] = joined[order], both[order]


def find(state: State, queries: Floats, asked: Question) -> Found:
    """The rows with the highest inner products."""
    return _Search(state, queries, asked).run()


class _Search:
    def __init__(self, state: State, queries: Floats, asked: Question) -> None:
        self._state = state
        self._queries = queries
        self._asked = asked
        self._result = _Best(len(queries), asked.most)
        self._stats = Stats()

    def run(self) -> Found:
        if self._asked.most and len(self._queries):
            scope = _scope(self._state, self._asked.allowed)
            self._tail(scope)
            if _few(self._state, scope, self._asked):
                self._exactly(scope.numbers)
            else:
                self._exactly(_waiting(self._state, scope))
                self._through_lists(scope)
        return Found(self._result.rows, self._result.scores, self._stats)

    def _count(self, *took: int) -> None:
        self._stats = Stats(*(a + b for a, b in zip(self._stats, took, strict=True)))

    def _tail(self, scope: _Scope) -> None:
        rows, vectors = self._state.rows, self._state.vectors
        if scope.tail is not None:
            rows, vectors = rows[scope.tail], vectors[scope.tail]
        if len(rows):
            self._result.add(rows, products(vectors, self._queries))
            self._count(0, 0, len(rows) * len(self._queries))

    def _exactly(self, numbers: Rows | None) -> None:
        """Compare with vectors on disk; None is all that is not gone."""
        numbers = np.flatnonzero(~self._state.gone) if numbers is None else numbers
        pieces = self._state.pieces
        for at in range(0, len(numbers), _ONCE):
            some = numbers[at : at + _ONCE]
            self._result.add(pieces.rows[some], products(pieces.gather(some), self._queries))
        read = 2 * pieces.dimension * len(numbers)
        self._count(0, read, len(numbers) * len(self._queries))

    def _through_lists(self, scope: _Scope) -> None:
        """Read lists; more of them where a filter lets few of a list pass.

        Those near a query may hold still less of what passes, as when it is all about something
        else: then more are read until half as many records pass as would without a filter.
        """
        state, asked = self._state, self._asked
        assert state.lists is not None
        among, most = _among(state, scope), len(state.lists.counts)
        passing = scope.size / state.covered if scope.numbers is not None else 1.0
        first = min(most, int(asked.heads / min(1.0, passing)))
        enough = int(first * passing * state.lists.counts.mean()) // 2
        rerank = max(_RERANK, 12 * asked.most) * max(1, _WIDE // state.pieces.dimension)
        for at, query in enumerate(self._queries):
            heads, eps2 = first, asked.eps2
            while True:
                wanted = Asked(asked.most, heads, eps2, rerank, among)
                near = probe(state.lists, state.pieces, query, wanted)
                self._count(near.postings, near.bytes, near.scanned)
                if heads >= most or scope.numbers is None or near.passed >= enough:
                    break
                heads, eps2 = min(most, heads * _WIDER), None
            self._result.add(state.pieces.rows[near.numbers], near.scores[None], at)


def _scope(state: State, allowed: Mask | Rows | None) -> _Scope:
    if allowed is None:
        alive = state.start - int(np.count_nonzero(state.gone))
        return _Scope(
            None, np.flatnonzero(~state.tail_gone) if state.tail_gone.any() else None, alive
        )
    if allowed.dtype == bool and np.count_nonzero(allowed) * 8 > len(state.gone):
        return _masked(state, allowed.astype(bool, copy=False))
    rows = (
        np.flatnonzero(allowed) if allowed.dtype == bool else allowed.astype(np.int64, copy=False)
    )
    numbers = numbers_of(state.pieces.rows[: state.start], rows)
    numbers = numbers[~state.gone[numbers]]
    tail = numbers_of(state.rows, rows)
    return _Scope(numbers, tail[~state.tail_gone[tail]], len(numbers))


def _masked(state: State, allowed: Mask) -> _Scope:
    def passing(rows: Rows, gone: Mask) -> Rows:
        known = np.searchsorted(rows, len(allowed))
        return np.flatnonzero(allowed[rows[:known]] & ~gone[:known])

    numbers = passing(state.pieces.rows[: state.start], state.gone)
    return _Scope(numbers, passing(state.rows, state.tail_gone), len(numbers))


def _few(state: State, scope: _Scope, asked: Question) -> bool:
    """Whether to read every vector is as fast as to read lists."""
    if state.lists is None or scope.size <= asked.most:
        return True
    if scope.numbers is None:
        return scope.size <= asked.exact
    return scope.size**2 <= _LIST_COST * asked.heads * state.covered


def _waiting(state: State, scope: _Scope) -> Rows:
    """Vectors that are in no list and not in memory: they wait for a merge."""
    if scope.numbers is not None:
        return scope.numbers[np.searchsorted(scope.numbers, state.covered) :]
    return np.flatnonzero(~state.gone[state.covered :]) + state.covered


def _among(state: State, scope: _Scope) -> Mask | None:
    if scope.numbers is None:
        return ~state.gone if state.gone.any() else None
    among: Mask = np.zeros(max(1, state.start), bool)
    among[scope.numbers] = True
    return among
