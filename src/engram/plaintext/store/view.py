"""A consistent, read-only snapshot of one scope."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from engram.plaintext.roles import Columns, Floats, Mask, Record, Rows, Scope, State
from engram.plaintext.store.coding import decode
from engram.plaintext.store.columns import STATES
from engram.plaintext.store.derive import fact_key, read_postings, same_key

_ACTIVE = STATES.index(State.ACTIVE)
_ARCHIVED = STATES.index(State.ARCHIVED)
_RECORD = """
SELECT r.record, r.version, f.known_from, r.known_from, r.known_to, l.body, u.uses, u.last_used
FROM rows r JOIN log l ON l.seq=r.row JOIN rows f ON f.record=r.record AND f.version=1
LEFT JOIN usage u ON u.record=r.record WHERE """


def read_records(db: sqlite3.Connection, where: str, values: Sequence[object]) -> list[Record]:
    """Records whose rows meet a condition, in the order of the log. Erased ones are left out."""
    return [
        decode(
            record,
            body,
            {
                "version": version,
                "created": created,
                "known_from": known_from,
                "known_to": known_to,
                "uses": uses or 0,
                "last_used": last_used,
            },
        )
        for record, version, created, known_from, known_to, body, uses, last_used in db.execute(
            f"{_RECORD}{where} ORDER BY r.row", values
        )
        if body is not None
    ]


class Snapshot:
    """A ``View`` of one scope as it is inside one transaction of one connection.

    Args:
        db: a connection inside a transaction.
        space: number of the space; 0 for one that does not exist yet.
        scope: narrows inside the space by agent and run.
        columns: the space as arrays; None inside a write, which needs none.
    """

    def __init__(
        self, db: sqlite3.Connection, space: int, scope: Scope, columns: Columns | None = None
    ) -> None:
        self.db = db
        self.space = space
        self.scope = scope
        self._columns = columns
        self._live: Mask | None = None

    @property
    def columns(self) -> Columns:
        """The space as arrays; only views that were made for searching hold them."""
        assert self._columns is not None, "a view inside a write transaction holds no columns"
        return self._columns

    @property
    def live(self) -> Mask:
        """(N,) rows that may be recalled; set by ``narrow``."""
        assert self._live is not None, "narrow() comes before live"
        return self._live

    def narrow(
        self, now: float, as_of: float | None, known_at: float | None, allowed: Mask | None
    ) -> None:
        """Choose the live rows.

        Args:
            now: seconds; what has ended or expired by now is left out.
            as_of: look at the world as it was then; None is now.
            known_at: use only what the store held then; None is now.
            allowed: (N,) rows that the caller's filters let through.
        """
        c = self.columns
        known = c.known_to == np.inf
        if known_at is not None:
            known = (c.known_from <= known_at) & (c.known_to > known_at)
        world = now if as_of is None else as_of
        live = known & (c.valid_to > world) & (c.expires > now) & self.in_scope()
        begun = c.valid_from <= world
        if as_of is None:
            live &= (c.state == _ACTIVE) & (begun | (c.length > 0))
        else:
            live &= ((c.state == _ACTIVE) | ((c.state == _ARCHIVED) & c.replaced)) & begun
        self._live = live if allowed is None else live & allowed

    def in_scope(self) -> Mask:
        """(N,) rows of the agent and run that the scope names."""
        c = self.columns
        inside: Mask = np.ones(len(c.rows), dtype=bool)
        for wanted, column in ((self.scope.run, c.run), (self.scope.agent, c.agent)):
            if wanted is not None:
                code = c.names.index(wanted) if wanted in c.names else -2
                inside &= column == code
        return inside

    def get(self, record_id: str) -> Record | None:
        """The current version, from this space only."""
        found = read_records(
            self.db,
            "r.record=? AND r.space=? AND r.known_to IS NULL",
            (record_id, self.space),
        )
        return found[0] if found else None

    def records(self, rows: Rows) -> list[Record]:
        """The records at these positions of the columns, in this order."""
        log_rows = [int(row) for row in self.columns.rows[rows]]
        marks = ",".join("?" * len(log_rows))
        found = read_records(self.db, f"r.space=? AND r.row IN ({marks})", (self.space, *log_rows))
        by_id = {record.id: record for record in found}
        ids = [self.columns.ids[row] for row in rows]
        return [by_id[record_id] for record_id in ids if record_id in by_id]

    def current(self, record_ids: Iterable[str]) -> dict[str, Record]:
        """Current versions by id, from this space only."""
        ids = list(dict.fromkeys(record_ids))
        marks = ",".join("?" * len(ids))
        found = read_records(
            self.db,
            f"r.record IN ({marks}) AND r.space=? AND r.known_to IS NULL",
            (*ids, self.space),
        )
        return {record.id: record for record in found}

    def resting_only_on(self, record_id: str) -> list[Record]:
        """Records that were read out of this one and have no other evidence."""
        found = read_records(
            self.db,
            "r.space=? AND r.known_to IS NULL AND r.record IN "
            "(SELECT record FROM rests_on WHERE source=?)",
            (self.space, record_id),
        )
        return [r for r in found if all(source.record == record_id for source in r.sources)]

    def facts(self, head: str, relation: str) -> list[Record]:
        """Everything that ever filled a slot, at its current version, oldest first."""
        return read_records(
            self.db,
            "r.space=? AND r.fact=? AND r.known_to IS NULL",
            (self.space, fact_key(head, relation)),
        )

    def same_turn(self, raw: Record) -> Record | None:
        """The stored copy of a turn: same run, time, speaker and text."""
        found = read_records(
            self.db,
            "r.space=? AND r.same=? AND r.event=? AND r.known_to IS NULL AND r.kind='raw'",
            (self.space, same_key(raw.text), raw.event_time),
        )
        for record in found:
            same_speaker = record.fields.get("speaker") == raw.fields.get("speaker")
            if record.text == raw.text and record.scope == raw.scope and same_speaker:
                return record
        return None

    def same_note(self, raw: Record) -> Record | None:
        """An active record that says what an undated message says, by whoever may have said it."""
        found = read_records(
            self.db,
            "r.row=(SELECT row FROM rows WHERE space=? AND same=? AND state='active' AND "
            "known_to IS NULL AND agent IS ? AND (? IS NULL OR speaker IS ?) LIMIT 1)",
            (
                self.space,
                same_key(raw.text),
                raw.scope.agent,
                raw.fields.get("speaker"),
                raw.fields.get("speaker"),
            ),
        )
        return found[0] if found else None

    def matching(self, condition: tuple[str, Sequence[object]]) -> Mask:
        """(N,) rows that meet a compiled filter."""
        sql, values = condition
        found = self.db.execute(
            f"SELECT r.row FROM rows r JOIN log l ON l.seq=r.row WHERE r.space=? AND ({sql})",
            (self.space, *values),
        )
        rows = np.array([row for (row,) in found], dtype=np.int64)
        return np.isin(self.columns.rows, rows, assume_unique=True)

    def postings(self, terms: Sequence[str]) -> Mapping[str, tuple[Rows, Floats]]:
        """Positions and counts of each term among the rows of the space."""
        held = self.columns.rows
        found: dict[str, tuple[Rows, Floats]] = {}
        for term in terms:
            rows, counts = read_postings(self.db, self.space, term)
            inside = np.searchsorted(held, rows)
            found[term] = inside, counts
        return found


def space_of(db: sqlite3.Connection, scope: Scope) -> int | None:
    """The number of a scope's space; None when nothing was written there yet."""
    key = (scope.app or "", scope.user)
    found = db.execute("SELECT space FROM spaces WHERE app=? AND user=?", key).fetchone()
    return int(found[0]) if found else None


def scopes(db: sqlite3.Connection) -> list[Scope]:
    """Every space as the scope that holds all of it."""
    found = db.execute("SELECT app, user FROM spaces ORDER BY space")
    return [Scope(user=user, app=app or None) for app, user in found]


def locate(db: sqlite3.Connection, record_id: str) -> Record | None:
    """The current version of a record, wherever it is; None when unknown or erased."""
    found = read_records(db, "r.record=? AND r.known_to IS NULL", (record_id,))
    return found[0] if found else None


def current(db: sqlite3.Connection, record_ids: Iterable[str]) -> dict[str, Record]:
    """Current versions by id, wherever they are."""
    found = (locate(db, record) for record in record_ids)
    return {record.id: record for record in found if record is not None}
