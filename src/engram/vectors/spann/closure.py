"""Which heads a vector is listed under: its nearest, and others that lie in other directions.

Source: Chen et al. 2021, "SPANN", NeurIPS 2021, arXiv:2111.08566, section 3.2.1 and equation 2.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engram.vectors.exact import Floats, Mask
from engram.vectors.spann.clustering import distances
from engram.vectors.spann.settings import CANDIDATES, Spann

Numbers = NDArray[np.int64]
_FAR = np.float32(np.inf)


class Listed(NamedTuple):
    """Places of vectors in lists, the nearest head of each vector first.

    Attributes:
        vectors: (P,) which of the vectors.
        heads: (P,) which of the heads.
        away: (P,) squared distance of the two.
        first: (P,) whether the head is the nearest.
    """

    vectors: Numbers
    heads: Numbers
    away: Floats
    first: Mask


def closure(vectors: Floats, heads: Floats, settings: Spann) -> Listed:
    """List each vector under its nearest head and those that the rule accepts.

    A head is accepted, in the order of distance, when no head that was accepted before is nearer to
    it than the vector is, times ``rng``, and when it is at most ``1 + eps1`` times as far as the
    nearest. Distances are squared here, and so is that factor.
    """
    away = distances(vectors, heads)
    nearest, order = _nearest(away, settings.eps1)
    used, flat = np.unique(order, return_inverse=True)
    order = flat.reshape(nearest.shape)
    between = distances(heads[used], heads[used])
    replicas = min(settings.replicas, nearest.shape[1])
    taken = np.zeros((len(vectors), replicas), np.int64)
    count = np.zeros(len(vectors), np.int64)
    slots = np.arange(replicas)
    for at in range(nearest.shape[1]):
        head, far = order[:, at], nearest[:, at]
        hidden = settings.rng * between[head[:, None], taken] < far[:, None]
        hidden &= slots < count[:, None]
        accepted = np.flatnonzero((far < _FAR) & (count < replicas) & ~hidden.any(axis=1))
        taken[accepted, count[accepted]] = head[accepted]
        count[accepted] += 1
    which, place = np.nonzero(slots < count[:, None])
    chosen = used[taken[which, place]]
    return Listed(which, chosen, away[which, chosen], place == 0)


def _nearest(away: Floats, eps1: float) -> tuple[Floats, Numbers]:
    """(N, K) distances of the candidates in order, infinite behind the last; and which they are."""
    count = min(CANDIDATES, away.shape[1])
    within = np.float32((1 + eps1) ** 2) * away.min(axis=1, initial=_FAR) + np.float32(1e-6)
    which, heads = np.nonzero(away <= within[:, None])
    order = np.lexsort((heads, away[which, heads], which))
    which, heads = which[order], heads[order]
    starts = np.searchsorted(which, np.arange(len(away)))
    place = np.arange(len(which)) - starts[which]
    kept = place < count
    which, heads, place = which[kept], heads[kept], place[kept]
    width = int(place.max(initial=0)) + 1
    nearest = np.full((len(away), width), _FAR, np.float32)
    found = np.zeros((len(away), width), np.int64)
    nearest[which, place], found[which, place] = away[which, heads], heads
    return nearest, found
