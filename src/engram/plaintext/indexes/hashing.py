"""Buckets: only rows whose vectors fall into the same buckets as the query's are compared with it.

Source: Liu et al. 2023, Think-in-Memory, arXiv:2311.08719, section 3.2: F(x) = argmax([xR; -xR]), R
    Gaussian; the cross-polytope hash of Andoni et al. 2015, arXiv:1509.02897.
Differs: several tables and probes, for one table loses two of five neighbours at a cosine of 0.9;
    vectors are hashed around their mean; a space of few rows is searched in full. The table is
    derived from the columns, so that nothing has to be inserted or removed.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from engram.plaintext.roles import Floats, Route, Rows, View

Buckets = NDArray[np.int64]


def rotations(dimension: int, buckets: int, tables: int, seed: int) -> Floats:
    """(tables, D, buckets / 2) Gaussian matrices; the same seed draws the same."""
    dice = np.random.default_rng(seed)
    return dice.standard_normal((tables, dimension, buckets // 2), dtype=np.float32)


def hashed(vectors: Floats, matrices: Floats) -> Buckets:
    """(tables, N) the bucket of each vector: the axis, or its opposite, that it lies nearest to."""
    turned = np.tensordot(vectors, matrices, axes=(1, 1))  # (N, tables, buckets / 2)
    return np.argmax(np.concatenate([turned, -turned], axis=2), axis=2).T


def probed(vector: Floats, matrices: Floats, probes: int) -> Buckets:
    """(tables, probes) the buckets that a vector lies nearest to, the nearest first."""
    turned = np.einsum("d,tdb->tb", vector, matrices)
    return np.argsort(-np.concatenate([turned, -turned], axis=1), axis=1, kind="stable")[:, :probes]


@dataclass(frozen=True, slots=True)
class Hashing:
    """Cosine around the mean, of the rows that share a bucket with the query.

    Attributes:
        buckets: of a table; even.
        tables: of buckets, each hashed in its own way.
        probes: buckets of each table that are looked into.
        exact: rows up to which all are compared, which is quicker.
        seed: of the hashes.
    """

    relative: ClassVar[bool] = True
    buckets: int = 16
    tables: int = 8
    probes: int = 2
    exact: int = 50_000
    seed: int = 0

    def search(self, route: Route, view: View) -> Floats:
        """Return the cosine of the rows that were compared; 0 for all others."""
        columns, live = view.columns, view.live & view.columns.embedded
        scores: Floats = np.zeros(len(live), dtype=np.float32)
        if route.vector is None or not live.any():
            return scores
        around = route.vector - columns.mean
        around /= max(float(np.linalg.norm(around)), 1e-9)
        few = int(live.sum()) <= self.exact
        rows = np.flatnonzero(live) if few else self._near(around, live, view)
        alike = columns.vectors[rows] @ around - columns.mean @ around
        scores[rows] = alike / columns.spread[rows]
        return scores

    def _near(self, around: Floats, live: NDArray[np.bool_], view: View) -> Rows:
        """The rows in the buckets that the query falls into."""
        columns = view.columns
        matrices = rotations(len(around), self.buckets, self.tables, self.seed)
        held = columns.remembered(
            f"buckets {self}", lambda: hashed(columns.vectors - columns.mean, matrices)
        )
        near = np.zeros(len(live), dtype=bool)
        for table, wanted in zip(held, probed(around, matrices, self.probes), strict=True):
            near |= np.isin(table, wanted)
        return np.flatnonzero(near & live)
