"""Forms: rows with their files, found, counted and swept."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from engram.errors import StoreFull
from engram.plaintext.roles import Record
from engram.plaintext.store import forms, parts
from engram.plaintext.store.check import check
from engram.plaintext.store.form_files import content
from engram.plaintext.store.forms import Form
from engram.plaintext.store.store import Store
from engram.plaintext.store.transaction import new_id

Put = Callable[..., list[Record]]
TENSORS = b"tensors of the tea" * 1000


def form(name: str, *records: Record, made: float = 1.0, held: bytes = TENSORS) -> Form:
    """The row of a form."""
    return Form(
        id=name, space=1, kind="activation", model="m", preset="full", method="promote",
        state="fresh", tokens=3, size=len(held), file=f"{name}.safetensors",
        checksum=forms.checksum(held), chain=b"", made=made,
        records=tuple((record.id, record.version) for record in records),
    )  # fmt: skip


def kept(store: Store, wanted: Form, held: bytes = TENSORS) -> bool:
    """Write it with its file."""
    with parts.written(store.path, held) as part:
        return forms.keep(store, wanted, part)


def files(store: Store) -> list[str]:
    """What lies in the folder of the forms."""
    return sorted(parts.listed(store.path))


@pytest.fixture
def tea(put: Put) -> Record:
    """One record."""
    (record,) = put(Record(id=new_id(1.0), text="tea"))
    return record


def test_a_form_is_found_as_it_was_kept(store: Store, put: Put, tea: Record) -> None:
    """With its records in their order, whatever the order of their ids."""
    (milk,) = put(Record(id=new_id(1.0), text="milk"))
    first, second = form("b", milk, tea, made=1.0), form("a", tea, made=2.0)
    assert kept(store, second)
    assert kept(store, first)

    with store.snapshot() as db:
        assert forms.within(db, None) == forms.within(db, 1) == [first, second]
        assert forms.within(db, 2) == []
        assert forms.find(db, "a") == second
        assert forms.find(db, "c") is None
        assert forms.holding(db, tea.id) == [("a", 1), ("b", 1)]
        assert [r.text for r in forms.records_of(db, first)] == ["milk", "tea"]
    assert content(store, first) == TENSORS


def test_a_form_made_again_takes_the_place_of_the_old(store: Store, tea: Record) -> None:
    """How often it was attached stays; the old file is swept."""
    kept(store, form("a", tea))
    forms.count(store, {"a": (2, 7.0), "gone": (1, 7.0)})
    forms.count(store, {"a": (1, 5.0)})
    kept(store, replace(form("a", tea), file="later.safetensors"))

    assert forms.sweep(store)

    with store.snapshot() as db:
        found = forms.find(db, "a")
    assert found is not None
    assert (found.uses, found.last_used, found.file) == (3, 7.0, "later.safetensors")
    assert files(store) == ["later.safetensors"]


def test_what_nobody_names_is_swept(store: Store, tea: Record) -> None:
    """A file of a form stays; a stray one, and a part that its writer left, go."""
    kept(store, form("a", tea))
    for name in ("stray.safetensors", "left.part"):
        (parts.folder(store.path) / name).write_bytes(TENSORS)

    assert forms.sweep(store)

    assert files(store) == ["a.safetensors"]


def test_a_part_that_is_being_written_is_left(store: Store, tea: Record) -> None:
    """A sweep in between does not take it away."""
    with parts.written(store.path, TENSORS) as part:
        assert forms.sweep(store)
        assert forms.keep(store, form("a", tea), part)

    assert files(store) == ["a.safetensors"]


def test_without_forms_there_is_no_folder(store: Store, tea: Record) -> None:
    """Sweeping makes none."""
    assert forms.sweep(store)

    assert not parts.folder(store.path).exists()


def test_a_link_is_taken_away_and_what_it_leads_to_is_left(store: Store, tea: Record) -> None:
    """Only what lies in the folder is ours to destroy."""
    kept(store, form("a", tea))
    diary = store.path.parent / "diary.txt"
    diary.write_text("Dear diary")
    (parts.folder(store.path) / "b.safetensors").symlink_to(diary)

    assert forms.sweep(store)

    assert files(store) == ["a.safetensors"]
    assert diary.read_text() == "Dear diary"


def test_what_cannot_be_destroyed_is_said(store: Store, tea: Record) -> None:
    """A receipt must not say that it is gone."""
    assert parts.destroyed(store.path.parent) is False
    assert parts.destroyed(store.path.parent / "never was") is True


def test_no_room_leaves_nothing_behind(store: Store, tea: Record) -> None:
    """The error is one line, and no part stays."""
    parts.folder(store.path).write_bytes(b"a file where the folder should be")

    with pytest.raises(StoreFull, match="no form can be written"):
        kept(store, form("a", tea))

    assert files(store) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from engram.memory import Memory
from engram.plaintext.store import forms, parts
from engram.plaintext.store.forms import Form
left = int(sys.argv[3])
folder = str(parts.folder(Path(sys.argv[1])))
def watch(event, arguments):
    global left
    if event in ("open", "os.rename", "os.remove") and folder in str(arguments[0]):
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
memory = Memory.open(sys.argv[1], embedder="none")
sys.addaudithook(watch)
if sys.argv[2] == "keep":
    held = b"zyxwort" * 100
    form = Form(id="b", space=1, kind="activation", model="m", preset="full", method="promote",
        state="fresh", tokens=3, size=len(held), file="b.safetensors",
        checksum=forms.checksum(held), chain=b"", made=1.0, records=((sys.argv[4], 1),))
    with parts.written(memory.path, held) as part:
        forms.keep(memory.store, form, part)
else:
    memory.erase(sys.argv[4])
memory.close()
"""


def killed(store: Store, what: str, step: int, record: str) -> bool:
    """Do it in a process that is killed at its so many-th step among the files; whether it was."""
    arguments = [sys.executable, "-c", KILLED, str(store.path), what, str(step), record]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


@pytest.mark.slow
def test_a_killed_writer_leaves_a_row_with_its_file_or_neither(store: Store, tea: Record) -> None:
    """At whatever step among the files it dies; the next open sweeps what it left."""
    kept(store, form("a", tea))
    steps = 0
    while killed(store, "keep", steps + 1, tea.id):
        steps += 1
        store.connections.get()
        assert forms.sweep(store)
        assert check(store).problems == ()
        assert set(files(store)) <= {"a.safetensors", "b.safetensors"}

    assert steps >= 2
    assert files(store) == ["a.safetensors", "b.safetensors"]
    assert check(store).problems == ()


@pytest.mark.slow
def test_an_erase_that_is_killed_is_finished_by_the_next_open(store: Store, put: Put) -> None:
    """At whatever step among the files: then neither a row nor a byte of the form is there."""
    from engram.memory import Memory

    steps, again = 0, True
    while again:
        (record,) = put(Record(id=new_id(1.0), text="Zyxwort is red."))
        kept(store, form(f"f{steps}", record), TENSORS)
        twin = store.path.parent / f"twin-{steps}"
        os.link(parts.folder(store.path) / f"f{steps}.safetensors", twin)
        again = killed(store, "erase", steps + 1, record.id)
        with Memory.open(store.path, embedder="none") as memory:
            assert memory.check()["problems"] == []
            assert memory.forms() == []
        assert files(store) == []
        assert not any(twin.read_bytes())
        steps += 1

    assert steps >= 2


def test_check_names_what_is_wrong_with_forms(store: Store, put: Put, tea: Record) -> None:
    """A row without its file, a file without a row, other bytes; repair ends what is broken."""
    for name in ("gone", "hurt", "sound"):
        kept(store, form(name, tea))
    place = parts.folder(store.path)
    (place / "gone.safetensors").unlink()
    (place / "hurt.safetensors").write_bytes(TENSORS[::-1])
    (place / "stray.safetensors").write_bytes(b"")

    found, mended = check(store), check(store, repair=True)

    assert found.problems == (
        "forms: gone has a file that is missing",
        "forms: hurt has a file that is damaged",
        "forms: the file stray.safetensors belongs to none",
    )
    assert (mended.problems, mended.repaired) == ((), True)
    with store.snapshot() as db:
        assert {f.id: f.state for f in forms.within(db, None)} == {
            "gone": "stale",
            "hurt": "stale",
            "sound": "fresh",
        }
    assert files(store) == ["sound.safetensors"]


def test_check_finds_a_form_of_a_version_that_is_not_current(store: Store, tea: Record) -> None:
    """As somebody leaves it who writes past the store."""
    kept(store, form("a", tea))
    store.connections.get().execute("UPDATE form_records SET version=4")

    assert check(store).problems == ("forms: a holds what is not recalled as it says",)
    assert check(store, repair=True).problems == ()


def test_what_a_form_was_made_of_is_not_in_an_archive(store: Store, tea: Record) -> None:
    """An export holds the log; a form is made anew where the archive is read."""
    from engram.exchange import archive

    kept(store, form("a", tea))
    target = store.path.parent / "out.jsonl"
    with target.open("w") as out:
        archive.write(store, out)
    with target.open() as lines:
        other = Store(Path(store.path.parent / "other.db"))
        archive.read(other, lines)

    with other.snapshot() as db:
        assert forms.within(db, None) == []
    other.close()
