"""Opening a file: new, older, newer, foreign, cut short, full or locked away."""

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engram.errors import InvalidInput, StoreCorrupt, StoreFull, StoreReadOnly, StoreTooNew
from engram.plaintext.roles import Edit, EditPlan, Record, Scope
from engram.plaintext.store import schema
from engram.plaintext.store.check import check
from engram.plaintext.store.store import Store, stored_embedder
from engram.plaintext.store.transaction import new_id
from engram.plaintext.store.view import locate, scopes
from engram.plaintext.text.words import WORDS_VERSION

Put = Callable[..., list[Record]]
ByHand = Callable[..., list[Any]]


def kept(path: Path, text: str = "tea") -> str:
    """Make a store that holds one record; its id."""
    with closing(Store(path)) as store, store.write(1.0) as transaction:
        record = Record(id=new_id(1.0), text=text)
        transaction.apply(EditPlan((Edit(record),)))
        return record.id


def test_a_new_file_is_made_with_its_folders(tmp_path: Path) -> None:
    """The first run needs no set-up."""
    path = tmp_path / "not" / "yet" / "there.db"
    kept(path)

    assert path.is_file()


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    """A file of zero bytes is what ``mktemp`` makes."""
    path = tmp_path / "memory.db"
    path.touch()
    kept(path)

    with closing(Store(path)) as store:
        assert check(store).records == 1


def test_what_was_written_is_there_after_opening_again(tmp_path: Path) -> None:
    """The file is all there is."""
    path = tmp_path / "memory.db"
    record = kept(path)

    with closing(Store(path)) as store, store.snapshot() as db:
        found = locate(db, record)
    assert found is not None
    assert found.text == "tea"


def test_a_newer_format_is_left_alone(tmp_path: Path) -> None:
    """Reading it wrong would be worse than not reading it."""
    path = tmp_path / "memory.db"
    kept(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version={schema.FORMAT + 1}")
    before = path.read_bytes()

    with pytest.raises(StoreTooNew, match="upgrade engram"):
        Store(path)
    assert path.read_bytes() == before


def test_a_store_writes_ahead(tmp_path: Path) -> None:
    """So that readers never wait for a writer, and a killed process loses nothing."""
    with closing(Store(tmp_path / "memory.db")) as store, store.snapshot() as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    """It must not grow our tables."""
    path = tmp_path / "bookmarks.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE bookmarks(url TEXT)")
    before = path.read_bytes()

    with pytest.raises(StoreCorrupt, match="not an engram store"):
        Store(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"Dear diary,\n" * 50, b"\x00" * 8192, b"SQLite format 3\x00", b"{}"]
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(
    tmp_path: Path, content: bytes
) -> None:
    """Somebody's text is not ours to overwrite."""
    path = tmp_path / "diary.txt"
    path.write_bytes(content)

    with pytest.raises(StoreCorrupt):
        Store(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_file_cut_short_is_damaged_and_says_so(tmp_path: Path, share: float) -> None:
    """On opening, or at the latest in a check."""
    path = tmp_path / "memory.db"
    with closing(Store(path)) as store:
        for at in range(40):
            with store.write(at) as transaction:
                record = Record(id=new_id(at), text="word " * 300)
                transaction.apply(EditPlan((Edit(record),)))
        store.connections.get().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.truncate(path, int(path.stat().st_size * share) // 4096 * 4096)

    with pytest.raises(StoreCorrupt):
        _check(path)


def _check(path: Path) -> None:
    """Open and check; what a check finds is raised, so that either counts."""
    with closing(Store(path)) as store:
        if problems := check(store).problems:
            raise StoreCorrupt("; ".join(problems))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """The message names the path."""
    with pytest.raises(StoreReadOnly, match=str(tmp_path)):
        Store(tmp_path)


def test_a_path_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    """No folder can stand there."""
    (tmp_path / "file").touch()

    with pytest.raises(StoreReadOnly, match="folder cannot be made"):
        Store(tmp_path / "file" / "memory.db")


@pytest.mark.parametrize("durability", ["", "FULL", "fast", "0; DROP TABLE log"])
def test_an_unknown_durability_is_refused(tmp_path: Path, durability: str) -> None:
    """It would otherwise be the database's default, in silence."""
    with pytest.raises(InvalidInput, match="durability must be"):
        Store(tmp_path / "memory.db", durability=durability)
    assert not (tmp_path / "memory.db").exists()


UNPRIVILEGED = """
import os, sys
from pathlib import Path
from engram.errors import StoreReadOnly
from engram.plaintext.store.store import Store
from engram.plaintext.roles import Edit, EditPlan, Record
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    store = Store(Path(sys.argv[1]))
    with store.write(9.0) as transaction:
        transaction.apply(EditPlan((Edit(Record(id="x", text="y")),)))
except StoreReadOnly as error:
    print("refused:", error)
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can reach; pytest's own are closed to them."""
    folder = Path(tempfile.mkdtemp(prefix="engram-test-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("existing", [True, False])
def test_a_place_without_permission_is_read_only(open_folder: Path, existing: bool) -> None:
    """As a user who may read but not write; root, who may all, becomes nobody first."""
    path = open_folder / "memory.db"
    if existing:
        kept(path)
        path.chmod(0o444)
    open_folder.chmod(0o555)

    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED, str(path)], capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith(f"refused: {path}"), done.stdout + done.stderr


def test_a_full_file_keeps_all_that_was_acknowledged(store: Store, put: Put) -> None:
    """The write that finds no room is undone whole, and the next one goes on when there is."""
    (first,) = put(Record(id=new_id(1.0), text="tea"))
    db = store.connections.get()
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count={pages + 1}")

    with pytest.raises(StoreFull, match="no space is left"):
        put(Record(id=new_id(2.0), text="word " * 20_000, scope=Scope("bo")))
    db.execute("PRAGMA max_page_count=1000000")

    assert check(store).problems == ()
    with store.snapshot() as snapshot:
        assert locate(snapshot, first.id) is not None
        assert [scope.user for scope in scopes(snapshot)] == ["default"]
    put(Record(id=new_id(3.0), text="milk"))
    assert check(store).records == 2


def test_a_disk_that_refuses_more_is_a_full_disk(tmp_path: Path) -> None:
    """A limit on the size of files gives the same error as a disk without room."""
    path = tmp_path / "memory.db"
    record = kept(path)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    script = f"""
import resource, sys
from pathlib import Path
from engram.errors import StoreFull
from engram.plaintext.store.store import Store
from engram.plaintext.roles import Edit, EditPlan, Record
store = Store(Path({str(path)!r}))
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, {hard}))
try:
    with store.write(9.0) as transaction:
        transaction.apply(EditPlan((Edit(Record(id="x", text="word " * 200_000)),)))
except StoreFull as error:
    print("full:", error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith(f"full: {path}"), done.stdout + done.stderr
    with closing(Store(path)) as store, store.snapshot() as db:
        assert locate(db, record) is not None
        assert check(store).problems == ()


def test_a_disk_without_room_loses_nothing(tmp_path: Path) -> None:
    """On a real file system of one megabyte, filled to the brim."""
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(small)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        with closing(Store(small / "memory.db")) as store:
            acknowledged = _fill(store)
            assert acknowledged
            assert check(store).problems == ()
        with closing(Store(small / "memory.db")) as store, store.snapshot() as db:
            assert all(locate(db, record) for record in acknowledged)
    finally:
        subprocess.run(["umount", str(small)], check=True)


def _fill(store: Store) -> list[str]:
    acknowledged: list[str] = []
    for at in range(1000):
        record = Record(id=new_id(at), text=f"{at} and so on " * 100)
        try:
            with store.write(at) as transaction:
                transaction.apply(EditPlan((Edit(record),)))
        except StoreFull:
            return acknowledged
        acknowledged.append(record.id)
    raise AssertionError("a file system of 1 MB held a thousand records")


def test_a_store_of_older_words_is_reindexed_when_opened(tmp_path: Path) -> None:
    """Rows that were analysed differently would not be found by today's queries."""
    path = tmp_path / "memory.db"
    kept(path, "running home")
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE meta SET value='0-older' WHERE key='words'")
        db.execute("INSERT INTO terms(terms) VALUES('delete-all')")
        db.execute("INSERT INTO terms(rowid, words) VALUES(1, '1xrunning 1xhome')")
        db.commit()

    with closing(Store(path)) as store, store.snapshot() as db:
        assert db.execute("SELECT value FROM meta WHERE key='words'").fetchone() == (WORDS_VERSION,)
        assert check(store).problems == ()


def test_the_embedder_of_a_file_is_remembered_by_its_name(tmp_path: Path) -> None:
    """So that it opens with the same next time."""
    path = tmp_path / "memory.db"
    assert stored_embedder(path) is None
    Store(path, embedder=("fake", 4), spec="ollama:fake").close()
    assert stored_embedder(path) == "ollama:fake"
    Store(path, embedder=("other", 4), spec="ollama:other").close()

    assert stored_embedder(path) == "ollama:other"


def test_a_changed_embedder_leaves_the_job_of_embedding_anew(store: Store, put: Put) -> None:
    """The old vectors stay until the new ones are there."""
    put(Record(id=new_id(1.0), text="tea"))

    with closing(Store(store.path, embedder=("other", 2))) as changed:
        with changed.snapshot() as db:
            assert db.execute("SELECT kind FROM jobs").fetchall() == [("embed",)]
        with changed.read(Scope()) as view:
            assert view.columns.embedded.tolist() == [False]
        assert check(changed).problems == ()


def test_the_stores_clock_never_runs_backwards(store: Store, put: Put) -> None:
    """Else nobody could say what was known at a time."""
    put(Record(id=new_id(1.0), text="tea"), at=100.0)
    (late,) = put(Record(id=new_id(1.0), text="milk"), at=50.0)

    assert late.known_from == 100.0


def test_a_reader_keeps_its_snapshot_while_others_write(store: Store, put: Put) -> None:
    """What a search sees does not change under it, and it sees no later write."""
    (one,) = put(Record(id=new_id(1.0), text="tea"))
    with store.read(Scope()) as view:
        with closing(Store(store.path)) as other, other.write(9.0) as transaction:
            new = replace(one, text="coffee")
            transaction.apply(EditPlan((Edit(new, 1), Edit(Record(id=new_id(1.0), text="milk")))))
        seen = view.get(one.id)
        assert seen is not None
        assert seen.text == "tea"
        assert len(view.columns.rows) == 1

    with store.read(Scope()) as view:
        assert len(view.columns.rows) == 3


def test_use_is_written_with_the_next_commit(store: Store, put: Put, by_hand: ByHand) -> None:
    """Reading costs no write of its own."""
    (one,) = put(Record(id=new_id(1.0), text="tea"))
    store.used([one.id], 7.0)
    store.used([one.id], 6.0)
    assert by_hand("SELECT * FROM usage") == []
    put(Record(id=new_id(1.0), text="milk"))

    assert by_hand("SELECT * FROM usage") == [(one.id, 2, 7.0)]
    assert check(store).problems == ()


def test_use_is_not_lost_with_a_write_that_fails(store: Store, put: Put, by_hand: ByHand) -> None:
    """What was counted waits for a commit that succeeds."""
    (one,) = put(Record(id=new_id(1.0), text="tea"))
    store.used([one.id], 7.0)
    db = store.connections.get()
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreFull):
        put(Record(id=new_id(1.0), text="word " * 50_000))
    db.execute("PRAGMA max_page_count=1000000")
    store.flush(8.0)

    assert by_hand("SELECT * FROM usage") == [(one.id, 1, 7.0)]
