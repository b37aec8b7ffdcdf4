"""Branches: how vectors are parted, and what has to change together."""

from collections.abc import Sequence

import numpy as np
import pytest

from engram.plaintext.text.branches import middlemost, parted, regrouped


def blobs(sizes: Sequence[int], seed: int = 1) -> np.ndarray:
    """Unit vectors around as many axes."""
    rng = np.random.default_rng(seed)
    rows = np.concatenate([np.tile(np.eye(len(sizes))[at], (n, 1)) for at, n in enumerate(sizes)])
    rows = rows + rng.normal(0, 0.02, rows.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("count", [0, 1, 3, 63])
@pytest.mark.parametrize("most", [1, 2, 20])
def test_every_vector_is_in_one_part_and_no_part_is_large(count: int, most: int) -> None:
    """Random ones, which nothing tells apart."""
    vectors = np.random.default_rng(count).normal(size=(count, 5)).astype(np.float32)

    parts = parted(vectors, most)

    assert sorted(np.concatenate([*parts, np.zeros(0, dtype=np.int64)]).tolist()) == [*range(count)]
    assert all(1 <= len(part) <= most for part in parts)


def test_equal_vectors_are_parted_in_the_middle() -> None:
    """Nothing tells them apart, and zeros have no direction."""
    for vectors in (np.ones((9, 3), dtype=np.float32), np.zeros((9, 3), dtype=np.float32)):
        assert sorted(map(len, parted(vectors, 5))) == [4, 5]


def test_far_groups_are_not_mixed() -> None:
    """The parts of two groups are those groups, in any order of the rows."""
    vectors = blobs([7, 6])
    order = np.random.default_rng(4).permutation(13)

    parts = parted(vectors[order], 8)

    assert sorted(sorted(order[part].tolist()) for part in parts) == [[*range(7)], [*range(7, 13)]]


def test_what_shares_a_leaf_changes_together() -> None:
    """Directly or through another; what shares nothing is alone."""
    new = [{"a", "b"}, {"c"}, {"x"}]
    old = [{"a", "c"}, {"y"}, {"x"}]

    found = [(change.new, change.old) for change in regrouped(new, old)]

    assert found == [([0, 1], [0]), ([2], [2]), ([], [1])]


def test_nothing_to_regroup_is_nothing() -> None:
    """New groups alone need no old ones."""
    assert [*regrouped([], [])] == []
    assert [(c.new, c.old) for c in regrouped([{1}, {2}], [])] == [([0], []), ([1], [])]


def test_the_middlemost_are_nearest_to_the_middle() -> None:
    """In their order; all where there are no more."""
    vectors = np.array([[0, 1], [1, 0], [1, 0.1], [1, -0.1]], dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    assert middlemost(vectors, 2) == [1, 2]
    assert middlemost(vectors, 9) == [0, 1, 2, 3]
