"""Walks over a graph: how often a walker who often starts again comes by each node."""

import numpy as np

from engram.plaintext.roles import Floats, Rows

_ENOUGH = 1e-8  # change of all shares together
_STEPS = 1_000


def pagerank(
    edges: tuple[Rows, Rows],
    restart: Floats,
    follow: float,
    weights: Floats | None = None,
) -> Floats:
    """Personalised PageRank.

    Args:
        edges: (E,) numbers of nodes, from and to; an undirected edge stands there both ways.
        restart: (N,) at least 0; how likely a walk is to begin at each node. All zero is no walk.
        follow: chance to go on along an edge instead of beginning again; 0 to 1, less than 1.
        weights: (E,) above 0; how likely each edge of a node is to be taken. None is all alike.

    Returns:
        (N,) shares of the walk, which sum to 1; zeros for no walk. A node without edges sends the
        walker back to the beginning.
    """
    begin = np.asarray(restart, dtype=np.float64)
    total = begin.sum()
    if total <= 0:
        return np.zeros(len(begin), dtype=np.float32)
    begin = begin / total
    out, into = edges
    weight = np.ones(len(out)) if weights is None else np.asarray(weights, dtype=np.float64)
    degree = np.bincount(out, weights=weight, minlength=len(begin))
    step = weight / degree[out]
    stuck = degree == 0
    share = begin
    for _ in range(_STEPS):
        moved = np.bincount(into, weights=share[out] * step, minlength=len(begin))
        after = (1 - follow + follow * share[stuck].sum()) * begin + follow * moved
        change = np.abs(after - share).sum()
        share = after
        if change < _ENOUGH:
            break
    return share.astype(np.float32)
