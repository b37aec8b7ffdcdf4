"""A consistent, read-only snapshot of one scope."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from engram.errors import InvalidFilter, StoreCorrupt
from engram.plaintext.columns import Columns, Floats, Mask, Rows
from engram.plaintext.roles import EditPlan, Record, Scope, State
from engram.plaintext.store.coding import dumps, stored, whole
from engram.plaintext.store.columns import STATES
from engram.plaintext.store.derive import fact_key, read_postings, same_key

_ACTIVE = STATES.index(State.ACTIVE)
_ARCHIVED = STATES.index(State.ARCHIVED)
_POSTINGS = 256
"""Terms of a space whose postings stay in memory: every channel asks for the query's words."""
_SAME_NOTE = """
FROM rows w JOIN log b ON b.seq=w.row
WHERE w.space=:space AND w.same=:same AND w.state='active' AND w.known_to IS NULL
AND w.agent IS :agent AND w.run IS :run AND (:speaker IS NULL OR w.speaker=:speaker)
AND (w.expires IS NULL OR w.expires=:expires)
AND (:metadata IS NULL OR json_extract(b.body,'$.metadata')=:metadata)"""
# A plus before a column keeps SQLite from walking the whole space where it has ids to look up.
_RECORD = """
SELECT r.record, r.version, f.known_from, r.known_from, r.known_to, l.body, u.uses, u.last_used
FROM rows r JOIN log l ON l.seq=r.row JOIN rows f ON f.record=r.record AND f.version=1
LEFT JOIN usage u ON u.record=r.record WHERE """


def read_records(
    db: sqlite3.Connection, where: str, values: Sequence[object] | Mapping[str, object]
) -> list[Record]:
    """Records whose rows meet a condition, in the order of the log. Erased ones are left out."""
    return [
        stored(
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
        self._count = 0
        self._along: tuple[bytes, Floats] | None = None

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

    @property
    def full(self) -> "Snapshot":
        """This view: it shows all rows."""
        return self

    @property
    def count(self) -> int:
        """How many rows are live."""
        return self._count

    def along(self, vector: Floats) -> Floats:
        """(N,) how far the vector of each row goes along this one; the last answer is kept."""
        key = vector.tobytes()
        if self._along is None or self._along[0] != key:
            self._along = key, self.columns.vectors @ vector
        return self._along[1]

    def holding(self, term: str) -> int:
        """How many live rows hold a term."""
        return int(np.count_nonzero(self.live[self.postings([term])[term][0]]))

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
        if as_of is None and known_at is None:
            live = self._today(now)
        else:
            live = self._then(now, as_of, known_at)
        live &= self.in_scope()
        self._live = live if allowed is None else live & allowed
        self._count = int(np.count_nonzero(self._live))

    def _today(self, now: float) -> Mask:
        """(N,) rows that hold now. Few have a beginning or an end; only these are looked at."""
        c = self.columns
        standing, dated, raw = c.remembered("standing", self._standing)
        live = standing.copy()
        begun = (c.valid_from[dated] <= now) | raw
        live[dated] = begun & (c.valid_to[dated] > now) & (c.expires[dated] > now)
        return live

    def _standing(self) -> tuple[Mask, Rows, Mask]:
        """(N,) current active rows, those of them whose time is bound, and which of these are raw.

        What is raw holds from whenever it is known.
        """
        c = self.columns
        standing, raw = (c.known_to == np.inf) & (c.state == _ACTIVE), c.of_kind("raw")
        bound = (c.valid_to < np.inf) | (c.expires < np.inf) | ((c.valid_from > -np.inf) & ~raw)
        dated = np.flatnonzero(standing & bound)
        return standing, dated, raw[dated]

    def _then(self, now: float, as_of: float | None, known_at: float | None) -> Mask:
        """(N,) rows that held then, or as they were known then."""
        c = self.columns
        known = c.known_to == np.inf
        if known_at is not None:
            known = (c.known_from <= known_at) & (c.known_to > known_at)
        world = now if as_of is None else as_of
        live = known & (c.valid_to > world) & (c.expires > now)
        begun = c.valid_from <= world
        if as_of is None:
            return live & (c.state == _ACTIVE) & (begun | c.of_kind("raw"))
        return live & begun & ((c.state == _ACTIVE) | ((c.state == _ARCHIVED) & c.replaced))

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
        found = self.by_row(self.columns.rows[rows].tolist())
        by_id = {record.id: record for record in found}
        ids = [self.columns.ids[row] for row in rows]
        return [by_id[record_id] for record_id in ids if record_id in by_id]

    def by_row(self, rows: Sequence[int]) -> list[Record]:
        """The records at these rows of the log, in its order."""
        return read_records(
            self.db,
            "r.space=? AND r.row IN (SELECT value FROM json_each(?))",
            (self.space, dumps(list(rows))),
        )

    def current(
        self, record_ids: Iterable[str], known_at: float | None = None
    ) -> dict[str, Record]:
        """Current versions by id, or those of ``known_at``, from this space only."""
        held = "r.known_to IS NULL"
        if known_at is not None:
            held = "r.known_from<=:at AND (r.known_to IS NULL OR r.known_to>:at)"
        ids = dumps(list(dict.fromkeys(record_ids)))
        found = read_records(
            self.db,
            f"r.record IN (SELECT value FROM json_each(:ids)) AND +r.space=:space AND {held}",
            {"ids": ids, "space": self.space, "at": known_at},
        )
        return {record.id: record for record in found}

    def resting_on(self, record_id: str) -> list[Record]:
        """Records that were made of this one, perhaps among others."""
        return read_records(
            self.db,
            "+r.space=? AND r.known_to IS NULL AND r.record IN "
            "(SELECT record FROM rests_on WHERE source=?)",
            (self.space, record_id),
        )

    def edges(self) -> tuple[Rows, Rows]:
        """Links between live rows, as positions: from each first to the second of its pair."""
        sources, targets = self.columns.remembered("edges", self._edges)
        alive = self.live[sources] & self.live[targets]
        return sources[alive], targets[alive]

    def _edges(self) -> tuple[Rows, Rows]:
        place = {record: at for at, record in enumerate(self.columns.ids)}
        found = self.db.execute(
            "SELECT source, target FROM links WHERE space=? ORDER BY source, target", (self.space,)
        )
        pairs = [(place[a], place[b]) for a, b in found if a in place and b in place]
        both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return both[:, 0], both[:, 1]

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
        """An active record that says what an undated message says, by whoever may have said it.

        Whoever looks for the message finds that record: it has the same agent and run, the same
        metadata where the message has some, and it is kept as long.
        """
        metadata = dumps(raw.metadata) if raw.metadata else None
        asked = {
            "space": self.space,
            "same": same_key(raw.text),
            "agent": raw.scope.agent,
            "run": raw.scope.run,
            "speaker": raw.fields.get("speaker"),
            "expires": raw.expires_at,
            "metadata": metadata,
        }
        (found,) = self.db.execute(f"SELECT min(w.row) {_SAME_NOTE}", asked).fetchone()
        return None if found is None else self.by_row([found])[0]

    def matching(self, condition: tuple[str, Sequence[object]]) -> Mask:
        """(N,) rows that meet a compiled filter."""
        sql, values = condition
        try:
            found = self.db.execute(
                f"SELECT r.row FROM rows r JOIN log l ON l.seq=r.row WHERE r.space=? AND ({sql})",
                (self.space, *values),
            )
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_ERROR":
                raise
            raise InvalidFilter(f"the filter is too large ({error}); search in parts") from error
        rows = np.array([row for (row,) in found], dtype=np.int64)
        return np.isin(self.columns.rows, rows, assume_unique=True)

    def postings(self, terms: Sequence[str]) -> Mapping[str, tuple[Rows, Floats]]:
        """Positions and counts of each term among the rows of the space."""
        held: dict[str, tuple[Rows, Floats]] = self.columns.remembered("postings", dict)
        if len(held) > _POSTINGS:
            held.clear()
        found = {term: held.get(term) or self._posted(term) for term in terms}
        held.update(found)
        return found

    def _posted(self, term: str) -> tuple[Rows, Floats]:
        held = self.columns.rows
        rows, counts = read_postings(self.db, self.space, term)
        inside = np.searchsorted(held, rows)
        if len(rows) and inside[-1] >= len(held):
            raise StoreCorrupt("the index of words is damaged; run 'engram check --repair'")
        return inside, counts


def space_of(db: sqlite3.Connection, scope: Scope) -> int | None:
    """The number of a scope's space; None when nothing was written there yet."""
    key = (scope.app or "", scope.user)
    found = db.execute("SELECT space FROM spaces WHERE app=? AND user=?", key).fetchone()
    with whole("the table of spaces"):
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


def still_current(db: sqlite3.Connection, plan: EditPlan) -> EditPlan:
    """The plan without edits that were made on a version which is no longer current."""
    held = current(db, (edit.record.id for edit in plan.edits))
    edits = [e for e in plan.edits if e.basis == (h.version if (h := held.get(e.record.id)) else 0)]
    return replace(plan, edits=tuple(edits))
