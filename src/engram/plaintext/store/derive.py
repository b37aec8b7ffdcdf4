"""What follows from the log: rows, evidence edges, search terms. One entry at a time."""

import hashlib
import sqlite3
from typing import NamedTuple

import numpy as np

from engram.plaintext.roles import Floats, Record, Rows, State
from engram.plaintext.text.words import Terms, same_text, terms

TRIPLES = frozenset({"fact", "preference"})
"""Kinds that are found by what they are about, never by their wording: they repeat their source,
and as second copies they would distort the word statistics of the scope."""

_CLOSING = 60  # characters; a question mark there means that the turn hands over with a question
_FILLERS = frozenset({"a", "an", "the", "just", "really", "please", "very", "so", "well", "oh"})


def same_key(text: str) -> bytes:
    """Equal for two texts that a reader would call the same: case, marks and fillers aside."""
    content = " ".join(word for word in same_text(text).split() if word not in _FILLERS)
    return hashlib.blake2b((content or text).encode(), digest_size=16).digest()


def fact_key(head: str, relation: str) -> str:
    """The slot that a fact fills. A functional slot holds one fact at a time."""
    return f"{same_text(head)}\x1f{relation}"


class Entry(NamedTuple):
    """Where a version stands: its row in the log, its space, its commit's time, its digest."""

    row: int
    space: int
    at: float
    digest: bytes


def derive(db: sqlite3.Connection, entry: Entry, record: Record) -> None:
    """Write all that follows from one log entry of a record, and close its former version."""
    row, space, at, digest = entry
    if record.version > 1:
        db.execute(
            "UPDATE rows SET known_to=? WHERE record=? AND version=?",
            (at, record.id, record.version - 1),
        )
    searchable = record.state is State.ACTIVE and record.kind not in TRIPLES
    found = terms(record.text) if searchable else None
    # A text of signs alone still counts as one word: it has a place among the turns.
    size = (max(1, len(found.stems)), len(set(found.content))) if found else (0, 0)
    asks = bool(found) and "?" in record.text[-_CLOSING:]
    db.execute(
        f"INSERT INTO rows VALUES({','.join('?' * 24)})",
        (*_row(row, space, record, at), *size, int(asks), *_keys(record), digest),
    )
    _rest(db, record)
    _link(db, space, record)
    if found:
        db.execute("INSERT INTO terms(rowid, words) VALUES(?,?)", (row, spaced(space, found)))


def _rest(db: sqlite3.Connection, record: Record) -> None:
    """Write what a record rests on, and what it was merged with.

    A merged copy that is put out of recall still says the same, and goes where the other goes.
    """
    if record.version > 1:
        db.execute("DELETE FROM rests_on WHERE record=?", (record.id,))
    if record.sources:
        db.executemany(
            "INSERT OR IGNORE INTO rests_on VALUES(?,?)",
            [(source.record, record.id) for source in record.sources],
        )
    if record.state is State.MERGED:
        db.execute("INSERT OR REPLACE INTO merged VALUES(?,?)", (record.id, record.superseded_by))
    elif record.version > 1 and record.state is State.ACTIVE:
        db.execute("DELETE FROM merged WHERE record=?", (record.id,))


def _link(db: sqlite3.Connection, space: int, record: Record) -> None:
    """Write where a record leads. It may still name what was erased; nothing leads there."""
    if record.version > 1:
        db.execute("DELETE FROM links WHERE source=?", (record.id,))
    if record.links and record.state is State.ACTIVE:
        db.executemany(
            "INSERT INTO links SELECT ?,?,? WHERE NOT EXISTS("
            "SELECT 1 FROM rows WHERE record=? AND state='erased')",
            [(record.id, target, space, target) for target in record.links],
        )


def _row(row: int, space: int, record: Record, at: float) -> tuple[object, ...]:
    return (
        row,
        record.id,
        record.version,
        space,
        str(record.state),
        record.kind,
        record.scope.run,
        record.scope.agent,
        record.fields.get("speaker"),
        record.event_time,
        record.valid_from,
        record.valid_to,
        at,
        None,
        record.expires_at,
        int(record.superseded_by is not None),
        int(record.frozen),
    )


def _keys(record: Record) -> tuple[object, ...]:
    """What a record is looked up by: its first source, its slot, and what it says."""
    fields = record.fields
    relation = fields.get("relation")
    return (
        record.sources[0].record if record.sources else None,
        fact_key(str(fields["head"]), str(relation)) if relation else None,
        None if record.state is State.MERGED else same_key(record.text),
    )


def spaced(space: int, found: Terms) -> str:
    """Terms as the index holds them: marked with their space, so no space sees another's."""
    return " ".join([f"{space}x{term}" for term in (*found.stems, *found.pairs)])


def forget_terms(db: sqlite3.Connection, row: int, space: int, text: str) -> None:
    """Take one row out of the word index, which keeps no text and must be told the terms."""
    db.execute(
        "INSERT INTO terms(terms, rowid, words) VALUES('delete',?,?)",
        (row, spaced(space, terms(text))),
    )


def read_postings(db: sqlite3.Connection, space: int, term: str) -> tuple[Rows, Floats]:
    """Rows of the space that hold a term, ascending, and how often each does."""
    (joined,) = db.execute(
        "SELECT group_concat(doc) FROM postings WHERE term=?", (f"{space}x{term}",)
    ).fetchone()
    if not joined:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    each = np.fromstring(joined, dtype=np.int64, sep=",")  # one entry an occurrence, sorted
    starts = np.flatnonzero(np.diff(each, prepend=-1))
    return each[starts], np.diff(starts, append=len(each)).astype(np.float32)


def tombstone(db: sqlite3.Connection, entry: Entry, record: str, version: int) -> None:
    """What is left of a version after its record was erased."""
    row, space, at, digest = entry
    db.execute("UPDATE rows SET known_to=? WHERE record=? AND version=?", (at, record, version - 1))
    db.execute(
        "INSERT INTO rows(row, record, version, space, state, kind, known_from, replaced, frozen, "
        "length, content, asks, digest) VALUES(?,?,?,?,'erased','erased',?,0,0,0,0,0,?)",
        (row, record, version, space, at, digest),
    )


def forget_edges(db: sqlite3.Connection, record: str) -> None:
    """Drop what ties an erased record to others, and how often it was used."""
    db.execute("DELETE FROM rests_on WHERE record=? OR source=?", (record, record))
    db.execute("DELETE FROM merged WHERE record=? OR into_record=?", (record, record))
    db.execute("DELETE FROM links WHERE source=? OR target=?", (record, record))
    db.execute("DELETE FROM usage WHERE record=?", (record,))


def count_use(db: sqlite3.Connection, record: str, uses: int, at: float) -> None:
    """Add to how often a record was used; an erased record counts no longer."""
    db.execute(
        "INSERT INTO usage SELECT ?,?,? WHERE EXISTS("
        "SELECT 1 FROM rows WHERE record=? AND known_to IS NULL AND state!='erased') "
        "ON CONFLICT(record) DO UPDATE SET uses=uses+excluded.uses, "
        "last_used=max(last_used, excluded.last_used)",
        (record, uses, at, record),
    )
