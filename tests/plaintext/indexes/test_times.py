"""Rows said in the time that the query is about, and for a single day soon after it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.plaintext.indexes.times import Times
from engram.plaintext.roles import Period, Record, Route, View

Look = Callable[..., AbstractContextManager[View]]
DAY = 86_400.0

days = st.integers(0, 30).map(lambda quarter: quarter * DAY / 4)
periods = st.builds(lambda start, length: Period(start, start + length), days, days.filter(bool))


def search(look: Look, index: Times, said: Sequence[float | None], *periods: Period) -> list[float]:
    """What the channel gives to turns said then; None is a turn of an unknown time."""
    records = [Record("", "word", event_time=at) for at in said]
    with look(records) as view:
        scores: list[float] = index.search(Route("", "", 0.0, periods=periods), view).tolist()
        return scores


@given(
    st.lists(days | st.none(), max_size=12),
    st.lists(periods, max_size=3),
    st.floats(0, 10),
    st.floats(0, 1),
)
def test_the_scores_are_those_of_looking_at_each_turn(
    view_of: Look, said: list[float | None], asked: list[Period], later: float, late: float
) -> None:
    """The best that any of the periods gives; nothing for a turn of an unknown time."""

    def worth(at: float | None, period: Period) -> float:
        if at is None or at < period.start:
            return 0.0
        if at < period.end:
            return 1.0
        is_day = period.end - period.start <= DAY
        return late if is_day and at < period.end + later * DAY else 0.0

    expected = [max((worth(at, period) for period in asked), default=0.0) for at in said]

    assert search(view_of, Times(later, late), said, *asked) == pytest.approx(expected, abs=1e-6)


def test_turns_of_the_day_come_before_those_of_the_week_after(view_of: Look) -> None:
    """And what was said before the day, or long after it, is not about it."""
    said = [9 * DAY, 10 * DAY, 10.9 * DAY, 11 * DAY, 17.9 * DAY, 18 * DAY]
    index = Times(later=7.0, late=0.5)

    assert search(view_of, index, said, Period(10 * DAY, 11 * DAY)) == [0, 1, 1, 0.5, 0.5, 0]


def test_a_month_is_not_talked_about_later(view_of: Look) -> None:
    """Only a single day is; nobody can say when a month is over."""
    said = [29.9 * DAY, 30 * DAY, 31 * DAY]

    assert search(view_of, Times(), said, Period(0.0, 30 * DAY)) == [1, 0, 0]


def test_the_order_of_the_periods_says_nothing(view_of: Look) -> None:
    """A turn in one of them is not damped by standing soon after another."""
    said = [0.5 * DAY, 1.5 * DAY, 2.5 * DAY, 40 * DAY]
    asked = [Period(0.0, DAY), Period(DAY, 2 * DAY), Period(35 * DAY, 45 * DAY)]

    found = [search(view_of, Times(late=0.5), said, *order) for order in permutations(asked)]

    assert found == [[1, 1, 0.5, 1]] * 6


def test_nothing_is_preferred_without_a_time(view_of: Look) -> None:
    """Neither where the query names none, nor where nobody knows when it was said."""
    assert search(view_of, Times(), [1.0, None]) == [0, 0]
    assert search(view_of, Times(), [None], Period(0.0, DAY)) == [0]
    assert search(view_of, Times(), [], Period(0.0, DAY)) == []
