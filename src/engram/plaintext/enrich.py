"""After writing: raw records -> Enricher -> EditPlan -> one commit, in the order of the log.

``add`` has long returned when this runs. Each enricher has a cursor in the store, the last row that
it has seen, which moves in the same transaction in which its plan is applied: a killed process
loses nothing and does nothing twice. A store that gets an enricher later is caught up from the
beginning.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engram.plaintext.advising import Counsel, Receipt, advised
from engram.plaintext.roles import Edit, EditPlan, Enricher, Floats, Record, Scope, State
from engram.plaintext.store.derive import TRIPLES
from engram.plaintext.store.lease import lease, release
from engram.plaintext.store.store import Store
from engram.plaintext.store.transaction import Commit
from engram.plaintext.store.view import Snapshot, still_current
from engram.ports import Clock, Embedder

BATCH = 64
"""Raw records that an enricher sees at once, all of one space."""

_FRESH = """
SELECT r.row, r.space, s.app, s.user FROM rows r JOIN spaces s ON s.space=r.space
WHERE r.row>? AND r.kind='raw' AND r.state='active' AND r.known_to IS NULL AND NOT EXISTS(
  SELECT 1 FROM rows p WHERE p.record=r.record AND p.version=r.version-1 AND p.same=r.same
  AND p.state='active')
ORDER BY r.row LIMIT ?"""


@dataclass(frozen=True, slots=True)
class Enriched:
    """One plan as it was applied, the records as they now are, and what a model took for it.

    ``commit`` is None where the plan changed nothing.
    """

    commit: Commit | None
    plan: EditPlan
    records: tuple[Record, ...]
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class _Batch:
    scope: Scope
    rows: tuple[int, ...]
    cursor: int


@dataclass(frozen=True, slots=True)
class Enriching:
    """Runs enrichers over what they have not seen yet."""

    store: Store
    enrichers: Sequence[Enricher]
    embedder: Embedder | None
    counsel: Counsel | None
    clock: Clock

    def catch_up(self, *, actor: str = "", stop: threading.Event | None = None) -> list[Enriched]:
        """Let every enricher see what is new, until nothing is or ``stop`` is set.

        Another process that is at it is left to finish.
        """
        return [
            done
            for enricher in self.enrichers
            for done in self._catch_up(enricher, actor, stop or threading.Event())
        ]

    def pending(self) -> int:
        """How many raw records some enricher has not seen; at most ``BATCH`` each are counted."""
        return sum(len(self._fresh(self._cursor(_key(one)))) for one in self.enrichers)

    def _catch_up(
        self, enricher: Enricher, actor: str, stop: threading.Event
    ) -> Iterator[Enriched]:
        key = _key(enricher)
        while not stop.is_set() and lease(self.store, "enrich", key, make=True):
            try:
                cursor = self._cursor(key)
                batch = self._batch(cursor)
                if batch is None:
                    return
                done = self._enrich(enricher, batch, cursor, actor)
            finally:
                release(self.store, "enrich", key)
            if done is not None:
                yield done

    def _cursor(self, key: str) -> int:
        with self.store.snapshot() as db:
            found = db.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
        return int(found[0]) if found else 0

    def _fresh(self, cursor: int) -> list[tuple[int, int, str, str]]:
        with self.store.snapshot() as db:
            return db.execute(_FRESH, (cursor, BATCH)).fetchall()

    def _batch(self, cursor: int) -> _Batch | None:
        """The next fresh records, as far as they belong to one space."""
        found = self._fresh(cursor)
        if not found:
            return None
        _, space, app, user = found[0]
        rows: list[int] = []
        for row, other, _, _ in found:
            if other != space:
                break
            rows.append(row)
        return _Batch(Scope(user=user, app=app or None), tuple(rows), rows[-1])

    def _enrich(
        self, enricher: Enricher, batch: _Batch, cursor: int, actor: str
    ) -> Enriched | None:
        now = self.clock()
        with self.store.read(batch.scope) as view:
            view.narrow(now, None, None, None)
            fresh = view.by_row(batch.rows)
            plan, receipt = advised(
                self.counsel, batch.scope, lambda: enricher.enrich(fresh, now, view)
            )
            vectors = self._vectors(plan, view)
        note = {"actor": actor, "method": plan.method, "reason": plan.reason}
        with self.store.write(now, **note) as transaction:
            if not _move(transaction.db, _key(enricher), cursor, batch.cursor):
                return None  # another process was faster
            plan = still_current(transaction.db, plan)
            records = transaction.apply(plan, vectors)
            return Enriched(transaction.outcome, plan, tuple(records), receipt)

    def _vectors(self, plan: EditPlan, view: Snapshot) -> dict[str, Floats]:
        """Vectors of the texts that are new, made before the write lock is taken."""
        held = view.current(edit.record.id for edit in plan.edits)
        fresh = [edit.record for edit in plan.edits if _needs_vector(edit, held)]
        if self.embedder is None or not fresh:
            return {}
        made = self.embedder.embed([record.text for record in fresh])
        return dict(zip((record.id for record in fresh), made, strict=True))


def _needs_vector(edit: Edit, held: dict[str, Record]) -> bool:
    record = edit.record
    former = held.get(record.id)
    searched = record.state is State.ACTIVE and record.kind not in TRIPLES
    return searched and (former is None or former.text != record.text)


def _key(enricher: Enricher) -> str:
    return f"enriched:{type(enricher).__name__.lower()}"


def _move(db: sqlite3.Connection, key: str, expected: int, cursor: int) -> bool:
    """Move the cursor on; False where it is not where it was when the batch was read."""
    if expected == 0:
        moved = db.execute("INSERT OR IGNORE INTO meta VALUES(?,?)", (key, str(cursor)))
    else:
        moved = db.execute(
            "UPDATE meta SET value=? WHERE key=? AND value=?", (str(cursor), key, str(expected))
        )
    return moved.rowcount == 1


def applied(done: Sequence[Enriched]) -> list[Record]:
    """Every record that enrichers made or changed."""
    return [record for each in done for record in each.records]
