"""Forms: what records become for one model, in files beside the store. Their text stays the truth.

A row says which versions of which records a form was made of, and in which file its tensors are.
A file is written aside and takes its place in the transaction that writes the row, so that a row
has its file. The rows are ended by ``touching``; what no row names is destroyed by ``sweep``.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from engram.errors import StoreBusy, StoreFull, StoreReadOnly
from engram.plaintext.roles import Record
from engram.plaintext.store import parts
from engram.plaintext.store.coding import dumps
from engram.plaintext.store.store import Store
from engram.plaintext.store.touching import drop
from engram.plaintext.store.view import read_records

FRESH = "fresh"
_COLUMNS = (
    "id, space, kind, model, preset, method, state, tokens, size, file, checksum, chain, made, "
    "uses, last_used"
)


@dataclass(frozen=True, slots=True)
class Form:
    """One form.

    Attributes:
        id: follows from its space, model, preset and records, so that the same is made once.
        space: number of the space of its records.
        kind: ``activation``.
        model: fingerprint of the model and the tokenizer that it fits.
        preset: how its tensors are held.
        method: what made it: ``promote`` or ``schedule``.
        state: ``fresh``, or ``stale`` from when a record showed something else.
        tokens: how many it holds.
        size: bytes of its file.
        file: its name in the folder of the forms; empty when it is stale.
        checksum: SHA-256 of the file.
        chain: for each block of tokens eight bytes that follow from all tokens up to its end.
        made: when; seconds.
        uses, last_used: how often it was attached, and when last.
        records: ids with versions, in the order in which they are told.
    """

    id: str
    space: int
    kind: str
    model: str
    preset: str
    method: str
    state: str
    tokens: int
    size: int
    file: str
    checksum: bytes
    chain: bytes
    made: float
    uses: int = 0
    last_used: float | None = None
    records: tuple[tuple[str, int], ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Of its records."""
        return tuple(record for record, _ in self.records)


def checksum(content: bytes) -> bytes:
    """What a row says of the content of its file."""
    return sha256(content).digest()


def keep(store: Store, form: Form, part: Path) -> bool:
    """Write a form: its file takes its place, then its row.

    False, and nothing is written, where a record has another version by now.
    """
    with store.exclusive() as db:
        if not _current(db, form.records):
            return False
        parts.place(part, parts.folder(store.path) / form.file)
        before = db.execute("SELECT uses, last_used FROM forms WHERE id=?", (form.id,)).fetchone()
        uses, last = before or (form.uses, form.last_used)
        drop(db, [form.id])
        db.execute(
            f"INSERT INTO forms({_COLUMNS}) VALUES({','.join('?' * 15)})",
            (
                *(form.id, form.space, form.kind, form.model, form.preset, form.method),
                *(form.state, form.tokens, form.size, form.file, form.checksum, form.chain),
                *(form.made, uses, last),
            ),
        )
        db.executemany(
            "INSERT INTO form_records VALUES(?,?,?,?)",
            [(form.id, at, *each) for at, each in enumerate(form.records)],
        )
    return True


def _current(db: sqlite3.Connection, records: Sequence[tuple[str, int]]) -> bool:
    (count,) = db.execute(
        "SELECT count(*) FROM json_each(?) j JOIN rows r ON r.record=json_extract(j.value, '$[0]') "
        "AND r.version=json_extract(j.value, '$[1]') "
        "WHERE r.known_to IS NULL AND r.state='active'",
        (dumps([list(each) for each in records]),),
    ).fetchone()
    return bool(count == len(records))


def count(store: Store, uses: Mapping[str, tuple[int, float]]) -> None:
    """Add how often forms were attached, and when last."""
    if uses:
        with store.exclusive() as db:
            db.executemany(
                "UPDATE forms SET uses=uses+?, last_used=max(coalesce(last_used, ?), ?) WHERE id=?",
                [(many, at, at, form) for form, (many, at) in sorted(uses.items())],
            )


def find(db: sqlite3.Connection, form: str) -> Form | None:
    """A form by its id."""
    found = _read(db, "id=?", (form,))
    return found[0] if found else None


def within(db: sqlite3.Connection, space: int | None) -> list[Form]:
    """The forms of a space, or of all, in the order in which they were made."""
    return _read(db, "? IS NULL OR space=?", (space, space))


def holding(db: sqlite3.Connection, record: str) -> list[tuple[str, int]]:
    """Ids of the forms that hold a record, each with the version that it holds."""
    return db.execute(
        "SELECT form, version FROM form_records WHERE record=? ORDER BY form", (record,)
    ).fetchall()


def _read(db: sqlite3.Connection, where: str, values: Sequence[object]) -> list[Form]:
    rows = db.execute(f"SELECT {_COLUMNS} FROM forms WHERE {where} ORDER BY made, id", values)
    made = []
    for row in rows.fetchall():
        form = Form(*row)
        records = db.execute(
            "SELECT record, version FROM form_records WHERE form=? ORDER BY place", (form.id,)
        )
        made.append(replace(form, records=tuple(records.fetchall())))
    return made


def records_of(db: sqlite3.Connection, form: Form) -> list[Record]:
    """The records of a form as they are now, in its order; those that were erased are missing."""
    found = read_records(
        db,
        "r.known_to IS NULL AND r.record IN (SELECT value FROM json_each(?))",
        (dumps(list(form.ids)),),
    )
    by_id = {record.id: record for record in found}
    return [by_id[record] for record in form.ids if record in by_id]


def sweep(store: Store) -> bool:
    """Destroy every file that no row names. False where one is left; ``tend`` tries again.

    A file that another process is writing is left to it.
    """
    if not (found := parts.listed(store.path)):
        return True
    with store.snapshot() as db:
        named = _files(db)
    if not found.keys() - named:
        return True
    try:
        # Whoever puts a file in its place holds this lock until its row is there.
        with store.exclusive() as db:
            named, found = _files(db), parts.listed(store.path)
    except (StoreBusy, StoreFull, StoreReadOnly):
        return False
    left = [path for name, path in found.items() if name not in named]
    return sum(map(parts.destroyed, left)) == len(left)  # one that stays keeps no other


def _files(db: sqlite3.Connection) -> set[str]:
    return {file for (file,) in db.execute("SELECT file FROM forms WHERE state='fresh'")}
