"""Lists in the making: which heads there are, and what is put under them beyond what is on disk.

Source: Xu et al. 2023, "SPFresh: Incremental In-Place Update for Billion-Scale Vector Search",
    SOSP 2023, arXiv:2410.14452, section 4.
"""

from collections.abc import Iterator

import numpy as np

from engram.vectors.exact import Floats, Mask, Rows
from engram.vectors.pieces import Pieces
from engram.vectors.spann.closure import Listed, closure
from engram.vectors.spann.heads import arranged
from engram.vectors.spann.settings import Spann

AROUND = 1024
"""Heads among which those of a vector are looked for: the cells around its own."""

_ONCE = 4096


class Lists:
    """Heads, each known by its place in the order in which they came, and what is put under them.

    Attributes:
        heads: of the living, in cells.
        order: which head is where in ``heads``.
        vectors: (H, D) every head that ever was here.
        rows: (H,) the row of each.
        origin: (H,) its place in the file before; -1 for one that was not there.
        alive: (H,) whether it still is one.
        entries: what is put under the heads; replaced as a whole.
    """

    def __init__(self, pieces: Pieces, settings: Spann, rng: np.random.Generator) -> None:
        self._pieces = pieces
        self._settings = settings
        self._rng = rng
        self.vectors: Floats = np.zeros((0, pieces.dimension), np.float32)
        self.rows: Rows = np.zeros(0, np.int64)
        self.origin: Rows = np.zeros(0, np.int64)
        self.alive: Mask = np.zeros(0, bool)
        nothing = np.zeros(0, np.int64)
        self.entries = Listed(nothing, nothing, nothing.astype(np.float32), nothing > 0)
        self.heads, self.order = arranged(self.vectors, rng)

    def add_heads(self, vectors: Floats, rows: Rows, origin: Rows | None = None) -> None:
        """Add heads; ``arrange`` makes them findable."""
        unknown = np.full(len(rows), -1) if origin is None else origin
        self.vectors = np.concatenate([self.vectors, vectors])
        self.rows = np.concatenate([self.rows, rows])
        self.origin = np.concatenate([self.origin, unknown])
        self.alive = np.concatenate([self.alive, np.ones(len(rows), bool)])

    def arrange(self, centres: Floats | None = None) -> None:
        """Put the living heads into cells."""
        alive = np.flatnonzero(self.alive)
        known = self.heads.centres if centres is None else centres
        self.heads, order = arranged(self.vectors[alive], self._rng, known if len(known) else None)
        self.order = alive[order]

    def put(self, numbers: Rows) -> Iterator[None]:
        """List vectors under the living heads."""
        cells = np.zeros(len(numbers), np.int64)
        for at in range(0, len(numbers), _ONCE):
            cells[at : at + _ONCE] = self.heads.cell_of(
                self._pieces.gather(numbers[at : at + _ONCE])
            )
            yield None
        numbers = numbers[np.argsort(cells, kind="stable")]
        bounds = np.concatenate([[0], np.cumsum(np.bincount(cells))])
        found = [self.entries]
        for cell in np.flatnonzero(np.diff(bounds)).tolist():
            near = self.heads.around(cell, AROUND)
            for at in range(bounds[cell], bounds[cell + 1], _ONCE):
                some = numbers[at : min(at + _ONCE, bounds[cell + 1])]
                found.append(self._closed(some, near))
            yield None
        self.entries = Listed(
            vectors=np.concatenate([each.vectors for each in found]),
            heads=np.concatenate([each.heads for each in found]),
            away=np.concatenate([each.away for each in found]),
            first=np.concatenate([each.first for each in found]),
        )

    def _closed(self, numbers: Rows, near: Rows) -> Listed:
        vectors = self._pieces.gather(numbers)
        listed = closure(vectors, self.heads.vectors[near], self._settings)
        heads = self.order[near[listed.heads]]
        return Listed(numbers[listed.vectors], heads, listed.away, listed.first)

    def keep(self, entries: Mask) -> None:
        """Leave out all other entries."""
        vectors, heads, away, first = self.entries
        self.entries = Listed(vectors[entries], heads[entries], away[entries], first[entries])
