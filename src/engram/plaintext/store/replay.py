"""Replay: everything that follows from the log, made anew from it."""

import json
import sqlite3
from collections.abc import Iterator

from engram.plaintext.store import schema
from engram.plaintext.store.coding import stored, whole
from engram.plaintext.store.derive import Entry, count_use, derive, forget_edges, tombstone
from engram.plaintext.store.touching import spoil, unfit
from engram.plaintext.text.words import WORDS_VERSION

MISFITS = """
FROM vectors v LEFT JOIN rows r ON r.row=v.row AND r.space=v.space
LEFT JOIN embedders e ON e.id=v.embedder
WHERE r.row IS NULL OR r.length=0 OR e.id IS NULL OR length(v.vector) != 2*e.dimension"""
"""Vectors that fit no searchable row, or have the wrong length."""


def rebuild(db: sqlite3.Connection) -> None:
    """Make every derived table anew from the log, in one transaction."""
    db.execute("BEGIN IMMEDIATE")
    try:
        schema.run(db, schema.DROP_DERIVED + schema.DERIVED)
        for _ in replay(db, db):
            pass
        db.execute(
            "DELETE FROM vectors WHERE (space, embedder, row) IN "
            f"(SELECT v.space, v.embedder, v.row {MISFITS})"
        )
        spoil(db, unfit(db))
        db.execute("INSERT OR IGNORE INTO jobs(kind, key) SELECT 'embed', id FROM embedders")
        db.execute("UPDATE meta SET value=hex(randomblob(8)) WHERE key='epoch'")
        db.execute("UPDATE meta SET value=? WHERE key='words'", (WORDS_VERSION,))
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def replay(source: sqlite3.Connection, target: sqlite3.Connection) -> Iterator[int]:
    """Write into the target what follows from the log of the source; yields how long that is."""
    entries = source.execute(
        "SELECT l.seq, l.op, l.space, l.record, l.version, l.body, l.digest, c.at "
        "FROM log l JOIN commits c ON c.number=l.commit_number ORDER BY l.seq"
    ).fetchall()
    erased = set()
    for seq, op, space, record, version, body, stamp, at in entries:
        if op == "use":
            with whole(f"entry {seq} of the log"):
                use = json.loads(body)
                for used, count in use["uses"].items():
                    count_use(target, used, count, use["at"])
        elif op == "erase":
            erased.add(record)
        elif body is None:
            tombstone(target, Entry(seq, space, at, stamp), record, version)
        else:
            known = stored(record, body, {"version": version})
            derive(target, Entry(seq, space, at, stamp), known)
        yield len(entries)
    for record in erased:
        forget_edges(target, record)
