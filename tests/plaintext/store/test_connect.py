"""One connection for each thread, none shared with a fork, and errors that say what to do."""

import multiprocessing
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engram.errors import StoreBusy, StoreClosed, StoreError
from engram.plaintext.roles import Edit, EditPlan, Record, Scope
from engram.plaintext.store.check import check
from engram.plaintext.store.connect import Connections, translated
from engram.plaintext.store.store import Store
from engram.plaintext.store.transaction import new_id
from engram.plaintext.store.view import locate

Put = Callable[..., list[Record]]


def add(store: Store, text: str) -> str:
    """Write one record; its id."""
    with store.write(1.0) as transaction:
        record = Record(id=new_id(1.0), text=text)
        transaction.apply(EditPlan((Edit(record),)))
        return record.id


def test_every_thread_has_its_own_connection(tmp_path: Path) -> None:
    """And gets the same one each time."""
    connections = Connections(tmp_path / "memory.db", "full")
    seen = [connections.get(), connections.get()]
    thread = threading.Thread(target=lambda: seen.append(connections.get()))
    thread.start()
    thread.join()
    connections.close()

    assert seen[0] is seen[1]
    assert seen[2] is not seen[0]


@pytest.mark.parametrize(("durability", "level"), [("full", 2), ("normal", 1), ("off", 0)])
def test_durability_is_sqlites_synchronous(tmp_path: Path, durability: str, level: int) -> None:
    """Freed bytes are overwritten at any setting."""
    connections = Connections(tmp_path / "memory.db", durability)
    db = connections.get()

    assert db.execute("PRAGMA synchronous").fetchone() == (level,)
    assert db.execute("PRAGMA secure_delete").fetchone() == (1,)
    connections.close()


def test_threads_write_and_read_at_the_same_time(store: Store) -> None:
    """Eight threads: nothing is lost, and every reader sees whole commits."""
    ids: list[str] = []
    halves: list[int] = []

    def work(number: int) -> None:
        for at in range(10):
            with store.write(float(at)) as transaction:
                pair = [Record(id=new_id(at), text=f"{number} {at} {side}") for side in "ab"]
                transaction.apply(EditPlan(tuple(map(Edit, pair))))
            ids.extend(record.id for record in pair)
            with store.read(Scope()) as view:
                halves.append(len(view.columns.rows) % 2)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with store.snapshot() as db:
        assert all(locate(db, record) for record in ids)
    assert len(ids) == 160
    assert set(halves) == {0}
    assert check(store).problems == ()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_opens_its_own_connection(store: Store) -> None:
    """The parent's must be neither used nor closed there; both go on writing."""
    before = add(store, "before the fork")
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, add(store, "in the child").encode())
            store.close()
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        inside = pipe.read()
    os.waitpid(child, 0)
    after = add(store, "after the fork")

    with store.snapshot() as db:
        assert all(locate(db, record) for record in (before, inside, after))
    assert check(store).problems == ()


def test_a_closed_store_says_that_it_is_closed(store: Store) -> None:
    """In every thread, and closing again is harmless."""
    store.close()
    store.close()

    with pytest.raises(StoreClosed, match="open it again"), store.snapshot():
        pass
    with pytest.raises(StoreClosed, match="open it again"):
        add(store, "tea")


def test_a_lock_that_stays_is_a_busy_store(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the wait; nothing was written and the next try succeeds."""
    db = store.connections.get()
    db.execute("PRAGMA busy_timeout=50")
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match="try again"):
            add(store, "tea")
        other.execute("ROLLBACK")

    add(store, "tea")
    assert check(store).records == 1


def test_readers_do_not_wait_for_writers(store: Store) -> None:
    """A search goes on while another process writes."""
    record = add(store, "tea")
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM rows")
        with store.read(Scope()) as view:
            assert view.get(record) is not None
        other.execute("ROLLBACK")


def test_an_unforeseen_error_keeps_its_cause(tmp_path: Path) -> None:
    """The message has the path, SQLite's words and the chain for whoever must dig."""
    with pytest.raises(StoreError, match="syntax error") as caught, translated(tmp_path):
        sqlite3.connect(":memory:").execute("SELEKT")

    assert isinstance(caught.value.__cause__, sqlite3.Error)


def _child(path: Path, sender: Any) -> None:
    store = Store(path)
    sender.send([add(store, f"child {at}") for at in range(10)])
    store.close()


def test_two_processes_make_one_new_file_together(tmp_path: Path) -> None:
    """Whoever comes second waits and finds the tables made."""
    context = multiprocessing.get_context("spawn")
    path = tmp_path / "memory.db"
    pipes = [context.Pipe(duplex=False) for _ in range(2)]
    children = [context.Process(target=_child, args=(path, send)) for _, send in pipes]
    for child in children:
        child.start()
    ids = [record for receive, _ in pipes for record in receive.recv()]
    for child in children:
        child.join()

    with closing(Store(path)) as store, store.snapshot() as db:
        assert all(locate(db, record) for record in ids)
        assert len(set(ids)) == 20
        assert check(store).problems == ()
