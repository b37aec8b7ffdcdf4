"""What was said in the time that a query names comes first, whatever the scores."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram.plaintext.refiners.periods import Periods
from engram.plaintext.roles import Period, Record, Route, View

Look = Callable[..., AbstractContextManager[View]]
DAY = 86_400.0


def refine(
    look: Look,
    said: Sequence[float | None],
    scores: Sequence[float],
    periods: Sequence[tuple[float, float]],
    later: float = 0.0,
) -> list[float]:
    """The scores of turns said on these days after the periods, in days, were looked at."""
    route = Route("", "", 0.0, periods=tuple(Period(a * DAY, b * DAY) for a, b in periods))
    turns = [Record("", "word", event_time=None if at is None else at * DAY) for at in said]
    with look(turns) as view:
        found: list[float] = (
            Periods(later).refine(route, np.array(scores, dtype=np.float32), view).tolist()
        )
        return found


@given(
    st.lists(
        st.tuples(st.none() | st.integers(0, 9), st.floats(-2, 2, width=32)), min_size=1, max_size=8
    ),
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4)), max_size=2),
    st.integers(0, 2),
)
@example([(None, 1.0)], [(0, 1)], 0)
def test_the_scores_are_those_of_looking_at_each_row(
    view_of: Look, rows: list[tuple[int | None, float]], spans: list[tuple[int, int]], later: int
) -> None:
    """Outside all periods a score is lost, a bad one kept; nothing is where nothing is inside."""
    periods = [(begin, begin + days) for begin, days in spans]
    inside = [at is not None and any(a <= at < b + later for a, b in periods) for at, _ in rows]
    before = [score for _, score in rows]
    any_good = any(score > 0 for score, good in zip(before, inside, strict=True) if good)
    expected = [
        score if good or not any_good else min(score, 0.0)
        for score, good in zip(before, inside, strict=True)
    ]

    assert refine(view_of, [at for at, _ in rows], before, periods, later) == pytest.approx(
        expected
    )


def test_a_poor_row_of_that_week_stands_before_a_good_one_of_another(view_of: Look) -> None:
    """The last moment of a period is outside it, the first inside."""
    outside, first, last = refine(view_of, [0, 1, 8], [3.0, 0.2, 3.0], [(1, 8)])

    assert first == pytest.approx(0.2)
    assert outside == last == 0


def test_a_query_without_a_time_is_left_alone(view_of: Look) -> None:
    """Even rows of an unknown time keep their score."""
    assert refine(view_of, [None, 3], [0.5, 1.0], []) == [0.5, 1.0]


def test_where_nothing_was_said_in_that_time_nothing_changes(view_of: Look) -> None:
    """Something else may still help."""
    assert refine(view_of, [0, 3], [0.5, 1.0], [(7, 8)]) == [0.5, 1.0]
