"""Two Gaussians over scores: equal to expectation maximisation written out, and never stuck."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.plaintext.text.mixtures import upper_group

few = st.lists(st.floats(-1, 1, width=32), max_size=40)


def scores(seed: int, *groups: tuple[int, float, float]) -> np.ndarray:
    """So many scores around each middle, as wide as is said, shuffled."""
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.normal(middle, wide, count) for count, middle, wide in groups])
    return rng.permutation(values).astype(np.float32)


def slow(values: list[float]) -> list[bool]:
    """The same with loops, from a first guess at the middle of the range."""
    middle = (max(values) + min(values)) / 2
    belongs = [1.0 if value > middle else 0.0 for value in values]
    for _ in range(500):
        bells = []
        for share in ([1 - b for b in belongs], belongs):
            weight = sum(share)
            mean = sum(s * v for s, v in zip(share, values, strict=True)) / weight
            spread = sum(s * (v - mean) ** 2 for s, v in zip(share, values, strict=True)) / weight
            bells.append((weight / len(values), mean, spread + 1e-6))
        density = [
            [w / math.sqrt(2 * math.pi * s) * math.exp(-((v - m) ** 2) / (2 * s)) for v in values]
            for w, m, s in bells
        ]
        belongs = [high / (low + high) for low, high in zip(*density, strict=True)]
    return [share > 0.5 for share in belongs]


@pytest.mark.parametrize("seed", range(5))
def test_five_good_scores_are_told_from_ten_bad_ones(seed: int) -> None:
    """Exactly the five near 0.8 are accepted."""
    values = scores(seed, (10, 0.2, 0.03), (5, 0.8, 0.03))

    assert upper_group(values).tolist() == (values > 0.5).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_the_groups_are_those_of_the_slow_form(seed: int) -> None:
    """Also where they are of different width and number."""
    values = scores(seed, (22, 0.3, 0.05), (8, 0.6, 0.03))

    assert upper_group(values).tolist() == slow(values.tolist())


@pytest.mark.parametrize("same", [[], [0.5], [0.5, 0.5], [0.0] * 63])
def test_scores_that_do_not_differ_are_not_accepted(same: list[float]) -> None:
    """There is nothing to tell apart."""
    assert not upper_group(np.array(same, dtype=np.float32)).any()


def test_of_two_scores_the_better_is_accepted() -> None:
    """Two different scores are two groups."""
    assert upper_group(np.array([0.9, 0.1], dtype=np.float32)).tolist() == [True, False]


@given(few)
def test_what_is_higher_than_an_accepted_score_is_accepted(values: list[float]) -> None:
    """Also where a wide bell lies under a narrow one and sticks out at both ends."""
    given_scores = np.array(values, dtype=np.float32)
    accepted = upper_group(given_scores)

    if accepted.any():
        assert not accepted.all()
        assert given_scores[accepted].min() > given_scores[~accepted].max()


def test_a_repeated_score_is_accepted_each_time_or_never() -> None:
    """Equal scores stay together."""
    values = np.array([0.1, 0.7, 0.1, 0.7, 0.1, 0.12], dtype=np.float32)

    assert upper_group(values).tolist() == [False, True, False, True, False, False]
