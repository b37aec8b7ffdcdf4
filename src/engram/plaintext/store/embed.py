"""Vectors for rows that have none: after a change of embedder, a repair or a revert.

Several processes may work on it: a lease keeps them apart, and a dead one's lease runs out. Search
goes on meanwhile; a row without a vector is found by its words.
"""

import os
import threading
import time
from collections.abc import Callable

import numpy as np

from engram.plaintext.store.coding import decode
from engram.plaintext.store.store import Store
from engram.ports import Embedder

LEASE_SECONDS = 60.0
BATCH = 256


def pending(store: Store) -> bool:
    """True while rows wait for vectors of this store's embedder."""
    if store.embedder is None:
        return False
    job = store.connections.get().execute(
        "SELECT 1 FROM jobs WHERE kind='embed' AND key=?", (str(store.embedder),)
    )
    return job.fetchone() is not None


def embed_missing(
    store: Store,
    embedder: Embedder,
    *,
    progress: Callable[[int, int], None] | None = None,
    stop: threading.Event | None = None,
) -> int:
    """Embed until nothing is missing, ``stop`` is set, or another holds the lease.

    Args:
        store: opened with this embedder.
        embedder: makes the vectors.
        progress: called with rows done and rows in all.
        stop: checked between batches.

    Returns:
        How many vectors were written.
    """
    owner = f"{os.getpid()}-{threading.get_ident()}"
    done = 0
    while not (stop and stop.is_set()) and _lease(store, owner):
        batch, waiting = _missing(store)
        if not batch:
            _finish(store)
            break
        texts = [decode(record, body).text for _, _, record, body in batch]
        vectors = embedder.embed(texts)
        _write(store, [(row, space) for row, space, _, _ in batch], vectors)
        done += len(batch)
        if progress:
            progress(done, done + waiting - len(batch))
    return done


def _lease(store: Store, owner: str) -> bool:
    """Take or prolong the lease; False when there is no job or another works on it."""
    now = time.time()
    db = store.connections.get()
    return bool(
        db.execute(
            "UPDATE jobs SET owner=?, lease_until=? WHERE kind='embed' AND key=? AND "
            "(owner IS NULL OR owner=? OR lease_until<?)",
            (owner, now + LEASE_SECONDS, str(store.embedder), owner, now),
        ).rowcount
    )


def _missing(store: Store) -> tuple[list[tuple[int, int, str, str]], int]:
    where = (
        "FROM rows r WHERE r.length>0 AND NOT EXISTS(SELECT 1 FROM vectors v "
        "WHERE v.space=r.space AND v.embedder=? AND v.row=r.row)"
    )
    with store.snapshot() as db:
        (waiting,) = db.execute(f"SELECT count(*) {where}", (store.embedder,)).fetchone()
        found = db.execute(
            f"SELECT l.seq, l.space, l.record, l.body FROM log l WHERE l.seq IN (SELECT r.row "
            f"{where} ORDER BY r.known_to IS NOT NULL, r.row DESC LIMIT {BATCH})",
            (store.embedder,),
        ).fetchall()
    return found, int(waiting)


def _write(store: Store, rows: list[tuple[int, int]], vectors: np.ndarray) -> None:
    db = store.connections.get()
    db.execute("BEGIN IMMEDIATE")
    try:
        # A row erased while its vector was made must not get it.
        db.executemany(
            "INSERT OR IGNORE INTO vectors SELECT ?,?,?,? WHERE EXISTS("
            "SELECT 1 FROM rows WHERE row=? AND length>0)",
            [
                (row, store.embedder, space, vector.astype(np.float16).tobytes(), row)
                for (row, space), vector in zip(rows, vectors, strict=True)
            ],
        )
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _finish(store: Store) -> None:
    """Drop the job, and the vectors that the former embedder made."""
    db = store.connections.get()
    db.execute("BEGIN IMMEDIATE")
    db.execute("DELETE FROM jobs WHERE kind='embed' AND key=?", (str(store.embedder),))
    db.execute("DELETE FROM vectors WHERE embedder!=?", (store.embedder,))
    db.execute("COMMIT")
