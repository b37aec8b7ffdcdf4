"""What happened: commits, versions, changes between two commits, and the plan that undoes one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from engram.errors import InvalidInput, NotFound
from engram.plaintext.roles import Edit, EditPlan, Record, Scope, State
from engram.plaintext.store import journal
from engram.plaintext.store.check import check
from engram.plaintext.store.erase import destroy
from engram.plaintext.store.store import Store
from engram.plaintext.store.transaction import Commit, new_id
from engram.plaintext.store.view import current

Put = Callable[..., list[Record]]
ByHand = Callable[..., list[Any]]


def note(text: str, user: str = "default") -> Record:
    """A new record."""
    return Record(id=new_id(1.0), text=text, scope=Scope(user))


def named(store: Store, count: int) -> list[Commit]:
    """The last commits, oldest first."""
    with store.snapshot() as db:
        return journal.commits(db, count)[::-1]


def undone(store: Store, number: int) -> list[Record]:
    """Undo a commit by hand, as ``upkeep.revert`` does."""
    with store.write(99.0, method="revert") as transaction:
        entries = transaction.db.execute(
            "SELECT record FROM log WHERE commit_number=?", (number,)
        ).fetchall()
        held = current(transaction.db, (record for (record,) in entries))
        return transaction.apply(journal.undo(transaction.db, number, held))


def test_a_commit_is_found_by_its_id_or_how_it_begins(store: Store, put: Put) -> None:
    """From six characters on, where only one begins like that."""
    put(note("tea"), at=1e9)
    put(note("milk"), at=2e9)
    first, second = named(store, 2)

    with store.snapshot() as db:
        assert journal.find_commit(db, first.id) == first
        assert journal.find_commit(db, first.id[:6]) == first
        assert journal.find_commit(db, second.id[:13]) == second


def test_a_beginning_that_fits_several_commits_is_no_name(store: Store, put: Put) -> None:
    """More of the id is asked for."""
    put(note("tea"), at=1e9)
    put(note("milk"), at=1e9)
    first, _ = named(store, 2)

    with store.snapshot() as db:
        with pytest.raises(InvalidInput, match=f"several commits begin with '{first.id[:8]}'"):
            journal.find_commit(db, first.id[:8])
        assert journal.find_commit(db, first.id) == first


@pytest.mark.parametrize("wanted", ["", "0198a", 5, None, b"0198abcd", "\ud8000198abc", "0198äb"])
def test_what_can_be_no_commit_is_refused(store: Store, wanted: Any) -> None:
    """Too short, no text, or letters that no id has."""
    with store.snapshot() as db, pytest.raises(InvalidInput, match="a commit id is text of 6 char"):
        journal.find_commit(db, wanted)


@pytest.mark.parametrize("wanted", ["01980000", "%%%%%%", "______", "' OR 1=1 --"])
def test_an_unknown_commit_is_not_found(store: Store, put: Put, wanted: str) -> None:
    """And signs that mean something to databases are letters like others."""
    put(note("tea"))

    with store.snapshot() as db, pytest.raises(NotFound, match="no commit has the id"):
        journal.find_commit(db, wanted)


def test_commits_are_listed_newest_first(store: Store, put: Put) -> None:
    """No more than were asked for."""
    for at in range(5):
        put(note(f"note {at}"), at=float(at))

    with store.snapshot() as db:
        assert [commit.at for commit in journal.commits(db, 3)] == [4.0, 3.0, 2.0]
        assert len(journal.commits(db, 100)) == 5


def test_every_version_is_kept_with_its_commit(store: Store, put: Put) -> None:
    """Each as it was, and only in its own space."""
    (one,) = put(note("tea", "ana"), at=1.0)
    (two,) = put(replace(one, text="coffee"), at=2.0)
    put(replace(two, state=State.ARCHIVED), at=3.0)

    with store.snapshot() as db:
        found = journal.versions(db, None, one.id)
        assert journal.versions(db, 77, one.id) == []
        assert journal.versions(db, None, "nobody") == []

    assert [version.version for version in found] == [1, 2, 3]
    assert [v.record.text for v in found if v.record] == ["tea", "coffee", "coffee"]
    assert [v.record.known_from for v in found if v.record] == [1.0, 2.0, 3.0]
    assert [version.commit.at for version in found] == [1.0, 2.0, 3.0]


def test_an_erased_version_has_no_record(store: Store, put: Put) -> None:
    """That there was one, and when, is all that is left."""
    (one,) = put(note("tea"))
    with store.write(2.0) as transaction:
        destroy(transaction, [one.id])

    with store.snapshot() as db:
        (version,) = journal.versions(db, None, one.id)
    assert (version.record, version.version) == (None, 1)


def test_changes_show_the_first_and_the_last(store: Store, put: Put) -> None:
    """Not what came between; and nothing where all is as it was."""
    (one,) = put(note("tea"), at=1.0)
    (other,) = put(note("milk"), at=2.0)
    (two,) = put(replace(one, text="coffee"), at=3.0)
    put(replace(two, text="cocoa"), at=4.0)
    put(replace(other, text="cream"), at=5.0)

    with store.snapshot() as db:
        (whole,) = journal.changes(db, 2, 4, None)
        every = journal.changes(db, 0, 99, None)
        assert journal.changes(db, 5, 99, None) == []
        assert journal.changes(db, 0, 99, 77) == []

    assert (whole.before and whole.before.text, whole.after and whole.after.text) == (
        "tea",
        "cocoa",
    )
    assert [(c.id, c.before) for c in every] == [(one.id, None), (other.id, None)]


def test_an_undone_commit_leaves_every_record_as_before(store: Store, put: Put) -> None:
    """What it added is retracted, what it changed gets its old content in a new version."""
    (one,) = put(note("tea"))
    put(replace(one, text="coffee"), note("milk"))

    records = {record.text: record for record in undone(store, 2)}

    assert records["tea"].version == 3
    assert records["tea"].state is State.ACTIVE
    assert records["milk"].state is State.RETRACTED
    assert check(store).problems == ()


def test_a_record_that_changed_since_is_not_undone(store: Store, put: Put) -> None:
    """Unless its content is again what the commit made of it."""
    (one,) = put(note("tea"))
    (two,) = put(replace(one, text="coffee"))
    (three,) = put(replace(two, text="cocoa"))

    with pytest.raises(InvalidInput, match=f"'{one.id}' was changed again later; revert that"):
        undone(store, 2)

    put(replace(three, text="coffee"))
    assert undone(store, 2)[0].text == "tea"


def test_what_others_are_recalled_through_is_not_undone(store: Store, put: Put) -> None:
    """A copy that was merged later would be lost with it; one of the same commit goes along."""
    (one,) = put(note("tea"))
    copy = replace(note("Tea!"), state=State.MERGED, superseded_by=one.id)
    put(copy)

    with pytest.raises(InvalidInput, match=f"'{copy.id}' was merged into '{one.id}' later"):
        undone(store, 1)
    undone(store, 2)
    assert undone(store, 1)[0].state is State.RETRACTED

    both = note("milk"), note("Milk!")
    put(both[0], replace(both[1], state=State.MERGED, superseded_by=both[0].id))
    assert {record.state for record in undone(store, 5)} == {State.RETRACTED}


def test_a_commit_that_an_erase_took_from_is_not_undone(store: Store, put: Put) -> None:
    """Not even its other half: a commit is undone whole."""
    (one, two) = put(note("tea"), note("milk"))
    put(replace(two, text="cream"))
    with store.write(3.0) as transaction:
        destroy(transaction, [one.id])

    with pytest.raises(InvalidInput, match=f"'{one.id}' was erased; what an erase took cannot"):
        undone(store, 1)
    assert undone(store, 2)[0].text == "milk"


def test_an_empty_plan_undoes_a_commit_without_records(store: Store, put: Put) -> None:
    """Use that was counted is no change."""
    (one,) = put(note("tea"))
    store.used([one.id], 5.0)
    store.flush(5.0)

    with store.snapshot() as db:
        assert journal.undo(db, 2, {}) == EditPlan((), method="revert")


def test_a_plan_names_the_version_that_it_was_made_on(store: Store, put: Put) -> None:
    """So that nothing is undone behind another writer's back."""
    (one,) = put(note("tea"))

    with store.snapshot() as db:
        plan = journal.undo(db, 1, current(db, [one.id]))

    assert plan.edits == (Edit(replace(one, state=State.RETRACTED), basis=1),)
