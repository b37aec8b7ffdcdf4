"""exp(-rate * turns ago), counted over all that was said."""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram.plaintext.indexes.recency import Recency
from engram.plaintext.roles import Record, Route, View

Look = Callable[..., AbstractContextManager[View]]
ROUTE = Route("", "", 0.0)


def rate(
    look: Look, index: Recency, times: Sequence[float | None], hidden: Sequence[int] = ()
) -> list[float]:
    """The scores of turns said at these times, in the order in which they were stored."""
    with look([Record("", "word", event_time=at) for at in times], hidden=hidden) as view:
        scores: list[float] = index.search(ROUTE, view).tolist()
        return scores


@given(
    st.lists(st.none() | st.floats(-1e6, 1e6), max_size=12),
    st.floats(0.01, 2),
    st.integers(1, 8),
    st.sets(st.integers(0, 11)),
)
@example([], 0.1, 1, set())
@example([3.0, 3.0, 3.0], 0.1, 3, set())
def test_the_scores_are_those_of_counting_back(
    view_of: Look, times: list[float | None], rate_of: float, reach: int, hidden: set[int]
) -> None:
    """From the last that was said; what has no time was said when it was stored, at 0."""
    gone = [at for at in hidden if at < len(times)]
    live = [at for at in range(len(times)) if at not in gone]
    order = sorted(live, key=lambda at: (times[at] or 0.0, at), reverse=True)
    expected = [
        math.exp(-rate_of * order.index(at)) if at in order[:reach] else 0.0
        for at in range(len(times))
        if at not in gone
    ]

    found = rate(view_of, Recency(rate_of, reach), times, gone)

    assert [found[at] for at in live] == pytest.approx(expected, abs=1e-6)
    assert all(found[at] == 0 for at in gone)


def test_the_last_turn_is_worth_most_whenever_it_was_stored(view_of: Look) -> None:
    """An old diary that is read in today does not drown this morning's talk."""
    late, early, middle = rate(view_of, Recency(), [300.0, 100.0, 200.0])

    assert late == 1.0
    assert late > middle > early > 0


def test_time_alone_makes_nothing_older(view_of: Look) -> None:
    """Turns count, not hours."""
    assert rate(view_of, Recency(), [0.0, 1.0]) == rate(view_of, Recency(), [0.0, 1e6])


def test_what_nobody_said_has_no_place_among_the_turns(view_of: Look) -> None:
    """A summary is neither recent nor does it make anything older."""
    with view_of(["word", Record("", "word", kind="summary", event_time=1e9), "word"]) as view:
        assert Recency().search(ROUTE, view)[1] == 0
        assert max(Recency().search(ROUTE, view)) == 1
