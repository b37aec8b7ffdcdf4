"""Erase: the one way to destroy. Nothing of a record stays but its id and a salted hash.

The erase commits first; then the file is rewritten so that no freed page keeps old bytes. A job in
the same commit makes sure that an erase cut short between the two is finished by the next
``open``, ``tend`` or ``check``.
"""

import sqlite3
from collections.abc import Collection

from engram.plaintext.store.coding import decode
from engram.plaintext.store.derive import forget_edges, forget_terms
from engram.plaintext.store.store import Store
from engram.plaintext.store.transaction import Transaction, new_id


def with_derived(db: sqlite3.Connection, record_ids: Collection[str]) -> set[str]:
    """The records, all that says the same (merged into one another), and all that rests on them.

    A record that rests on other evidence as well stays.
    """
    doomed = set(record_ids)
    size = 0
    while size < len(doomed):
        size = len(doomed)
        for record in tuple(doomed):
            doomed |= _merged_with(db, record)
            resting = db.execute("SELECT record FROM rests_on WHERE source=?", (record,))
            doomed |= {other for (other,) in resting if _sources(db, other) <= doomed}
    return doomed


def _merged_with(db: sqlite3.Connection, record: str) -> set[str]:
    """The records merged into this one, and the one it was merged into."""
    found = db.execute(
        "SELECT record FROM merged WHERE into_record=? UNION "
        "SELECT into_record FROM merged WHERE record=?",
        (record, record),
    )
    return {other for (other,) in found}


def _sources(db: sqlite3.Connection, record: str) -> set[str]:
    return {s for (s,) in db.execute("SELECT source FROM rests_on WHERE record=?", (record,))}


def destroy(transaction: Transaction, record_ids: Collection[str]) -> int:
    """Erase records inside a transaction. Returns how many versions lost their payload."""
    db = transaction.db
    versions = 0
    for record in sorted(record_ids):
        entries = db.execute(
            "SELECT seq, space, body, digest FROM log WHERE record=? AND op='put' ORDER BY seq",
            (record,),
        ).fetchall()
        for seq, space, body, _ in entries:
            if body is not None:
                versions += 1
                (length,) = db.execute("SELECT length FROM rows WHERE row=?", (seq,)).fetchone()
                if length:
                    forget_terms(db, seq, space, decode(record, body).text)
            db.execute("DELETE FROM vectors WHERE space=? AND row=?", (space, seq))
        db.execute("UPDATE log SET body=NULL WHERE record=?", (record,))
        wipe_rows(db, record)
        if entries:
            transaction.append("erase", entries[-1][1], record, None, None, entries[-1][3])
    db.execute("INSERT OR IGNORE INTO jobs(kind, key) VALUES('scrub', '')")
    db.execute("UPDATE meta SET value=? WHERE key='epoch'", (new_id(transaction.commit.at),))
    return versions


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
    """Rewrite the file without what was erased. True when nothing is left to do.

    False when another process is reading an old snapshot; it is tried again by ``tend``.
    """
    db = store.connections.get()
    if not db.execute("SELECT 1 FROM jobs WHERE kind='scrub'").fetchone():
        return True
    db.execute("INSERT INTO terms(terms) VALUES('optimize')")
    db.execute("VACUUM")
    busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        return False
    db.execute("DELETE FROM jobs WHERE kind='scrub'")
    return True
