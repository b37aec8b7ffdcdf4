"""Formats: an older file is brought up to date, in one transaction, after a copy."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engram.plaintext.roles import Edit, EditPlan, Record
from engram.plaintext.store import schema
from engram.plaintext.store.check import check
from engram.plaintext.store.store import Store
from engram.plaintext.store.transaction import new_id
from engram.plaintext.store.view import locate


def kept(path: Path) -> str:
    """Make a store that holds one record; its id."""
    with closing(Store(path)) as store, store.write(1.0) as transaction:
        record = Record(id=new_id(1.0), text="tea")
        transaction.apply(EditPlan((Edit(record),)))
        return record.id


def test_an_older_format_is_migrated_after_a_backup(tmp_path: Path, monkeypatch: Any) -> None:
    """One step, in one transaction; the copy beside the file is the old one, whole."""
    path, now = tmp_path / "memory.db", schema.FORMAT
    record = kept(path)
    step = "CREATE TABLE extra(x);\nINSERT INTO extra VALUES(1)"
    monkeypatch.setattr(schema, "FORMAT", now + 1)
    monkeypatch.setitem(schema.MIGRATIONS, now, step)

    with closing(Store(path)) as store, store.snapshot() as db:
        assert db.execute("SELECT x FROM extra").fetchall() == [(1,)]
        assert db.execute("PRAGMA user_version").fetchone() == (now + 1,)
        assert locate(db, record) is not None
    with closing(sqlite3.connect(tmp_path / f"memory.db.format-{now}.backup")) as old:
        assert old.execute("PRAGMA user_version").fetchone() == (now,)
        assert old.execute("SELECT count(*) FROM log").fetchone() == (1,)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    """The old version of the program can still open the file."""
    path, now = tmp_path / "memory.db", schema.FORMAT
    kept(path)
    step = "CREATE TABLE extra(x);\nINSERT INTO nowhere VALUES(1)"
    with monkeypatch.context() as patch:
        patch.setattr(schema, "FORMAT", now + 1)
        patch.setitem(schema.MIGRATIONS, now, step)
        with pytest.raises(Exception, match="nowhere"):
            Store(path)

    with closing(Store(path)) as store, store.snapshot() as db:
        assert db.execute("SELECT name FROM sqlite_master WHERE name='extra'").fetchall() == []
        assert check(store).problems == ()


def test_a_file_of_the_first_format_becomes_one_of_today(tmp_path: Path) -> None:
    """It has the tables of a new file, its records, and a copy of what it was beside it."""
    path, new = tmp_path / "memory.db", tmp_path / "new.db"
    record = kept(path)
    kept(new)
    with closing(sqlite3.connect(path)) as first:
        first.executescript("DROP TABLE forms; DROP TABLE form_records; PRAGMA user_version=1")

    with closing(Store(path)) as store, store.snapshot() as db:
        assert locate(db, record) is not None
        assert check(store).problems == ()
    assert _tables(path) == _tables(new)
    assert (tmp_path / "memory.db.format-1.backup").exists()


def _tables(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
