"""A measured figure beside the published one, and what several claims measure with."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray


class Figure(TypedDict):
    """What was measured, what the paper or the card of the method says, and whether it holds."""

    what: str
    published: str
    measured: float | str
    ok: bool


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Correlation of the ranks of two lists of one length; equals share their rank."""
    ranks = np.stack([_ranks(one), _ranks(other)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    along, across = float(ranks[0] @ ranks[1]), np.linalg.norm(ranks, axis=1)
    return along / float(across[0] * across[1])


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = np.cumsum(counts) - (counts - 1) / 2
    return ranks[which]
