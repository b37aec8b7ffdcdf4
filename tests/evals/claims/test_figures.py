"""What the claims measure with."""

import pytest

from engram.evals.claims.figures import spearman


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([1, 2, 3], [10, 20, 900], 1.0),
        ([1, 2, 3], [3, 2, 1], -1.0),
        ([1, 2, 3, 4], [1, 3, 2, 4], 0.8),
        ([1, 1, 2, 2], [1, 2, 1, 2], 0.0),
        ([0, 0, 5], [1, 2, 3], 0.8660254),
    ],
)
def test_the_rank_correlation_is_that_of_the_ranks(
    one: list[float], other: list[float], expected: float
) -> None:
    """Equals share the mean of their ranks; distances do not matter."""
    assert spearman(one, other) == pytest.approx(expected)
