"""Erase: the one way to destroy. Nothing of a record stays but its id and a salted hash.

The erase commits first; then the files of its forms are destroyed, and the store is rewritten so
that no freed page keeps old bytes. A job in the same commit makes sure that an erase cut short
between the two is finished by the next ``open``, ``tend`` or ``check``.
"""

import sqlite3
from collections.abc import Collection

from engram.errors import StoreBusy, StoreFull
from engram.plaintext.store import column_files
from engram.plaintext.store.coding import stored
from engram.plaintext.store.derive import TRIPLES, forget_edges, forget_terms
from engram.plaintext.store.forms import sweep
from engram.plaintext.store.store import Store
from engram.plaintext.store.transaction import Transaction, new_id


def with_derived(db: sqlite3.Connection, record_ids: Collection[str]) -> set[str]:
    """The records, all that says the same (merged into one another), and all that rests on them.

    A fact that rests on other evidence as well stays, for each of its sources says all of it. What
    was composed of several records, such as a summary, goes with the first of them.
    """
    doomed = set(record_ids)
    size = 0
    while size < len(doomed):
        size = len(doomed)
        for record in tuple(doomed):
            doomed |= _merged_with(db, record)
            resting = db.execute("SELECT record FROM rests_on WHERE source=?", (record,))
            doomed |= {other for (other,) in resting if not _stands(db, other, doomed)}
    return doomed


def _merged_with(db: sqlite3.Connection, record: str) -> set[str]:
    """The records merged into this one, and the one it was merged into."""
    found = db.execute(
        "SELECT record FROM merged WHERE into_record=? UNION "
        "SELECT into_record FROM merged WHERE record=?",
        (record, record),
    )
    return {other for (other,) in found}


def _stands(db: sqlite3.Connection, record: str, doomed: set[str]) -> bool:
    """Whether a record can be told without the doomed ones."""
    (kind,) = db.execute(
        "SELECT kind FROM rows WHERE record=? ORDER BY version DESC LIMIT 1", (record,)
    ).fetchone()
    return kind in TRIPLES and not _sources(db, record) <= doomed


def _sources(db: sqlite3.Connection, record: str) -> set[str]:
    return {s for (s,) in db.execute("SELECT source FROM rests_on WHERE record=?", (record,))}


def destroy(transaction: Transaction, record_ids: Collection[str]) -> int:
    """Erase records inside a transaction. Returns how many versions lost their payload."""
    db = transaction.db
    versions = 0
    for record in sorted(record_ids):
        versions += wipe(db, record)
        last = db.execute(
            "SELECT space, digest FROM log WHERE record=? AND op='put' ORDER BY seq DESC LIMIT 1",
            (record,),
        ).fetchone()
        if last:
            transaction.append("erase", last[0], record, None, None, last[1])
    want_scrub(db, transaction.commit.at)
    return versions


def wipe(db: sqlite3.Connection, record: str) -> int:
    """Destroy all that is held of a record, but for its entries in the log and their hashes.

    Returns how many versions lost their payload.
    """
    entries = db.execute(
        "SELECT seq, space, body FROM log WHERE record=? AND op='put'", (record,)
    ).fetchall()
    for seq, space, body in entries:
        if body is not None:
            (length,) = db.execute("SELECT length FROM rows WHERE row=?", (seq,)).fetchone()
            if length:
                forget_terms(db, seq, space, stored(record, body).text)
        db.execute("DELETE FROM vectors WHERE space=? AND row=?", (space, seq))
    db.execute("UPDATE log SET body=NULL WHERE record=?", (record,))
    wipe_rows(db, record)
    return sum(body is not None for *_, body in entries)


def want_scrub(db: sqlite3.Connection, at: float) -> None:
    """Leave a job to rewrite the file, and tell every process to read its rows anew."""
    db.execute("INSERT OR IGNORE INTO jobs(kind, key) VALUES('scrub', '')")
    db.execute("UPDATE meta SET value=? WHERE key='epoch'", (new_id(at),))


def wipe_rows(db: sqlite3.Connection, record: str) -> None:
    """Leave of a record's rows a tombstone: that it existed, when, and the hash of its content."""
    db.execute(
        "UPDATE rows SET state='erased', kind='erased', run=NULL, agent=NULL, speaker=NULL, "
        "event=NULL, valid_from=NULL, valid_to=NULL, expires=NULL, replaced=0, frozen=0, "
        "length=0, content=0, asks=0, source=NULL, fact=NULL, same=NULL WHERE record=?",
        (record,),
    )
    forget_edges(db, record)


def scrub(store: Store) -> bool:
    """Destroy the forms of what was erased and rewrite the file without it. True when all is done.

    False when another process is reading an old snapshot or writing, or the disk has no room for a
    copy; it is tried again by ``tend``.
    """
    with store.snapshot() as db:
        if not db.execute("SELECT 1 FROM jobs WHERE kind='scrub'").fetchone():
            return True
    try:
        if not sweep(store) or not column_files.sweep(store.path):
            return False
        with store.connections.using() as db:
            return _rewritten(db)
    except (StoreBusy, StoreFull):
        return False


def _rewritten(db: sqlite3.Connection) -> bool:
    db.execute("INSERT INTO terms(terms) VALUES('optimize')")
    db.execute("VACUUM")
    busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        return False
    db.execute("DELETE FROM jobs WHERE kind='scrub'")
    return True
