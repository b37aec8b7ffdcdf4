"""Vectors for rows that have none: after a change of embedder, a repair or a revert.

Several processes may work on it: a lease keeps them apart, and a dead one's lease runs out. Search
goes on meanwhile; a row without a vector is found by its words.
"""

import threading
from collections.abc import Callable

import numpy as np

from engram.plaintext.store.coding import stored
from engram.plaintext.store.lease import lay_down, lease
from engram.plaintext.store.store import Store
from engram.plaintext.store.transaction import want_vectors
from engram.ports import Embedder

BATCH = 256


def pending(store: Store) -> bool:
    """True while rows wait for vectors of this store's embedder."""
    if store.embedder is None:
        return False
    with store.snapshot() as db:
        job = db.execute("SELECT 1 FROM jobs WHERE kind='embed' AND key=?", (str(store.embedder),))
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
    done = 0
    try:
        while not (stop and stop.is_set()) and lease(store, "embed", str(store.embedder)):
            batch, waiting = _missing(store)
            if not batch:
                if _finish(store):
                    break
                continue
            texts = [stored(record, body).text for _, _, record, body in batch]
            vectors = embedder.embed(texts)
            _write(store, [(row, space) for row, space, _, _ in batch], vectors)
            done += len(batch)
            if progress:
                progress(done, done + waiting - len(batch))
    finally:
        lay_down(store, "embed", str(store.embedder))
    return done


def _missing(store: Store) -> tuple[list[tuple[int, int, str, str]], int]:
    with store.snapshot() as db:
        (waiting,) = db.execute(f"SELECT count(*) {_WITHOUT}", (store.embedder,)).fetchone()
        found = db.execute(
            f"SELECT l.seq, l.space, l.record, l.body FROM log l WHERE l.seq IN (SELECT r.row "
            f"{_WITHOUT} ORDER BY r.known_to IS NOT NULL, r.row DESC LIMIT {BATCH})",
            (store.embedder,),
        ).fetchall()
    return found, int(waiting)


def _write(store: Store, rows: list[tuple[int, int]], vectors: np.ndarray) -> None:
    with store.exclusive() as db:
        # A row erased while its vector was made must not get it.
        db.executemany(
            "INSERT OR IGNORE INTO vectors SELECT ?,?,?,? WHERE EXISTS("
            "SELECT 1 FROM rows WHERE row=? AND length>0)",
            [
                (row, store.embedder, space, vector.astype(np.float16).tobytes(), row)
                for (row, space), vector in zip(rows, vectors, strict=True)
            ],
        )


def _finish(store: Store) -> bool:
    """Drop the job, and the vectors that the former embedder made; False when there is more to do.

    The file may be used with that embedder again, so the job of making its vectors is left.
    """
    with store.exclusive() as db:
        if db.execute(f"SELECT 1 {_WITHOUT} LIMIT 1", (store.embedder,)).fetchone():
            return False  # written since the last look
        db.execute("DELETE FROM jobs WHERE kind='embed' AND key=?", (str(store.embedder),))
        if db.execute("DELETE FROM vectors WHERE embedder!=?", (store.embedder,)).rowcount:
            want_vectors(db, but=store.embedder)
        return True


_WITHOUT = """
FROM rows r WHERE r.length>0 AND NOT EXISTS(
  SELECT 1 FROM vectors v WHERE v.space=r.space AND v.embedder=? AND v.row=r.row)"""
