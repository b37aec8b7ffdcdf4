"""What is past its end is marked as expired, and nothing else is touched."""

import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram.plaintext.keepers.expiry import Expiry
from engram.plaintext.roles import Edit, EditPlan, Record, Scope, State
from engram.plaintext.store.store import Store

Make = Callable[[], Store]
END = 1000.0

ends = st.none() | st.sampled_from((0.0, END - 1, END, END + 1))
states = st.sampled_from(
    (State.ACTIVE, State.ACTIVE, State.ARCHIVED, State.GENERATED, State.QUARANTINED)
)
kinds = st.sampled_from(("raw", "fact"))


def record(
    number: int,
    end: float | None = END,
    state: State = State.ACTIVE,
    *,
    frozen: bool = False,
    kind: str = "raw",
) -> Record:
    """One memory that ends then."""
    return Record(
        str(uuid.UUID(int=number + 1)),
        f"memory {number}",
        expires_at=end,
        state=state,
        frozen=frozen,
        kind=kind,
    )


records = st.lists(
    st.builds(record, st.just(0), ends, states, frozen=st.booleans(), kind=kinds), max_size=12
).map(lambda found: [replace(each, id=record(at).id) for at, each in enumerate(found)])


def put(store: Store, *edits: Edit, at: float = 0.0) -> None:
    """Write in one commit."""
    with store.write(at, method="test") as transaction:
        transaction.apply(EditPlan(edits))


def keep(store: Store, now: float) -> EditPlan:
    """What the keeper proposes at a time."""
    with store.read(Scope()) as view:
        view.narrow(now, None, None, None)
        return Expiry().keep(now, view)


def recalled(store: Store, now: float) -> set[str]:
    """Ids of what can be recalled at a time."""
    with store.read(Scope()) as view:
        view.narrow(now, None, None, None)
        return set(view.columns.ids[view.live])


@given(records)
@example([])
@example([record(at) for at in range(63)])
def test_the_plan_is_that_of_looking_at_each_record(new_store: Make, found: list[Record]) -> None:
    """Active, not frozen, and its end has come: it becomes expired, and all else stays."""
    expected = [
        replace(each, state=State.EXPIRED)
        for each in found
        if each.state is State.ACTIVE and not each.frozen
        if each.expires_at is not None and each.expires_at <= END
    ]

    with closing(new_store()) as store:
        put(store, *(Edit(each) for each in found))
        plan = keep(store, END)

    assert [edit.record for edit in plan.edits] == expected
    assert all(edit.basis == 1 for edit in plan.edits)


@pytest.mark.parametrize("now", [END - 1, END, END + 1])
def test_recall_ends_at_the_very_second_whether_or_not_the_keeper_ran(
    new_store: Make, now: float
) -> None:
    """The keeper tidies up; it is not what hides."""
    with closing(new_store()) as store:
        put(store, Edit(record(1)), Edit(record(2, None)))
        before = recalled(store, now)
        plan = keep(store, now)
        put(store, *plan.edits, at=now)
        after = recalled(store, now)

    assert before == after
    assert (record(1).id in before) is (now < END)
    assert bool(plan.edits) is (now >= END)


def test_what_has_expired_is_kept_and_can_be_brought_back(new_store: Make) -> None:
    """Nothing is deleted: with another end it is recalled again."""
    with closing(new_store()) as store:
        put(store, Edit(record(1)))
        [edit] = keep(store, END).edits
        put(store, edit, at=END)
        longer = replace(edit.record, state=State.ACTIVE, expires_at=END + 100)
        put(store, Edit(longer, basis=2), at=END + 1)
        found = recalled(store, END + 2)

    assert edit.record.text == "memory 1"
    assert found == {record(1).id}


def test_a_second_run_finds_nothing_to_do(new_store: Make) -> None:
    """What it has marked is not marked again."""
    with closing(new_store()) as store:
        put(store, Edit(record(1)), Edit(record(2)))
        first = keep(store, END)
        put(store, *first.edits, at=END)
        second = keep(store, END + 5)

    assert len(first.edits) == 2
    assert second.edits == ()


def test_the_end_that_counts_is_the_last_one_given(new_store: Make) -> None:
    """A version that was to end earlier is history."""
    with closing(new_store()) as store:
        put(store, Edit(record(1)), Edit(record(2, END + 9)))
        put(store, Edit(record(1, END + 9), basis=1), Edit(record(2), basis=1), at=1.0)
        plan = keep(store, END)

    assert [edit.record.text for edit in plan.edits] == ["memory 2"]
