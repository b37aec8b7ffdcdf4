"""Sittings: which rows belong together, and what is known of them as a whole."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager

import numpy as np
import pytest

from engram.plaintext.roles import Edit, EditPlan, Record, Scope, View
from engram.plaintext.store.store import Store
from engram.plaintext.text.sittings import DAY, heard, mean_of_turns, sittings, turns_of

Look = Callable[..., AbstractContextManager[View]]
Days = Callable[[Sequence[float | None]], AbstractContextManager[View]]
MONDAY = 1_700_438_400.0  # midnight


def said(at: float | None, agent: str | None = None) -> Record:
    """A turn at a time."""
    return Record("", "cat", Scope(agent=agent), event_time=at)


@pytest.fixture
def without_runs(new_store: Callable[[], Store]) -> Days:
    """A view of messages that were said at these times, in no conversation."""

    @contextmanager
    def look(times: Sequence[float | None]) -> Iterator[View]:
        rows = [Record(f"{at:09}", "cat", event_time=time) for at, time in enumerate(times)]
        with closing(new_store()) as store:
            with store.write(0.0) as transaction:
                transaction.apply(EditPlan(tuple(map(Edit, rows))))
            with store.read(Scope()) as view:
                view.narrow(MONDAY + 99 * DAY, None, None, None)
                yield view

    return look


def test_a_conversation_is_a_sitting_however_long(view_of: Look) -> None:
    """Its turns and what was made of it have one number, those of others another."""
    whole = Record("", "all of it", kind="session", event_time=MONDAY)
    with view_of([said(MONDAY), said(MONDAY + 9 * DAY), whole], ["cat"]) as view:
        first, later, made, other = sittings(view.columns)

    assert first == later == made != other


def test_an_agent_sits_alone(view_of: Look) -> None:
    """What it was told in a conversation is not for other agents."""
    with view_of([said(1.0, "tutor"), said(2.0, "coach"), said(3.0, "tutor")]) as view:
        tutor, coach, again = sittings(view.columns)

    assert tutor == again != coach


def test_without_conversations_a_day_is_a_sitting(without_runs: Days) -> None:
    """Messages that have neither a day nor a conversation belong to none."""
    with without_runs([MONDAY + 1, MONDAY + DAY - 1, MONDAY + DAY, None]) as view:
        monday, evening, tuesday, never = sittings(view.columns)

    assert monday == evening != tuesday
    assert never == -1


def test_an_empty_space_has_no_sitting(without_runs: Days) -> None:
    """Nor turns, nor means."""
    with without_runs([]) as view:
        assert sittings(view.columns).tolist() == []
        assert heard([], view) == []
        assert mean_of_turns(np.zeros(0, dtype=np.float32), view).tolist() == []


def test_turns_come_in_the_order_in_which_they_were_said(view_of: Look) -> None:
    """Live ones of that sitting only, those without a time last."""
    rows = [said(None), said(20.0), said(10.0), said(15.0)]
    with view_of(rows, ["other"], hidden=[3]) as view:
        number = sittings(view.columns)[0]
        found = [turn.event_time for turn in turns_of(number, view)]

    assert found == [10.0, 20.0, None]


def test_the_sitting_that_goes_on_is_heard_last(view_of: Look) -> None:
    """The one before the first fresh message is among them: it may be over."""
    with view_of(["a0"], ["b0", "b1"], ["c0"], ["d0"]) as view:
        a, b, _, c, d = sittings(view.columns).tolist()
        rows = view.records(np.arange(5))

        assert heard(rows[3:4], view) == [b, c]
        assert heard([rows[4], rows[1]], view) == [a, b, d]
        assert heard(rows[:1], view) == [a]
        assert heard([], view) == []


def test_the_mean_of_a_sitting_is_that_of_its_embedded_turns(view_of: Look) -> None:
    """Not of what was made of them; 0 where nothing is embedded."""
    whole = Record("", "all of it", kind="session", event_time=1.0)
    east = (1.0, 0.0, 0.0, 0.0)
    with view_of(["a", "b", "c", whole], ["d"], vectors={0: east, 1: east, 3: east}) as view:
        numbers = sittings(view.columns)
        found = mean_of_turns(np.array([0.2, 0.6, 9, 9, 9], dtype=np.float32), view)

    assert found[numbers[0]] == pytest.approx(0.4)
    assert found[numbers[4]] == 0
