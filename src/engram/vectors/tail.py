"""The newest vectors, in memory as float32: those that are in no list yet."""

import numpy as np

from engram.vectors.exact import Floats, Mask, Rows


class Tail:
    """Vectors in the order of the log. What was handed out stays as it was."""

    def __init__(self, dimension: int) -> None:
        self._room = np.zeros((0, dimension), np.float32)
        self.rows: Rows = np.zeros(0, np.int64)
        self.gone: Mask = np.zeros(0, bool)

    @property
    def vectors(self) -> Floats:
        """(T, D)."""
        return self._room[: len(self.rows)]

    def extend(self, rows: Rows, vectors: Floats) -> None:
        """Append."""
        had, has = len(self.rows), len(self.rows) + len(rows)
        if has > len(self._room):
            room = np.zeros((max(has, 3 * len(self._room) // 2, 64), vectors.shape[1]), np.float32)
            room[:had] = self.vectors
            self._room = room
        self._room[had:has] = vectors
        self.rows = np.concatenate([self.rows, rows])
        self.gone = np.concatenate([self.gone, np.zeros(len(rows), bool)])

    def remove(self, places: Rows) -> None:
        """Mark some as gone."""
        self.gone = self.gone.copy()
        self.gone[places] = True

    def keep(self, kept: Mask) -> None:
        """Forget the others, and the memory that they took."""
        self._room = self.vectors[kept]
        self.rows, self.gone = self.rows[kept], self.gone[kept]

    def bytes(self) -> int:
        """Memory taken."""
        return self._room.nbytes + self.rows.nbytes + self.gone.nbytes
