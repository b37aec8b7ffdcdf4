"""Clusters of about one size, down to the smallest, each headed by one of its own."""

from collections.abc import Callable

import numpy as np
import pytest

from engram.vectors.exact import Floats
from engram.vectors.spann.clustering import distances, k_means, leaves


@pytest.mark.parametrize(("count", "size"), [(0, 8), (1, 8), (3, 8), (63, 8), (2000, 25)])
def test_every_vector_is_in_one_cluster_and_its_head_in_it(
    mixture: Callable[..., Floats], count: int, size: int
) -> None:
    """And none has more than half as many again as were asked for."""
    vectors = mixture(count)
    found = leaves(np.arange(count), lambda some: vectors[some], size, np.random.default_rng(0))

    groups = [leaf for leaf in found if leaf is not None]

    everything = np.concatenate([np.zeros(0, int), *(group for group, _ in groups)])
    assert np.array_equal(np.sort(everything), np.arange(count))
    assert all(head in group and len(group) <= 1.5 * size for group, head in groups)


def test_the_head_is_the_vector_nearest_to_the_centre(mixture: Callable[..., Floats]) -> None:
    """As a loop over the cluster finds it."""
    vectors = mixture(400)
    found = leaves(np.arange(400), lambda some: vectors[some], 40, np.random.default_rng(0))

    for group, head in (leaf for leaf in found if leaf is not None):
        centre = vectors[group].mean(axis=0)
        away = {number: float(np.linalg.norm(vectors[number] - centre)) for number in group}
        assert away[head] == pytest.approx(min(away.values()), abs=1e-5)


def test_lambda_makes_counts_more_equal(mixture: Callable[..., Floats]) -> None:
    """Of data where most vectors are around few centres."""
    vectors = np.concatenate([mixture(900, centres=2), mixture(100, centres=30)])
    centres, extra = k_means(vectors, 16, np.random.default_rng(0))
    away = distances(vectors, centres)

    plain = np.bincount(away.argmin(axis=1), minlength=16)
    balanced = np.bincount((away + extra).argmin(axis=1), minlength=16)

    assert balanced.std() <= plain.std()


def test_vectors_at_one_point_stay_one_cluster(mixture: Callable[..., Floats]) -> None:
    """However many they are; those around them are split as ever."""
    vectors = mixture(500)
    vectors[:200] = vectors[0]
    found = leaves(np.arange(500), lambda some: vectors[some], 20, np.random.default_rng(0))

    groups = [group for group, _ in (leaf for leaf in found if leaf is not None)]

    large = [group for group in groups if len(group) > 30]
    assert len(large) == 1
    assert np.isin(np.arange(200), large[0]).all()
