"""Meaning: rows whose embedding points the way of the query's, their neighbours helping.

Source: Karpukhin et al. 2020, "Dense Passage Retrieval", arXiv:2004.04906, equation 1; removing the
    common direction as in Mu and Viswanath 2018, "All-but-the-Top", arXiv:1702.01417.
Differs: exact; the mean of the space is removed, for everything in one memory has much in common;
    a turn borrows from the turn before and the turn after.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engram.plaintext.columns import highest
from engram.plaintext.roles import Floats, Route, Rows, View


@dataclass(frozen=True, slots=True)
class Dense:
    """Cosine around the mean.

    Attributes:
        before, after: share of the neighbours' similarity that a turn borrows.
    """

    relative: ClassVar[bool] = True
    before: float = 0.25
    after: float = 0.1

    def search(self, route: Route, view: View) -> Floats:
        """Return the rows' cosine and shares of their neighbours'; negative for opposite rows."""
        columns, live = view.columns, view.live & view.columns.embedded
        if route.vector is None or not live.any():
            return np.zeros(len(live), dtype=np.float32)
        around = _around(route.vector, columns.mean)
        similar = view.along(around) - columns.mean @ around
        similar *= live / columns.spread
        slots = columns.turns.spread(similar)
        mixed = slots.copy()
        mixed[1:] += np.float32(self.before) * slots[:-1]
        mixed[:-1] += np.float32(self.after) * slots[1:]
        return columns.turns.gather(mixed, len(live)) * live

    def propose(self, route: Route, view: View, most: int) -> Rows:
        """Return the rows that point most the query's way; neighbours lend nothing."""
        if route.vector is None:
            return np.zeros(0, dtype=np.int64)
        columns = view.columns
        similar = view.along(_around(route.vector, columns.mean))
        rows = np.flatnonzero(view.live & columns.embedded)
        return rows[highest(similar[rows] / columns.spread[rows], most)]


def _around(vector: Floats, mean: Floats) -> Floats:
    """The way from the mean to a vector, of length 1."""
    way = vector - mean
    found: Floats = way / max(float(np.linalg.norm(way)), 1e-9)
    return found
