"""What ends a form: every change that shows in it, in the commit that makes the change."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engram.errors import IllegalChange
from engram.exchange import archive
from engram.plaintext import upkeep
from engram.plaintext.roles import Edit, EditPlan, Record, State
from engram.plaintext.store import forms, parts
from engram.plaintext.store.forms import Form
from engram.plaintext.store.replay import rebuild
from engram.plaintext.store.store import Store
from engram.plaintext.store.touching import live, unfit
from engram.plaintext.store.transaction import new_id

Put = Callable[..., list[Record]]


def note(text: str, **more: Any) -> Record:
    """A new record."""
    return Record(id=new_id(1.0), text=text, **more)


def formed(store: Store, name: str, *records: Record) -> Form:
    """A form of these records, with a file that says its name."""
    content = name.encode()
    form = Form(
        id=name, space=1, kind="activation", model="m", preset="full", method="promote",
        state="fresh", tokens=3, size=len(content), file=parts.fresh_name(".safetensors"),
        checksum=forms.checksum(content), chain=b"c", made=1.0,
        records=tuple((record.id, record.version) for record in records),
    )  # fmt: skip
    with parts.written(store.path, content) as part:
        assert forms.keep(store, form, part)
    return form


def states(store: Store) -> dict[str, str]:
    """Form -> its state."""
    with store.snapshot() as db:
        return {form.id: form.state for form in forms.within(db, None)}


@pytest.fixture
def three(store: Store, put: Put) -> list[Record]:
    """Tea, milk and salt; a form of each pair, and one of salt alone."""
    tea, milk, salt = put(note("tea"), note("milk"), note("salt"))
    formed(store, "tea+milk", tea, milk)
    formed(store, "milk+salt", milk, salt)
    formed(store, "salt", salt)
    return [tea, milk, salt]


SHOWN: dict[str, dict[str, Any]] = {
    "an edit": {"text": "coffee"},
    "another time": {"event_time": 5.0},
    "another speaker": {"fields": {"speaker": "Ana"}},
    "an end": {"valid_to": 9e9},
    "a beginning": {"valid_from": 1.0},
    "an expiry": {"expires_at": 9e9},
    "a delete": {"state": State.ARCHIVED},
    "a supersede": {"state": State.ARCHIVED, "superseded_by": "other"},
    "a merge": {"state": State.MERGED, "superseded_by": "other"},
    "an expire": {"state": State.EXPIRED},
    "a quarantine": {"state": State.QUARANTINED},
}


@pytest.mark.parametrize("change", SHOWN)
def test_a_change_that_shows_ends_exactly_the_forms_that_hold_it(
    change: str, store: Store, put: Put, three: list[Record]
) -> None:
    """Of three forms the one that does not hold the record stays."""
    put(replace(three[0], **SHOWN[change]))

    assert states(store) == {"milk+salt": "fresh", "salt": "fresh", "tea+milk": "stale"}


@pytest.mark.parametrize(
    "change", [{"tags": ("hot",)}, {"importance": 0.9}, {"metadata": {"a": 1}}, {"strength": 2.0}]
)
def test_a_change_that_shows_nowhere_ends_none(
    change: dict[str, Any], store: Store, put: Put, three: list[Record]
) -> None:
    """The form goes on with the new version, so that it is not made anew for a tag."""
    put(replace(three[1], **change))

    with store.snapshot() as db:
        held = forms.find(db, "tea+milk")
        assert unfit(db) == []
    assert held is not None
    assert held.records == ((three[0].id, 1), (three[1].id, 2))
    assert set(states(store).values()) == {"fresh"}


def test_two_quiet_changes_are_followed(store: Store, put: Put, three: list[Record]) -> None:
    """And a loud one after them is still noticed."""
    (twice,) = put(replace(three[2], tags=("a",)))
    (twice,) = put(replace(twice, tags=("b",)))
    assert states(store)["salt"] == "fresh"
    put(replace(twice, text="pepper"))

    assert states(store) == {"milk+salt": "stale", "salt": "stale", "tea+milk": "fresh"}


def test_a_commit_that_fails_ends_none(store: Store, three: list[Record]) -> None:
    """The form and the text change together, or neither does."""
    wanted = (Edit(replace(three[0], text="coffee"), 1), Edit(replace(three[1], text="oil"), 7))
    with pytest.raises(IllegalChange), store.write(2000.0) as transaction:
        transaction.apply(EditPlan(wanted))

    assert set(states(store).values()) == {"fresh"}


def test_an_erase_forgets_the_form_and_destroys_its_file(store: Store, three: list[Record]) -> None:
    """Nothing is left that follows from the text: no row, no byte, not even under another name."""
    twin = store.path.parent / "twin"
    with store.snapshot() as db:
        doomed = forms.find(db, "tea+milk")
    assert doomed is not None
    file = parts.folder(store.path) / doomed.file
    twin.hardlink_to(file)

    receipt = upkeep.erase(store, 3000.0, [three[0].id], actor="")

    assert receipt.scrubbed
    assert states(store) == {"milk+salt": "fresh", "salt": "fresh"}
    assert not file.exists()
    assert twin.read_bytes() == bytes(len("tea+milk"))


def test_an_import_that_changes_a_record_ends_its_forms(tmp_path: Path, put: Put) -> None:
    """Whatever way a later version comes, the form of the former one ends."""
    here, there = Store(tmp_path / "here.db"), Store(tmp_path / "there.db")
    with here.write(1.0) as transaction:
        (tea, milk) = transaction.apply(EditPlan((Edit(note("tea")), Edit(note("milk")))))
    archive.read(there, _lines(here))
    formed(there, "tea", tea)
    formed(there, "milk", milk)
    with here.write(2.0) as transaction:
        transaction.apply(EditPlan((Edit(replace(tea, text="coffee"), 1),)))

    archive.read(there, _lines(here))

    assert states(there) == {"milk": "fresh", "tea": "stale"}
    upkeep.erase(here, 3.0, [milk.id], actor="")
    archive.read(there, _lines(here))
    assert states(there) == {"tea": "stale"}
    here.close()
    there.close()


def _lines(store: Store) -> list[str]:
    out = io.StringIO()
    archive.write(store, out)
    return out.getvalue().splitlines()


def test_a_revert_ends_the_forms_of_what_it_changes(store: Store, put: Put) -> None:
    """Also of what it takes back altogether."""
    (tea,) = put(note("tea"))
    formed(store, "tea", tea)
    with store.snapshot() as db:
        (commit,) = db.execute("SELECT id FROM commits").fetchone()

    upkeep.revert(store, 5000.0, commit, actor="", reason="")

    assert states(store) == {"tea": "stale"}


def test_a_form_of_a_record_that_changed_meanwhile_is_not_kept(store: Store, put: Put) -> None:
    """It took a while to make; what it was made of is checked in the transaction that keeps it."""
    (tea,) = put(note("tea"))
    put(replace(tea, text="coffee"))

    with pytest.raises(AssertionError):
        formed(store, "tea", tea)

    assert states(store) == {}
    assert parts.listed(store.path) == {}


def test_a_rebuild_leaves_the_forms_that_still_fit(
    store: Store, put: Put, three: list[Record]
) -> None:
    """They follow from the records, not from the tables that are made anew."""
    with store.connections.using() as db:
        db.execute("UPDATE form_records SET version=9 WHERE form='salt'")
        rebuild(db)

    assert states(store) == {"milk+salt": "fresh", "salt": "stale", "tea+milk": "fresh"}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (note("a"), True),
        (note("a", state=State.GENERATED), False),
        (note("a", state=State.QUARANTINED), False),
        (note("a", expires_at=50.0), False),
        (note("a", expires_at=50.1), True),
        (note("a", valid_to=50.0), False),
        (note("a", valid_from=51.0), True),
        (note("a", valid_from=51.0, kind="fact"), False),
        (note("a", valid_from=50.0, kind="fact"), True),
    ],
)
def test_only_what_would_be_recalled_is_live(record: Record, expected: bool) -> None:
    """By the rules of a search, at the second 50."""
    assert live(record, 50.0) is expected
