"""What happened: the commits, the versions of a record, and what differs between two commits."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

from engram.errors import InvalidInput, NotFound, brief
from engram.plaintext.roles import Edit, EditPlan, Record, State
from engram.plaintext.store.coding import stored, to_plain, whole
from engram.plaintext.store.transaction import Commit

SHORTEST_PREFIX = 6
_VERSIONS = """
SELECT l.record, l.version, l.body, c.at, c.id, c.actor, c.method, c.reason
FROM log l JOIN commits c ON c.number=l.commit_number WHERE l.op='put' AND """


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a record and the commit that made it; no record once it was erased."""

    id: str
    version: int
    record: Record | None
    commit: Commit


@dataclass(frozen=True, slots=True)
class Change:
    """How one record differs between two commits."""

    id: str
    before: Record | None
    after: Record | None


def find_commit(db: sqlite3.Connection, wanted: object) -> Commit:
    """A commit by its id or by a unique beginning of it.

    Raises:
        NotFound: there is none.
        InvalidInput: it is no text, or the beginning is too short or fits several.
    """
    if not isinstance(wanted, str) or len(wanted) < SHORTEST_PREFIX or not wanted.isascii():
        raise InvalidInput(
            f"a commit id is text of {SHORTEST_PREFIX} characters or more, got {brief(wanted)}"
        )
    found = db.execute(
        "SELECT id, number, at, actor, method, reason FROM commits "
        "WHERE id=? OR substr(id, 1, ?)=? LIMIT 2",
        (wanted, len(wanted), wanted),
    ).fetchall()
    if not found:
        raise NotFound(f"no commit has the id {brief(wanted)}; 'engram log' lists them")
    if len(found) > 1:
        raise InvalidInput(f"several commits begin with {brief(wanted)}; give more of the id")
    return Commit(*found[0])


def commits(db: sqlite3.Connection, limit: int) -> list[Commit]:
    """The last commits, newest first."""
    rows = db.execute(
        "SELECT id, number, at, actor, method, reason FROM commits ORDER BY number DESC LIMIT ?",
        (limit,),
    )
    return [Commit(*row) for row in rows]


def versions(db: sqlite3.Connection, space: int | None, record_id: str) -> list[Version]:
    """Every version of a record, oldest first."""
    return _versions(db, "l.record=? AND (? IS NULL OR l.space=?)", (record_id, space, space))


def _versions(db: sqlite3.Connection, where: str, values: Sequence[object]) -> list[Version]:
    found = []
    for record, version, body, at, *commit in db.execute(
        f"{_VERSIONS}{where} ORDER BY l.seq", values
    ):
        identity, actor, method, reason = commit
        known = None
        if body is not None:
            known = replace(stored(record, body), version=version, known_from=at)
        found.append(
            Version(record, version, known, Commit(identity, 0, at, actor, method, reason))
        )
    return found


def changes(db: sqlite3.Connection, after: int, until: int, space: int | None) -> list[Change]:
    """What the commits numbered ``after`` < n <= ``until`` did, one entry a record."""
    touched = db.execute(
        "SELECT record, min(version), max(version) FROM log WHERE op='put' AND commit_number>? "
        "AND commit_number<=? AND (? IS NULL OR space=?) GROUP BY record ORDER BY min(seq)",
        (after, until, space, space),
    ).fetchall()
    found = []
    for record, first, last in touched:
        known = {v.version: v.record for v in versions(db, space, record)}
        change = Change(record, known.get(first - 1), known.get(last))
        if change.before != change.after:
            found.append(change)
    return found


def undo(db: sqlite3.Connection, number: int, current: dict[str, Record]) -> EditPlan:
    """The plan that puts every record of a commit back as it was before.

    Args:
        db: a connection inside a transaction.
        number: of the commit.
        current: the records of the commit as they are now.

    Raises:
        InvalidInput: a later commit built on one of the records; that one must go first.
    """
    erased = db.execute(
        "SELECT record FROM log WHERE commit_number=? AND op='put' AND body IS NULL", (number,)
    ).fetchone()
    if erased:
        raise InvalidInput(f"record {erased[0]!r} was erased; what an erase took cannot return")
    edits = []
    for change in changes(db, number - 1, number, None):
        _unmerged(db, change, current)
        with whole(f"the table row of record {change.id!r}"):
            now = current[change.id]
        assert change.after is not None, "a payload that is there"
        if to_plain(now) != to_plain(change.after):
            raise InvalidInput(
                f"record {change.id!r} was changed again later; revert that commit first"
            )
        former = change.before or replace(now, state=State.RETRACTED)
        edits.append(Edit(former, basis=now.version))
    return EditPlan(tuple(edits), method="revert")


def _unmerged(db: sqlite3.Connection, change: Change, current: dict[str, Record]) -> None:
    """Raise InvalidInput when a later record is recalled through one that would go."""
    if change.before is not None:
        return
    copies = db.execute(
        "SELECT m.record FROM merged m JOIN rows r ON r.record=m.record AND r.known_to IS NULL "
        "WHERE m.into_record=? AND r.state='merged' ORDER BY r.row",
        (change.id,),
    )
    for (copy,) in copies:
        if copy not in current:
            raise InvalidInput(
                f"record {copy!r} was merged into {change.id!r} later; revert that commit first"
            )
