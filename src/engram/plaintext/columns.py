"""One space of the store as parallel arrays: what searching reads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from engram.plaintext.turns import Turns, in_order

Floats: TypeAlias = NDArray[np.float32]
Rows: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
Made = TypeVar("Made")


_SAMPLE = 64  # one score of so many is looked at to guess which are high


def highest(scores: Floats, count: int) -> Rows:
    """Positions of the highest scores, best first; of equal ones the first comes first."""
    if count >= len(scores):
        return np.argsort(-scores, kind="stable")
    among = np.flatnonzero(scores >= _least(scores, count))
    return among[np.argsort(-scores[among], kind="stable")[:count]]


def above_zero(scores: Floats, count: int) -> Rows:
    """The same without scores of 0 and less."""
    among = np.flatnonzero(scores > 0)
    return among[highest(scores[among], count)]


def _least(scores: Floats, count: int) -> float:
    """The lowest of the ``count`` highest scores."""
    if not count:
        return np.inf
    some = scores[::_SAMPLE]
    rank = 2 * (count // _SAMPLE + 4)
    if rank < len(some):  # most scores are told to be low by one comparison
        likely = scores[scores >= np.partition(some, len(some) - rank)[len(some) - rank]]
        scores = likely if len(likely) >= count else scores
    return float(np.partition(scores, len(scores) - count)[len(scores) - count])


@dataclass(frozen=True)
class Columns:
    """One space of the store as parallel arrays, one element a version of a record.

    ``rows`` (N,) ascending is the position in the log. Times are float64 with +-inf for unknown.
    ``kind``, ``run``, ``agent`` and ``speaker`` index ``names``, -1 for none; ``state`` is the
    position in ``State``. Rows with one ``group`` rest on one raw record. ``replaced`` marks what
    a newer record superseded. ``length`` counts words, ``content`` distinct words that are not mere
    grammar; both are 0 for rows that are not searched by wording. ``asks`` marks turns that end in
    a question. ``vectors`` (N, D) are unit rows, zero where not ``embedded``. ``newest`` and
    ``former`` say where the versions of a record stand; they may know of rows that came later.
    ``memo`` holds what follows from the columns alone and would be made again by every search.
    """

    rows: Rows
    ids: NDArray[np.object_]
    state: NDArray[np.int8]
    kind: NDArray[np.int32]
    run: NDArray[np.int32]
    agent: NDArray[np.int32]
    speaker: NDArray[np.int32]
    event: NDArray[np.float64]
    valid_from: NDArray[np.float64]
    valid_to: NDArray[np.float64]
    known_from: NDArray[np.float64]
    known_to: NDArray[np.float64]
    expires: NDArray[np.float64]
    group: NDArray[np.int64]
    replaced: Mask
    length: NDArray[np.float32]
    content: NDArray[np.float32]
    asks: Mask
    vectors: Floats
    embedded: Mask
    names: tuple[str, ...]
    newest: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)
    former: Mapping[str, Sequence[int]] = field(default_factory=dict, compare=False, repr=False)
    memo: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def said_by(self, people: Sequence[str]) -> Mask:
        """(N,) rows of these speakers."""
        mine: Mask = np.zeros(len(self.rows), dtype=bool)
        for person in people:
            if person in self.names:
                mine |= self.speaker == self.names.index(person)
        return mine

    @cached_property
    def turns(self) -> Turns:
        """The searchable rows in the order in which they were said."""
        return in_order(self.run, self.event, self.length, ~self.of_kind("raw"))

    def of_kind(self, *kinds: str) -> Mask:
        """(N,) rows of these kinds."""
        codes = [self.names.index(kind) for kind in kinds if kind in self.names]
        if len(codes) == 1:
            return self.kind == codes[0]
        return np.isin(self.kind, codes)

    def take(self, rows: Rows) -> "Columns":
        """Some rows, ascending. What is common to all of them stays that of all of these."""
        return _Some(self, rows)

    def versions(self, record_id: str) -> Rows:
        """The rows of a record, oldest first."""
        known = [*self.former.get(record_id, ()), self.newest.get(record_id, len(self.rows))]
        rows = np.array(known, dtype=np.int64)
        return rows[rows < len(self.rows)]

    def remembered(self, key: str, make: Callable[[], Made]) -> Made:
        """What is kept in ``memo`` under a key, made at the first call."""
        if key not in self.memo:
            self.memo[key] = make()
        found: Made = self.memo[key]
        return found

    @cached_property
    def mean(self) -> Floats:
        """(D,) mean of the vectors: what all texts of the space have in common.

        Drawn towards zero while there are few, which have nothing in common yet.
        """
        total: Floats = self.vectors.sum(axis=0, dtype=np.float32)
        return total / np.float32(10 + self.embedded.sum())

    @cached_property
    def spread(self) -> Floats:
        """(N,) distance of each vector from the mean; never 0."""
        squared = 1 - 2 * (self.vectors @ self.mean) + self.mean @ self.mean
        return np.sqrt(np.maximum(squared, 1e-6)).astype(np.float32)


class _Some(Columns):
    """Some rows of other columns; each array is taken when it is first looked at."""

    def __init__(self, whole: Columns, rows: Rows) -> None:
        self.__dict__.update(
            _whole=whole, _rows=rows, names=whole.names, memo={}, mean=whole.mean,
            turns=whole.turns.take(rows),
        )  # fmt: skip

    def __getattr__(self, name: str) -> Any:
        """Take an array of the rows."""
        if name.startswith("_"):
            raise AttributeError(name)
        taken = self.__dict__[name] = getattr(self._whole, name)[self._rows]
        return taken

    def versions(self, record_id: str) -> Rows:
        """The rows of a record among these, oldest first."""
        found = self._whole.versions(record_id)
        places = np.searchsorted(self._rows, found).clip(max=max(0, len(self._rows) - 1))
        return places[self._rows[places] == found] if len(self._rows) else found[:0]

    @cached_property
    def spread(self) -> Floats:
        """(N,) distance of each vector from the mean of all; never 0."""
        whole: Columns = self._whole
        return whole.spread[self._rows]
