"""Leases: work that one process at a time should do. A dead process's lease runs out."""

import os
import threading
import time

from engram.plaintext.store.store import Store

SECONDS = 60.0


def lease(store: Store, kind: str, key: str, *, make: bool = False) -> bool:
    """Take or prolong the lease of a job. False where there is none, or another holds it.

    Args:
        store: holds the job.
        kind: of the job.
        key: which of its kind.
        make: make the job where there is none.
    """
    now = time.time()
    with store.exclusive() as db:
        if make:
            db.execute("INSERT OR IGNORE INTO jobs(kind, key) VALUES(?,?)", (kind, key))
        taken = db.execute(
            "UPDATE jobs SET owner=?, lease_until=? WHERE kind=? AND key=? AND "
            "(owner IS NULL OR owner=? OR lease_until<?)",
            (_owner(), now + SECONDS, kind, key, _owner(), now),
        )
        return bool(taken.rowcount)


def lay_down(store: Store, kind: str, key: str) -> None:
    """Give a lease back; its job stays, for whoever goes on."""
    with store.exclusive() as db:
        db.execute(
            "UPDATE jobs SET owner=NULL WHERE kind=? AND key=? AND owner=?", (kind, key, _owner())
        )


def release(store: Store, kind: str, key: str) -> None:
    """Give a lease back, and drop its job."""
    with store.exclusive() as db:
        db.execute("DELETE FROM jobs WHERE kind=? AND key=? AND owner=?", (kind, key, _owner()))


def _owner() -> str:
    return f"{os.getpid()}-{threading.get_ident()}"
