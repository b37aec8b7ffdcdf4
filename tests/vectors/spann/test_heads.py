"""The nearest heads, found through cells."""

from collections.abc import Callable

import numpy as np
import pytest

from engram.vectors.exact import Floats
from engram.vectors.spann.heads import arranged


@pytest.mark.parametrize("count", [0, 1, 3, 63, 600])
def test_of_few_heads_the_nearest_are_found_exactly(
    mixture: Callable[..., Floats], count: int
) -> None:
    """With their squared distances and inner products, nearest first."""
    vectors, query = mixture(count), mixture(1, seed=4)[0]
    heads, order = arranged(vectors, np.random.default_rng(0))

    found, away, inner = heads.nearest(query, 10)

    true = ((vectors - query) ** 2).sum(axis=1)
    assert away == pytest.approx(np.sort(true)[:10], abs=1e-5)
    assert inner == pytest.approx(vectors[order[found]] @ query, abs=1e-6)


def test_of_many_heads_nearly_all_nearest_are_found(mixture: Callable[..., Floats]) -> None:
    """Looking at a part of them, by their codes first."""
    vectors, queries = mixture(9000, 64, centres=300), mixture(40, 64, centres=300, seed=4)
    heads, order = arranged(vectors, np.random.default_rng(0))

    shares = [
        np.isin(order[heads.nearest(query, 32)[0]], np.argsort(-(vectors @ query))[:32]).mean()
        for query in queries
    ]

    assert np.mean(shares) > 0.9


def test_cells_hold_each_head_once_and_keep_their_centres(mixture: Callable[..., Floats]) -> None:
    """Centres are learned anew only when the heads have become many more."""
    rng = np.random.default_rng(0)
    first, order = arranged(mixture(2000), rng)

    second, _ = arranged(mixture(2400), rng, first.centres)
    third, _ = arranged(mixture(12_000), rng, first.centres)

    assert np.array_equal(np.sort(order), np.arange(2000))
    assert first.cells[-1] == 2000
    assert np.isin(second.centres[:, 0], first.centres[:, 0]).all()
    assert len(third.centres) > 1.5 * len(first.centres)
