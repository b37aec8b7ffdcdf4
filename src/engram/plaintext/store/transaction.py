"""The executor: applies plans to the log and to all that is derived from it, all or nothing."""

import hashlib
import json
import os
import sqlite3
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from engram.errors import IllegalChange
from engram.plaintext.roles import TRANSITIONS, Edit, EditPlan, Floats, Record, Scope, State
from engram.plaintext.store import touching
from engram.plaintext.store.coding import digest, dumps, encode, whole
from engram.plaintext.store.derive import TRIPLES, Entry, count_use, derive
from engram.plaintext.store.view import Snapshot, locate

_LOG = (
    "INSERT INTO log(commit_number, op, space, record, version, body, digest) VALUES(?,?,?,?,?,?,?)"
)


def new_id(at: float) -> str:
    """A UUID of version 7: sorts by time, 74 random bits, never reused."""
    milliseconds = max(0, int(at * 1000)) & ((1 << 48) - 1)
    random = int.from_bytes(os.urandom(10))
    value = (milliseconds << 80) | random
    value = (value & ~(0xF << 76)) | (7 << 76)
    return str(uuid.UUID(int=(value & ~(0x3 << 62)) | (0x2 << 62)))


@dataclass(frozen=True, slots=True)
class Commit:
    """One acknowledged change: everything in it happened, or none of it."""

    id: str
    number: int
    at: float
    actor: str = ""
    method: str = ""
    reason: str = ""


class Transaction:
    """One write transaction; becomes a commit when something was written."""

    def __init__(self, db: sqlite3.Connection, commit: Commit, embedder: int | None) -> None:
        self.db = db
        self.commit = commit
        self.embedder = embedder
        self._entries: list[tuple[object, ...]] = []

    def view(self, scope: Scope) -> Snapshot:
        """The scope as it is now, with what this transaction has already written."""
        return Snapshot(self.db, self.space(scope), scope)

    def space(self, scope: Scope) -> int:
        """The number of the scope's space, made when it is new."""
        key = (scope.app or "", scope.user)
        found = self.db.execute("SELECT space FROM spaces WHERE app=? AND user=?", key).fetchone()
        if found is None:
            cursor = self.db.execute("INSERT INTO spaces(app, user) VALUES(?,?)", key)
            return int(cursor.lastrowid or 0)
        with whole("the table of spaces"):
            return int(found[0])

    def apply(self, plan: EditPlan, vectors: Mapping[str, Floats] | None = None) -> list[Record]:
        """Write every edit of a plan and return the records as they now are.

        Args:
            plan: after-images; one that equals what is stored writes nothing.
            vectors: record id -> (D,) unit vector of its text, where it was embedded already.

        Raises:
            IllegalChange: an edit breaks the life cycle, moves a record to another scope, touches
                a frozen record, or was made on a version that is no longer current.
        """
        return [self._put(edit, vectors or {}) for edit in plan.edits]

    def count_uses(self, uses: tuple[Mapping[str, int], float]) -> None:
        """Log how often records were packed into a context, and when last."""
        counted, at = uses
        if counted:
            body = dumps({"at": at, "uses": dict(counted)})
            self.append("use", 0, None, None, body, digest(body))
            for record, count in counted.items():
                count_use(self.db, record, count, at)

    @property
    def wrote(self) -> bool:
        """True when there is something to commit."""
        return bool(self._entries)

    @property
    def outcome(self) -> Commit | None:
        """The commit that this becomes; None while nothing was written."""
        return self.commit if self.wrote else None

    def seal(self) -> None:
        """Write the commit and extend the hash chain over its entries."""
        c = self.commit
        before = self.db.execute(
            "SELECT chain FROM commits ORDER BY number DESC LIMIT 1"
        ).fetchone()
        link = chain(before[0] if before else b"", c, self._entries)
        self.db.execute(
            "INSERT INTO commits VALUES(?,?,?,?,?,?,?)",
            (c.number, c.id, c.at, c.actor, c.method, c.reason, link),
        )

    def _put(self, edit: Edit, vectors: Mapping[str, Floats]) -> Record:
        wanted = edit.record
        space = self.space(wanted.scope)
        stored = self._current(wanted.id)
        if stored is None:
            check_new(edit)
            version, salt, former = 1, os.urandom(16).hex(), None
        else:
            former, salt = stored
            body = encode(wanted, salt)
            if body == encode(former, salt):
                return former
            check_change(former, edit)
            version = former.version + 1
        body = encode(wanted, salt)
        at = self.commit.at
        created = former.created if former else at
        record = replace(wanted, version=version, created=created, known_from=at, known_to=None)
        stamp = digest(body)
        row = self.append("put", space, record.id, version, body, stamp)
        derive(self.db, Entry(row, space, at, stamp), record)
        self._embed(row, space, record, former, vectors.get(record.id))
        return record

    def _current(self, record_id: str) -> tuple[Record, str] | None:
        found = self.db.execute(
            "SELECT l.body FROM rows r JOIN log l ON l.seq=r.row "
            "WHERE r.record=? AND r.known_to IS NULL",
            (record_id,),
        ).fetchone()
        if found is None:
            return None
        if found[0] is None:
            raise IllegalChange(f"record {record_id!r} was erased; nothing can change it")
        record = locate(self.db, record_id)
        assert record is not None
        with whole(f"record {record_id!r}"):
            return record, json.loads(found[0])["salt"]

    def append(
        self, op: str, space: int, record: str | None, version: int | None, body: str | None,
        stamp: bytes,
    ) -> int:  # fmt: skip
        """Append one entry to the log, end the forms that it makes untrue, return its number."""
        touching.touch(self.db, op, record, body)
        values = (self.commit.number, op, space, record, version, body, stamp)
        seq = int(self.db.execute(_LOG, values).lastrowid or 0)
        self._entries.append((seq, op, space, record, version, stamp))
        return seq

    def _embed(
        self, row: int, space: int, record: Record, former: Record | None, vector: Floats | None
    ) -> None:
        if record.state is not State.ACTIVE or record.kind in TRIPLES:
            return
        if self.embedder is not None and vector is not None:
            blob = vector.astype(np.float16).tobytes()
            values = (row, self.embedder, space, blob)
            self.db.execute("INSERT INTO vectors VALUES(?,?,?,?)", values)
            want_vectors(self.db, but=self.embedder)
            return
        copied = 0
        if former is not None:
            copied = self.db.execute(
                "INSERT INTO vectors SELECT ?, v.embedder, v.space, v.vector FROM vectors v "
                "JOIN log l ON l.seq=v.row WHERE v.space=? AND v.embedder=? AND l.record=? "
                "AND json_extract(l.body,'$.text')=? ORDER BY v.row DESC LIMIT 1",
                (row, space, self.embedder, record.id, record.text),
            ).rowcount
        want_vectors(self.db, but=None if copied < 1 else self.embedder)


def want_vectors(db: sqlite3.Connection, but: int | None = None) -> None:
    """Leave a job to make the vectors that are missing, for every embedder but one.

    The others are those that the file was used with before, and may be used with again.
    """
    db.execute(
        "INSERT OR IGNORE INTO jobs(kind, key) SELECT 'embed', id FROM embedders WHERE id IS NOT ?",
        (but,),
    )


def check_state(record: Record) -> None:
    """Raise IllegalChange for a state that no edit may give."""
    if record.state is State.ERASED:
        raise IllegalChange(f"record {record.id!r} cannot become erased by an edit; use erase()")
    if record.state is State.MERGED and not record.superseded_by:
        raise IllegalChange(f"record {record.id!r} is merged, superseded_by must say into which")


def check_new(edit: Edit) -> None:
    """Raise IllegalChange unless the edit makes a new record."""
    check_state(edit.record)
    if edit.basis:
        raise IllegalChange(
            f"record {edit.record.id!r} must exist at version {edit.basis}, it does not exist"
        )


def check_change(former: Record, edit: Edit) -> None:
    """Raise IllegalChange unless the life cycle lets ``former`` become the edit's record."""
    wanted = edit.record
    check_state(wanted)
    if edit.basis != former.version:
        raise IllegalChange(
            f"record {former.id!r} is at version {former.version}, the edit was made on "
            f"{edit.basis}; read it again"
        )
    if wanted.scope != former.scope:
        raise IllegalChange(
            f"record {former.id!r} belongs to {former.scope!r} for good, got {wanted.scope!r}"
        )
    if former.frozen and replace(wanted, frozen=True) != former:
        raise IllegalChange(f"record {former.id!r} is frozen; thaw it first")
    if wanted.state is not former.state and wanted.state not in TRANSITIONS[former.state]:
        raise IllegalChange(
            f"record {former.id!r} is {former.state}; from there it cannot become {wanted.state}"
        )


def chain(before: bytes, commit: Commit, entries: Iterable[tuple[object, ...]]) -> bytes:
    """The hash of a commit: covers every commit before it and every entry in it."""
    head = [commit.number, commit.id, commit.at, commit.actor, commit.method, commit.reason]
    link = hashlib.sha256(as_bytes(before))
    link.update(dumps(head).encode())
    for *plain, stamp in entries:
        link.update(dumps(plain).encode() + as_bytes(stamp))
    return link.digest()


def as_bytes(stamp: object) -> bytes:
    """A digest; whatever else stands in its place in a damaged file gives another link."""
    return stamp if isinstance(stamp, bytes) else repr(stamp).encode()
