"""The heads in memory, and how the nearest of them are found: cells of heads, read cell by cell.

Of heads in many cells the codes are compared first, and only of the best the vectors.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engram.vectors.exact import BLOCK, Floats, Rows, best
from engram.vectors.spann.clustering import distances, k_means
from engram.vectors.spann.codes import Records, Rounded, encode, numbers_of, rotated

_FEW = 512  # heads that need no cells
_LEAST = 2048
"""Heads that are looked at, or all; beyond that a share of them, in whole cells, up to a limit."""

_PART, _MOST = 4, 12_288
_KEPT = 3  # vectors of heads that are read for each that is asked for, after the codes
_ONCE = 4096


@dataclass(frozen=True)
class Heads:
    """Heads in the order of their cells.

    Attributes:
        vectors: (H, D).
        centres: (C, D) of the cells.
        cells: (C + 1,) where each begins.
        stored: the codes, where they were made before.
    """

    vectors: Floats
    centres: Floats
    cells: Rows
    stored: Records | None = None

    @cached_property
    def codes(self) -> Records:
        """(H, words) of the heads under the centres of their cells."""
        if self.stored is not None:
            return self.stored
        under = np.repeat(rotated(self.centres), np.diff(self.cells), axis=0)
        return encode(rotated(self.vectors), under, np.arange(len(self.vectors), dtype=np.uint32))

    @cached_property
    def _squares(self) -> Floats:
        found: Floats = np.einsum("hd,hd->h", self.vectors, self.vectors)
        return found

    @cached_property
    def _centre_squares(self) -> Floats:
        found: Floats = np.einsum("hd,hd->h", self.centres, self.centres)
        return found

    def nearest(
        self, query: Floats, count: int, rounded: Rounded | None = None
    ) -> tuple[Rows, Floats, Floats]:
        """The heads nearest to a query, nearest first, their squared distances and products."""
        total = len(self.vectors)
        if total <= max(_LEAST, count):
            at = np.arange(total)
            inner = _in_blocks(self.vectors, query)
        else:
            at = self._promising(query, count, rounded or Rounded.of(query))
            inner = self.vectors[at] @ query
        away = self._squares[at] + np.float32(query @ query) - 2 * inner
        order = best(-away, count)
        return at[order], np.maximum(away[order], 0), inner[order]

    def _promising(self, query: Floats, count: int, rounded: Rounded) -> Rows:
        """Some heads of the cells nearest to a query: those with the best codes."""
        wanted = max(_LEAST, min(len(self.vectors) // _PART, _MOST), 2 * _KEPT * count)
        inner = _in_blocks(self.centres, query)
        sizes = np.diff(self.cells)
        near = np.argsort(self._centre_squares - 2 * inner, kind="stable")
        near = np.sort(near[: int(np.searchsorted(np.cumsum(sizes[near]), wanted)) + 1])
        bounds = zip(self.cells[near].tolist(), self.cells[near + 1].tolist(), strict=True)
        records = np.concatenate([self.codes[start:stop] for start, stop in bounds])
        about = rounded.estimate(records, np.repeat(inner[near], sizes[near]))
        keep = min(len(about), _KEPT * count + 64)
        chosen = np.argpartition(about, len(about) - keep)[len(about) - keep :]
        return numbers_of(records)[chosen].astype(np.int64)

    def around(self, cell: int, least: int) -> Rows:
        """Heads of the cells around one, its own among them, at least so many if there are."""
        order = self._around[cell]
        sizes = np.cumsum(np.diff(self.cells)[order])
        near = order[: int(np.searchsorted(sizes, least)) + 1]
        found: Rows = np.concatenate([np.arange(*self.cells[c : c + 2]) for c in np.sort(near)])
        return found

    @cached_property
    def _around(self) -> Rows:
        found: Rows = np.argsort(distances(self.centres, self.centres), axis=1, kind="stable")
        return found

    def cell_of(self, vectors: Floats) -> Rows:
        """(N,) the nearest cell of each vector."""
        found: Rows = distances(vectors, self.centres).argmin(axis=1)
        return found


def _in_blocks(vectors: Floats, query: Floats) -> Floats:
    parts = [vectors[at : at + BLOCK] @ query for at in range(0, len(vectors), BLOCK)]
    found: Floats = np.concatenate([np.zeros(0, np.float32), *parts])
    return found


def arranged(
    vectors: Floats, rng: np.random.Generator, centres: Floats | None = None
) -> tuple[Heads, Rows]:
    """Put heads into cells; the second is which of the vectors came where.

    Args:
        vectors: the heads.
        rng: draws what centres are learned from.
        centres: of cells as they were before; learned anew where they are too few by now.
    """
    count = len(vectors)
    ways = round(2 * np.sqrt(count)) if count > _FEW else 1
    if centres is None or not ways / 2 < len(centres) < 2 * ways:
        centres = _learned(vectors, ways, rng)
    labels = np.zeros(count, np.int64)
    for at in range(0, count, _ONCE):
        labels[at : at + _ONCE] = distances(vectors[at : at + _ONCE], centres).argmin(axis=1)
    present, counts = np.unique(labels, return_counts=True)
    order = np.argsort(labels, kind="stable")
    cells = np.concatenate([[0], np.cumsum(counts)])
    return Heads(vectors[order], centres[present], cells), order


def _learned(vectors: Floats, ways: int, rng: np.random.Generator) -> Floats:
    if ways == 1:
        return vectors.mean(axis=0, keepdims=True) if len(vectors) else vectors[:0]
    drawn = rng.choice(len(vectors), min(len(vectors), 16 * ways), replace=False)
    return k_means(vectors[np.sort(drawn)], ways, rng)[0]
