"""The executor: ids, versions, the life cycle, scopes, and the chain over it all."""

import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.errors import IllegalChange
from engram.plaintext.roles import TRANSITIONS, Edit, EditPlan, Record, Scope, State
from engram.plaintext.store.check import check
from engram.plaintext.store.erase import destroy
from engram.plaintext.store.store import Store
from engram.plaintext.store.transaction import Commit, chain, new_id
from engram.plaintext.store.view import locate

Put = Callable[..., list[Record]]


def change(store: Store, record: Record, basis: int) -> Record:
    """Apply one edit in a commit of its own."""
    with store.write(2000.0) as transaction:
        return transaction.apply(EditPlan((Edit(record, basis),)))[0]


@given(st.floats(0, 250_000_000_000), st.floats(0, 250_000_000_000))
def test_ids_are_uuids_that_sort_by_time(one: float, two: float) -> None:
    """Version 7: the first 48 bits are milliseconds, so that order of text is order of time."""
    first, second = new_id(min(one, two)), new_id(max(one, two))

    assert uuid.UUID(first).version == uuid.UUID(second).version == 7
    assert uuid.UUID(first).variant == uuid.RFC_4122
    assert first[:13] <= second[:13]


def test_ids_are_never_given_twice() -> None:
    """Even at one instant: 74 bits are random."""
    assert len({new_id(1.0) for _ in range(5000)}) == 5000


def test_a_time_before_1970_has_an_id_too() -> None:
    """Clocks of machines can be far wrong."""
    assert uuid.UUID(new_id(-5.0)).version == 7


def test_a_new_record_begins_at_version_one(store: Store, put: Put) -> None:
    """The store sets what only it knows: versions and its own clock."""
    (made,) = put(Record(id=new_id(1.0), text="tea", version=7, created=3.0), at=50.0)

    assert (made.version, made.created, made.known_from, made.known_to) == (1, 50.0, 50.0, None)


def test_a_change_makes_the_next_version_and_closes_the_last(store: Store, put: Put) -> None:
    """Nothing is overwritten: the old row ends when the new one begins."""
    (one,) = put(Record(id=new_id(1.0), text="tea"), at=10.0)
    (two,) = put(replace(one, text="coffee"), at=20.0)

    with store.snapshot() as db:
        spans = db.execute("SELECT version, known_from, known_to FROM rows ORDER BY row").fetchall()
    assert spans == [(1, 10.0, 20.0), (2, 20.0, None)]
    assert (two.version, two.created, two.known_from) == (2, 10.0, 20.0)


def test_an_edit_that_changes_nothing_writes_nothing(store: Store, put: Put) -> None:
    """Not even a commit."""
    (one,) = put(Record(id=new_id(1.0), text="tea"))
    put(one)

    health = check(store)
    assert (health.versions, health.commits) == (1, 1)


@pytest.mark.parametrize("former", [state for state in State if state is not State.ERASED])
@pytest.mark.parametrize("wanted", [state for state in State if state is not State.ERASED])
def test_only_the_listed_changes_of_state_are_made(
    store: Store, put: Put, former: State, wanted: State
) -> None:
    """The table is the law, whoever asks."""
    (other,) = put(Record(id=new_id(1.0), text="the same"))
    into = {state: other.id if state is State.MERGED else None for state in State}
    (old,) = put(Record(id=new_id(1.0), text="tea", state=former, superseded_by=into[former]))
    new = replace(old, state=wanted, superseded_by=into[wanted])

    if former is wanted or wanted in TRANSITIONS[former]:
        assert change(store, new, 1).state is wanted
    else:
        with pytest.raises(IllegalChange, match=f"is {former}; from there it cannot"):
            change(store, new, 1)
    assert check(store).problems == ()


def test_every_state_has_its_row_in_the_table() -> None:
    """No state without a rule; erased is the end; all that was archived can come back."""
    assert set(TRANSITIONS) == set(State)
    assert TRANSITIONS[State.ERASED] == frozenset()
    assert all(State.ERASED not in after for after in TRANSITIONS.values())
    assert all(State.ACTIVE in TRANSITIONS[state] for state in set(State) - {State.ERASED})


def test_no_edit_makes_a_record_erased(store: Store, put: Put) -> None:
    """Only ``erase`` destroys, and it leaves a tombstone, no body with a state."""
    (old,) = put(Record(id=new_id(1.0), text="tea"))

    with pytest.raises(IllegalChange, match="cannot become erased"):
        change(store, replace(old, state=State.ERASED), 1)
    with pytest.raises(IllegalChange):
        change(store, Record(id=new_id(1.0), text="tea", state=State.ERASED), 0)


def test_a_record_is_merged_into_something(store: Store, put: Put) -> None:
    """A merged record is recalled through another; without one it would be lost."""
    (old,) = put(Record(id=new_id(1.0), text="tea"))

    with pytest.raises(IllegalChange, match="superseded_by"):
        change(store, replace(old, state=State.MERGED), 1)
    with pytest.raises(IllegalChange, match="superseded_by"):
        change(store, Record(id=new_id(1.0), text="tea", state=State.MERGED), 0)


def test_an_erased_record_stays_erased(store: Store, put: Put) -> None:
    """Its id is not free again either."""
    (old,) = put(Record(id=new_id(1.0), text="tea"))
    with store.write(5.0) as transaction:
        destroy(transaction, [old.id])

    for basis in (0, 1, 2):
        with pytest.raises(IllegalChange, match="was erased"):
            change(store, old, basis)


def test_a_frozen_record_changes_only_by_being_thawed(store: Store, put: Put) -> None:
    """Thawing and changing in one edit would make freezing pointless."""
    (old,) = put(Record(id=new_id(1.0), text="tea", frozen=True))

    for new in (
        replace(old, text="coffee"),
        replace(old, state=State.ARCHIVED),
        replace(old, text="coffee", frozen=False),
        replace(old, metadata={"a": 1}),
    ):
        with pytest.raises(IllegalChange, match="frozen; thaw it first"):
            change(store, new, 1)
    thawed = change(store, replace(old, frozen=False), 1)
    assert change(store, replace(thawed, text="coffee"), 2).text == "coffee"


@pytest.mark.parametrize(
    "moved", [Scope("bo"), Scope("ana", agent="x"), Scope("ana", run="x"), Scope("ana", app="x")]
)
def test_a_record_never_leaves_its_scope(store: Store, put: Put, moved: Scope) -> None:
    """Not the user, and not the narrower parts of it."""
    (old,) = put(Record(id=new_id(1.0), text="tea", scope=Scope("ana")))

    with pytest.raises(IllegalChange, match=r"belongs to .*ana.* for good"):
        change(store, replace(old, scope=moved), 1)


@pytest.mark.parametrize("basis", [0, 2, 9, -1])
def test_an_edit_on_another_version_is_refused(store: Store, put: Put, basis: int) -> None:
    """Two writers who read the same version cannot both win."""
    (old,) = put(Record(id=new_id(1.0), text="tea"))

    with pytest.raises(IllegalChange, match="read it again"):
        change(store, replace(old, text="coffee"), basis)


def test_an_edit_of_an_unknown_record_is_refused(store: Store) -> None:
    """A basis says that there was a version to read."""
    with pytest.raises(IllegalChange, match="does not exist"):
        change(store, Record(id=new_id(1.0), text="tea"), 3)


def test_one_bad_edit_takes_the_whole_plan_back(store: Store, put: Put) -> None:
    """All of a plan or nothing."""
    (old,) = put(Record(id=new_id(1.0), text="tea"))
    good = Record(id=new_id(1.0), text="milk", scope=Scope("new user"))

    with pytest.raises(IllegalChange), store.write(9.0) as transaction:
        transaction.apply(EditPlan((Edit(good), Edit(replace(old, text="coffee"), 5))))

    with store.snapshot() as db:
        assert locate(db, good.id) is None
        assert db.execute("SELECT count(*) FROM spaces").fetchone() == (1,)
    assert check(store).commits == 1


def test_a_new_text_asks_for_a_new_vector(store: Store, put: Put) -> None:
    """A vector of the old words would be a lie; one of the same words is copied."""
    (old,) = put(Record(id=new_id(1.0), text="tea"))
    change(store, replace(old, metadata={"a": 1}), 1)
    with store.snapshot() as db:
        assert db.execute("SELECT count(*) FROM jobs").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM vectors").fetchone() == (2,)
    change(store, replace(old, text="coffee"), 2)

    with store.snapshot() as db:
        assert db.execute("SELECT kind FROM jobs").fetchall() == [("embed",)]
    assert check(store).problems == ()


def test_a_vector_is_stored_in_half_precision(store: Store, put: Put) -> None:
    """Two bytes a number, read back as four."""
    put(Record(id=new_id(1.0), text="tea"))

    with store.read(Scope()) as view:
        assert view.columns.vectors.dtype == np.float32
        assert view.columns.vectors.tolist() == [[0.5] * 4]
    with store.snapshot() as db:
        assert db.execute("SELECT length(vector) FROM vectors").fetchone() == (8,)


def test_the_chain_can_be_computed_by_hand(store: Store, put: Put) -> None:
    """Anyone can verify a file: SHA-256 over the last link, the commit and its entries."""
    put(Record(id=new_id(1.0), text="tea"), at=5.0)
    with store.snapshot() as db:
        number, name, at, actor, method, reason, link = db.execute(
            "SELECT * FROM commits"
        ).fetchone()
        *entry, stamp = db.execute(
            "SELECT seq, op, space, record, version, digest FROM log"
        ).fetchone()
    slow = hashlib.sha256(b"")
    slow.update(
        json.dumps([number, name, at, actor, method, reason], separators=(",", ":")).encode()
    )
    slow.update(json.dumps(entry, separators=(",", ":")).encode() + stamp)

    assert slow.digest() == link
    assert chain(b"", Commit(name, number, at, actor, method, reason), [(*entry, stamp)]) == link


def test_a_commit_depends_on_all_before_it() -> None:
    """Changing the first link changes every later one."""
    commit = Commit("c", 2, 1.0)

    assert chain(b"one", commit, []) != chain(b"two", commit, [])
