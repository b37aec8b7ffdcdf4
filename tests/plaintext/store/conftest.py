"""A store on an empty file, a way to put records into it, and a vandal."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engram.plaintext.roles import Edit, EditPlan, Record
from engram.plaintext.store.store import Store
from engram.plaintext.store.view import locate
from engram.ports import Embedder, Vectors

DIMENSION = 4


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store whose embedder is called ``fake`` and gives four numbers."""
    store = Store(tmp_path / "memory.db", embedder=("fake", DIMENSION))
    yield store
    store.close()


class Same:
    """Gives every text the same unit vector: enough for whoever only counts vectors."""

    name = "fake"
    dimension = DIMENSION

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.full((len(texts), DIMENSION), 0.5, dtype=np.float32)


@pytest.fixture
def embedder() -> Embedder:
    """The embedder that ``store`` was opened with."""
    return Same()


@pytest.fixture
def put(store: Store) -> Callable[..., list[Record]]:
    """``put(*records, at=...)`` writes them in one commit, on the versions they carry."""

    def write(*records: Record, at: float = 1000.0) -> list[Record]:
        with store.write(at, method="test") as transaction:
            known = [locate(transaction.db, record.id) is not None for record in records]
            edits = [
                Edit(record, record.version if old else 0)
                for record, old in zip(records, known, strict=True)
            ]
            unit = np.full(DIMENSION, 0.5, dtype=np.float32)
            return transaction.apply(EditPlan(tuple(edits)), {r.id: unit for r in records})

    return write


@pytest.fixture
def by_hand(store: Store) -> Callable[..., list[Any]]:
    """Runs SQL on the file behind the store's back and returns the rows."""

    def run(statement: str, *values: object) -> list[Any]:
        with closing(sqlite3.connect(store.path)) as db:
            found = db.execute(statement, values).fetchall()
            db.commit()
            return found

    return run
