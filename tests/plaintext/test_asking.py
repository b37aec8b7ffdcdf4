"""The arguments of a read, checked once."""

from typing import Any

import numpy as np
import pytest

from engram.errors import InvalidInput
from engram.plaintext.asking import MOST, asked, checked_limit, known_id, maybe_scope, page
from engram.plaintext.roles import Scope, State

NOW = 1_000.0
HUGE = pytest.param(10**5000, id="huge")


def test_a_search_is_read_from_its_arguments() -> None:
    """Ids become a scope, times become seconds, and what is not said is open."""
    look = {"user_id": "ana", "run_id": 7, "as_of": "1970-01-01T00:01:00", "known_at": 30}

    ask = asked("where", NOW, look, top_k=3, threshold=1)  # type: ignore[arg-type]

    assert (ask.query, ask.scope) == ("where", Scope("ana", run="7"))
    assert (ask.now, ask.as_of, ask.known_at) == (NOW, 60.0, 30.0)
    assert (ask.top_k, ask.threshold, ask.filters) == (3, 1.0, None)
    assert asked("where", NOW, {}, top_k=1).scope == Scope()


def test_filters_are_compiled_at_the_door() -> None:
    """So that a mistake is told before anything is searched."""
    assert asked("where", NOW, {"filters": {}}, top_k=1).filters == ("1", [])
    with pytest.raises(InvalidInput, match="a filter must be an object, got 5"):
        asked("where", NOW, {"filters": 5}, top_k=1)  # type: ignore[typeddict-item]


@pytest.mark.parametrize("value", [1, 2, MOST, np.int64(5)])
def test_a_limit_is_a_whole_number(value: Any) -> None:
    """From one up to what one call may give."""
    assert checked_limit(value, "top_k") == int(value)


@pytest.mark.parametrize("value", [0, -1, MOST + 1, 1.0, "5", None, True, float("nan"), HUGE])
def test_other_limits_are_refused(value: Any) -> None:
    """With the range and what came."""
    with pytest.raises(InvalidInput, match=f"top_k must be a whole number from 1 to {MOST}, got"):
        checked_limit(value, "top_k")


@pytest.mark.parametrize(
    "value", [-0.1, 1.1, "0.5", None, True, float("nan"), float("inf"), HUGE, [0.5]]
)
def test_a_threshold_is_a_share(value: Any) -> None:
    """0 to 1, as scores are."""
    with pytest.raises(InvalidInput, match="threshold must be 0 to 1, got"):
        asked("where", NOW, {}, top_k=1, threshold=value)


@pytest.mark.parametrize("query", [None, 5, b"where", "", " \n", "\ud800", ["where"]])
def test_a_query_is_text_that_says_something(query: Any) -> None:
    """Nothing is searched for nothing."""
    with pytest.raises(InvalidInput, match="the query must"):
        asked(query, NOW, {}, top_k=1)


@pytest.mark.parametrize("clock", ["as_of", "known_at"])
@pytest.mark.parametrize("time", ["soon", "", float("nan"), 1e300, True, [], HUGE])
def test_both_clocks_take_times_only(clock: str, time: Any) -> None:
    """The message names the clock."""
    with pytest.raises(InvalidInput, match=f"{clock} must"):
        asked("where", NOW, {clock: time}, top_k=1)  # type: ignore[misc]


def test_a_page_knows_where_it_begins() -> None:
    """After the cursor of the page before, or at the beginning."""
    first = page(NOW, {}, limit=5, cursor=None, states=("active", "merged"))
    second = page(NOW, {}, limit=5, cursor="17", states="archived")

    assert (first.after, first.states) == (0, (State.ACTIVE, State.MERGED))
    assert (second.after, second.states) == (17, (State.ARCHIVED,))


@pytest.mark.parametrize("cursor", [5, "", "x", "-1", "1.5", "٣", "9" * 19, b"1"])
def test_a_cursor_comes_from_an_earlier_page(cursor: Any) -> None:
    """Nothing else is one."""
    with pytest.raises(InvalidInput, match="cursor must be the 'next' of an earlier page, got"):
        page(NOW, {}, limit=5, cursor=cursor, states=())


@pytest.mark.parametrize(
    "states", ["gone", ["active", "gone"], ["erased"], 5, None, {"active"}, [5], [np.zeros(2)]]
)
def test_states_are_among_those_that_can_be_listed(states: Any) -> None:
    """What was erased holds nothing to list."""
    with pytest.raises(InvalidInput, match="states must be among generated, active"):
        page(NOW, {}, limit=5, cursor=None, states=states)


def test_an_id_is_text() -> None:
    """Trimmed, as it may come out of a shell."""
    assert known_id(" 0198 ") == "0198"


@pytest.mark.parametrize("value", [5, None, "", " ", b"0198", "a\nb", "\ud800", "x" * 257, HUGE])
def test_other_ids_are_refused(value: Any) -> None:
    """No record can have them."""
    with pytest.raises(InvalidInput, match="the id of a memory must"):
        known_id(value)


def test_no_ids_are_no_scope_and_any_id_is_one() -> None:
    """``get(id)`` looks everywhere; ``get(id, user_id=None)`` at the default user."""
    assert maybe_scope({}) is None
    assert maybe_scope({"user_id": None}) == Scope()
