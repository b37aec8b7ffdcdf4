"""Personalised PageRank: equal to solving its equation, for any graph and any beginning."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.plaintext.roles import Floats, Rows
from engram.plaintext.text.graphs import pagerank

PATH = (np.array([0, 1, 1, 2]), np.array([1, 0, 2, 1]))  # a - b - c, both ways
NOWHERE = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))

nodes = st.integers(0, 5)
graphs = st.lists(st.tuples(nodes, nodes, st.sampled_from((0.5, 1.0, 3.0))), max_size=15)
beginnings = st.lists(st.sampled_from((0.0, 0.1, 1.0, 7.0)), min_size=6, max_size=6)


def floats(*values: float) -> Floats:
    """An array of them."""
    return np.array(values, dtype=np.float32)


def solved(edges: tuple[Rows, Rows], begin: Floats, follow: float, weights: Floats) -> Floats:
    """The same by linear algebra: who has no edge sends the walker back."""
    size = len(begin)
    restart = np.array(begin, dtype=np.float64) / begin.sum()
    step = np.zeros((size, size))
    for out, into, weight in zip(*edges, weights, strict=True):
        step[out, into] += weight
    for row in range(size):
        step[row] = step[row] / step[row].sum() if step[row].any() else restart
    found = np.linalg.solve(np.eye(size) - follow * step.T, (1 - follow) * restart)
    return found.astype(np.float32)


def test_a_walk_along_a_path_is_the_one_of_the_paper() -> None:
    """From a, one step in ten along a - b - c."""
    found = pagerank(PATH, floats(1, 0, 0), 0.1)

    assert found == pytest.approx([0.904545, 0.090909, 0.004545], abs=1e-6)


@given(graphs, beginnings, st.sampled_from((0.0, 0.1, 0.5, 0.85)))
def test_shares_solve_the_equation_of_the_walk(
    graph: list[tuple[int, int, float]], begin: list[float], follow: float
) -> None:
    """With weights, with several edges between two nodes, and with nodes that lead nowhere."""
    edges = (
        np.array([out for out, _, _ in graph], dtype=np.int64),
        np.array([into for _, into, _ in graph], dtype=np.int64),
    )
    weights = floats(*(weight for _, _, weight in graph))
    restart = floats(*begin)

    found = pagerank(edges, restart, follow, weights)

    if restart.any():
        assert found == pytest.approx(solved(edges, restart, follow, weights), abs=1e-5)
    else:
        assert not found.any()


def test_a_walk_that_begins_nowhere_gets_nowhere() -> None:
    """No node has a share, and no graph none to give."""
    assert pagerank(PATH, floats(0, 0, 0), 0.1).tolist() == [0, 0, 0]
    assert pagerank(NOWHERE, floats(), 0.1).tolist() == []


def test_a_node_without_edges_keeps_what_it_begins_with() -> None:
    """As much as if there were no walk."""
    assert pagerank(NOWHERE, floats(3, 1), 0.1) == pytest.approx([0.75, 0.25])
