"""Balanced clusters, of clusters, of clusters; each of the smallest is headed by a real vector.

Source: Chen et al. 2021, "SPANN", NeurIPS 2021, arXiv:2111.08566, section 3.2.1; the numbers are
    those of its repository.
"""

from collections.abc import Callable, Generator, Iterator

import numpy as np
from numpy.typing import NDArray

from engram.vectors.exact import Floats, Rows

Gather = Callable[[Rows], Floats]
Labels = NDArray[np.intp]
WAYS = 32
"""Clusters that one splits into."""

SAMPLES = 32
"""Vectors for each cluster that its centre is learned from."""

_ROUNDS = 7
_LAMBDAS = (0.0, 0.01, 0.02, 0.05, 0.1)
_SPARE = 1.5  # of the size that was asked for, what a cluster may have before it is split again
_ONCE = 8192  # vectors that are in memory at once where there are many


def distances(vectors: Floats, centres: Floats) -> Floats:
    """(N, K) squared distances, at least 0."""
    found: Floats = vectors @ centres.T
    found *= -2
    found += np.einsum("nd,nd->n", vectors, vectors)[:, None]
    found += np.einsum("kd,kd->k", centres, centres)
    return np.maximum(found, 0, out=found)


def k_means(vectors: Floats, ways: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Centres of about equally many vectors, and what each adds to the distances from it.

    A vector goes where the distance plus lambda times the count is least, the count being that
    without it. Lambda is the one that leaves the counts most equal.
    """
    centres = vectors[rng.choice(len(vectors), ways, replace=False)]
    extra: Floats = np.zeros(ways, np.float32)
    for turn in range(_ROUNDS):
        away = distances(vectors, centres)
        if turn in (_ROUNDS // 2, _ROUNDS - 1):
            extra = _most_equal(away)
        if turn == _ROUNDS - 1:
            break
        labels = (away + extra).argmin(axis=1)
        sums, counts = _sums(vectors, labels, ways)
        kept = counts > 0
        centres = sums / np.maximum(counts, 1).astype(np.float32)[:, None]
        if not kept.all():  # an empty one starts again at what is farthest from its own centre
            own = away[np.arange(len(vectors)), labels]
            centres[~kept] = vectors[np.argsort(-own, kind="stable")[: (~kept).sum()]]
    return centres, extra


def _most_equal(away: Floats) -> Floats:
    ways = away.shape[1]
    lowest = away.min(axis=1)
    over = np.bincount(away.argmin(axis=1), minlength=ways) * np.float32(ways / len(away)) - 1
    scale = np.float32(np.sqrt(np.mean(lowest * lowest)))
    tried: list[Floats] = [np.float32(each) * scale * over.astype(np.float32) for each in _LAMBDAS]
    spread = [np.bincount((away + t).argmin(axis=1), minlength=ways).std() for t in tried]
    return tried[int(np.argmin(spread))]


def _sums(vectors: Floats, labels: Labels, ways: int) -> tuple[Floats, Rows]:
    """(K, D) sums of the vectors of each label, and how many these are."""
    members = np.zeros((ways, len(vectors)), np.float32)
    members[labels, np.arange(len(vectors))] = 1
    return members @ vectors, np.bincount(labels, minlength=ways)


def leaves(
    numbers: Rows, gather: Gather, size: float, rng: np.random.Generator
) -> Iterator[tuple[Rows, int] | None]:
    """The smallest clusters, neighbours one after the other, each with the vector that heads it.

    Now and then None, so that the caller can stop for a while. A cluster is split until it has
    about ``size`` vectors, half as many more at most; vectors at one point stay together.

    Args:
        numbers: of the vectors.
        gather: gives the vectors of some numbers.
        size: vectors of a cluster.
        rng: draws what centres are learned from.
    """
    waiting = [numbers]
    while waiting:
        group = waiting.pop()
        if len(group) <= _SPARE * size:
            if len(group):
                yield group, headed(group, gather(group))
            continue
        ways = _ways(len(group) / size)
        labels = yield from _split(group, gather, ways, rng)
        parts = [group[labels == at] for at in range(ways)]
        if max(map(len, parts)) == len(group):
            yield group, int(group[0])
        else:
            waiting += reversed(parts)
        yield None


def _ways(parts: float) -> int:
    """Into how many to split what shall end in so many parts, in steps of one size."""
    steps = max(1, int(np.ceil(np.log(parts) / np.log(WAYS))))
    return min(WAYS, max(2, round(parts ** (1 / steps))))


def _split(
    group: Rows, gather: Gather, ways: int, rng: np.random.Generator
) -> Generator[None, None, Labels]:
    """Label each vector of a group."""
    drawn = group
    if len(group) > WAYS * SAMPLES:
        drawn = np.sort(rng.choice(group, WAYS * SAMPLES, replace=False))
    sample = gather(drawn)
    if not np.ptp(sample, axis=0).any() and drawn is group:
        return np.zeros(len(group), np.intp)
    centres, extra = k_means(sample, ways, rng)
    labels = np.empty(len(group), np.intp)
    for at in range(0, len(group), _ONCE):
        part = sample if drawn is group else gather(group[at : at + _ONCE])
        labels[at : at + _ONCE] = (distances(part, centres) + extra).argmin(axis=1)
        if len(group) > _ONCE:
            yield None
    return labels


def headed(group: Rows, vectors: Floats) -> int:
    """The one of a group that is nearest to its centre."""
    centre = vectors.mean(axis=0, keepdims=True)
    return int(group[distances(vectors, centre)[:, 0].argmin()])
