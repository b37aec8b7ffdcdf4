"""Turns lie side by side, and conversations never touch."""

import math
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram.plaintext.turns import GAP, SILENCE, Turns, in_order

NAN = math.nan


class Row(NamedTuple):
    """One row of a space as the layout sees it."""

    run: int = -1
    event: float = NAN
    length: int = 1
    derived: bool = False


rows = st.lists(
    st.builds(
        Row,
        run=st.integers(-1, 2),
        event=st.sampled_from((0.0, 60.0, SILENCE, SILENCE + 60, 3 * SILENCE)) | st.just(NAN),
        length=st.integers(0, 2),
        derived=st.booleans(),
    ),
    max_size=20,
)


def laid_out(rows: list[Row]) -> Turns:
    """The rows in their slots."""
    return in_order(
        np.array([row.run for row in rows], dtype=np.int32),
        np.array([row.event for row in rows], dtype=np.float64),
        np.array([row.length for row in rows], dtype=np.float32),
        np.array([row.derived for row in rows], dtype=bool),
    )


def conversations(rows: list[Row]) -> list[list[int]]:
    """The rows of each conversation in order, found one after the other."""

    def when(at: int) -> float:
        return math.inf if math.isnan(rows[at].event) else rows[at].event

    worded = [at for at, row in enumerate(rows) if row.length]
    worded.sort(key=lambda at: (rows[at].derived, rows[at].run, when(at), at))
    found: list[list[int]] = []
    for at in worded:
        row, last = rows[at], rows[found[-1][-1]] if found else None
        joins = last is not None and not row.derived and last.run == row.run
        if row.run < 0:  # nobody said which conversation it is: time must tell
            joins = joins and last is not None and row.event - last.event <= SILENCE
        if joins:
            found[-1].append(at)
        else:
            found.append([at])
    return found


@given(rows)
@example([])
@example([Row(length=0)])
@example([Row(event=float(at)) for at in range(63)])
def test_the_layout_is_that_of_walking_through_the_rows(rows: list[Row]) -> None:
    """Conversation by conversation, turn by turn, with a gap before each conversation."""
    turns = laid_out(rows)
    slots = dict(zip(turns.rows.tolist(), turns.slots.tolist(), strict=True))

    expected, free = {}, 0
    for conversation in conversations(rows):
        free += GAP
        for at in conversation:
            expected[at] = free
            free += 1
    assert slots == expected


@given(rows)
def test_turns_of_two_conversations_are_out_of_reach(rows: list[Row]) -> None:
    """A shift of ``GAP`` slots from one never lands in another, nor outside the slots."""
    turns = laid_out(rows)

    for (before, a), (after, b) in pairwise(
        zip(turns.slots.tolist(), turns.conversation[turns.slots].tolist(), strict=True)
    ):
        assert after - before == 1 if a == b else after - before > GAP
    if len(turns.slots):
        assert turns.slots[0] >= GAP
        assert turns.slots[-1] + GAP < turns.size


@given(rows)
def test_values_come_back_from_their_slots(rows: list[Row]) -> None:
    """Spread and gathered, every row with text has its own again and the others have 0."""
    turns = laid_out(rows)
    values = np.arange(1, len(rows) + 1, dtype=np.float32)

    spread = turns.spread(values)
    back = turns.gather(spread, len(rows))

    assert back.tolist() == [at + 1 if row.length else 0 for at, row in enumerate(rows)]
    assert spread.sum() == back.sum()  # nothing lies in the gaps


@given(rows)
def test_every_conversation_begins_where_its_first_turn_lies(rows: list[Row]) -> None:
    """And each slot after it is of that conversation until the next begins."""
    turns = laid_out(rows)

    number = turns.conversation[turns.slots].tolist()
    expected = [at for at, said in enumerate(conversations(rows)) for _ in said]
    assert number == expected
    assert len(turns.starts) == max(1, len(conversations(rows)))


def test_turns_that_arrive_late_are_put_where_they_were_said() -> None:
    """Rows come in the order of the log, turns in the order of time."""
    turns = laid_out([Row(0, 120.0), Row(0, 0.0), Row(0, 60.0)])

    assert turns.rows.tolist() == [1, 2, 0]


def test_an_hour_of_silence_ends_a_conversation_that_has_no_name() -> None:
    """Within a named run people may answer on the next day."""
    apart = [0.0, SILENCE, 3 * SILENCE]

    assert len(laid_out([Row(-1, at) for at in apart]).starts) == 2
    assert len(laid_out([Row(0, at) for at in apart]).starts) == 1


@pytest.mark.parametrize("row", [Row(), Row(0, 0.0, derived=True)])
def test_what_nobody_said_at_any_time_stands_alone(row: Row) -> None:
    """Notes without a time and a run, and summaries, have no neighbours."""
    assert len(laid_out([row, row, row]).starts) == 3


def test_without_text_there_is_one_empty_conversation() -> None:
    """So that nobody who reduces by conversation needs to ask."""
    turns = laid_out([])

    assert (turns.size, turns.starts.tolist(), len(turns.rows)) == (1, [0], 0)


@given(rows, st.sets(st.integers(0, 19)))
def test_some_turns_keep_their_distances(made: list[Row], wanted: set[int]) -> None:
    """Turns up to ``GAP`` places apart stay so far apart, and all others stay out of reach."""
    turns = laid_out(made)
    picked = np.array(sorted(at for at in wanted if at < len(made)), dtype=np.int64)

    some = turns.take(picked)

    places = [(some.slot[at], turns.slot[row]) for at, row in enumerate(picked)]
    held = [(place, whole) for place, whole in places if whole >= 0]
    assert [place for place, whole in places if whole < 0] == [-1] * (len(places) - len(held))
    for (a, x), (b, y) in combinations(held, 2):
        assert min(abs(a - b), GAP + 1) == min(abs(x - y), GAP + 1)
        same = some.conversation[a] == some.conversation[b]
        assert same == (turns.conversation[x] == turns.conversation[y])


@given(rows, st.sets(st.integers(0, 19), max_size=3))
def test_near_are_the_rows_within_reach(made: list[Row], wanted: set[int]) -> None:
    """The rows themselves, and every turn that stands up to ``GAP`` slots from one of them."""
    turns = laid_out(made)
    picked = [at for at in wanted if at < len(made)]

    near = turns.near(np.array(picked, dtype=np.int64))

    slots = turns.slot
    for row in range(len(made)):
        close = any(
            slots[at] >= 0 and slots[row] >= 0 and abs(slots[at] - slots[row]) <= GAP
            for at in picked
        )
        assert near[row] == (row in picked or close)
