"""Looking after a store: diff, revert, erase, tend, and what it holds."""

import sqlite3
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engram.errors import InvalidInput, NotFound
from engram.plaintext import edits
from engram.plaintext.advising import Counsel, advised
from engram.plaintext.roles import Edit, EditPlan, Keeper, Record, Scope, State
from engram.plaintext.store import journal
from engram.plaintext.store.check import content_hash
from engram.plaintext.store.columns import STATES
from engram.plaintext.store.erase import destroy, scrub, with_derived
from engram.plaintext.store.forms import sweep
from engram.plaintext.store.store import Store
from engram.plaintext.store.transaction import Commit, Transaction
from engram.plaintext.store.view import current, locate, scopes, space_of, still_current
from engram.plaintext.text.times import seconds


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of an erase: what went, and whether the file was rewritten without it.

    ``commit`` is None when there was nothing to erase. ``scrubbed`` is False while another process
    reads an old snapshot; ``tend`` finishes it. ``backups`` are copies made by migrations, which an
    erase does not reach.
    """

    commit: Commit | None
    ids: tuple[str, ...]
    versions: int
    scrubbed: bool
    backups: tuple[str, ...]


def diff(store: Store, scope: Scope | None, a: Any, b: Any) -> list[journal.Change]:
    """What changed after ``a`` up to ``b``, each a commit id or a time; ``b`` None is now."""
    with store.snapshot() as db:
        space = _space(db, scope)
        first = _commit_number(store, a)
        last = 2**62 if b is None else _commit_number(store, b)
        found = journal.changes(db, first, last, space)
        return [change for change in found if scope is None or _changed_in(scope, change)]


def _changed_in(scope: Scope, change: journal.Change) -> bool:
    record = change.after or change.before
    return record is not None and scope.holds(record.scope)


def _commit_number(store: Store, point: Any) -> int:
    with store.snapshot() as db:
        if isinstance(point, str) and not _is_time(point):
            return journal.find_commit(db, point).number
        found = db.execute(
            "SELECT coalesce(max(number), 0) FROM commits WHERE at<=?", (seconds(point),)
        ).fetchone()
        return int(found[0])


def _is_time(point: str) -> bool:
    try:
        seconds(point)
    except InvalidInput:
        return False
    return True


def revert(store: Store, now: float, commit_id: str, *, actor: str, reason: str) -> Commit:
    """Put back what a commit changed, as a new commit.

    Raises:
        NotFound: no such commit.
        InvalidInput: a later commit built on it, or an erase took part of it.
    """
    with store.write(now, actor=actor, method="revert", reason=reason) as transaction:
        commit = journal.find_commit(transaction.db, commit_id)
        entries = transaction.db.execute(
            "SELECT DISTINCT record FROM log WHERE commit_number=? AND op='put'", (commit.number,)
        )
        held = current(transaction.db, (record for (record,) in entries))
        transaction.apply(journal.undo(transaction.db, commit.number, held))
        if not transaction.wrote:
            raise InvalidInput(
                f"commit {commit.id!r} changed no record; there is nothing to revert"
            )
        return transaction.commit


def erase(store: Store, now: float, record_ids: Collection[str], *, actor: str) -> Receipt:
    """Destroy records and all that rests on nothing else."""
    with store.write(now, actor=actor, method="erase") as transaction:
        doomed = with_derived(transaction.db, record_ids)
        transaction.apply(_left_behind(transaction, doomed))
        versions = destroy(transaction, doomed)
        commit = transaction.outcome
    store.forget_caches()
    backups = tuple(
        str(p) for p in sorted(Path(store.path).parent.glob(f"{store.path.name}.*.backup"))
    )
    return Receipt(commit, tuple(sorted(doomed)), versions, scrub(store), backups)


def _touched(db: sqlite3.Connection, doomed: Collection[str]) -> list[str]:
    found: set[str] = set()
    for record in doomed:
        rows = db.execute("SELECT record FROM rests_on WHERE source=?", (record,))
        found |= {other for (other,) in rows}
    return sorted(found - set(doomed))


def _left_behind(transaction: Transaction, doomed: Collection[str]) -> EditPlan:
    """What has other evidence loses only what goes; what a doomed fact had ended holds again."""
    gone = current(transaction.db, doomed)
    if not gone:
        return EditPlan()
    less = {
        record.id: replace(
            record, sources=tuple(each for each in record.sources if each.record not in doomed)
        )
        for record in current(transaction.db, _touched(transaction.db, doomed)).values()
    }
    view = transaction.view(next(iter(gone.values())).scope)
    images = edits.reopened(view, gone, less).values()
    return EditPlan(tuple(Edit(image, basis=image.version) for image in images), method="erase")


@dataclass(frozen=True, slots=True)
class Tending:
    """Lets every keeper look at one scope after the other, and applies what it proposes."""

    store: Store
    keepers: Sequence[Keeper]
    counsel: Counsel | None

    def tend(
        self,
        scope: Scope | None,
        now: float,
        *,
        actor: str,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[tuple[Commit, EditPlan]]:
        """Let them work in one scope, or without any in all."""
        self.store.flush(now)
        scrub(self.store)
        sweep(self.store)
        with self.store.snapshot() as db:
            every = [scope] if scope else scopes(db)
        done = []
        for at, one in enumerate(every):
            for keeper in self.keepers:
                plan = self._plan(keeper, one, now)
                if plan.edits:
                    note = {"actor": actor, "method": plan.method, "reason": plan.reason}
                    with self.store.write(now, **note) as transaction:
                        plan = still_current(transaction.db, plan)
                        transaction.apply(plan)
                        if commit := transaction.outcome:  # another process may have been faster
                            done.append((commit, plan))
            if progress:
                progress(at + 1, len(every))
        return done

    def _plan(self, keeper: Keeper, scope: Scope, now: float) -> EditPlan:
        with self.store.read(scope) as view:
            view.narrow(now, None, None, None)
            plan, _ = advised(self.counsel, scope, lambda: keeper.keep(now, view))
        return plan


def stats(store: Store, scope: Scope | None) -> dict[str, Any]:
    """Counts, sizes and the content hash."""
    with store.snapshot() as db:
        where, values = _inside(db, scope)
        counted = db.execute(
            f"SELECT kind, state, count(*) FROM rows WHERE known_to IS NULL AND {where} "
            "GROUP BY kind, state ORDER BY kind, state",
            values,
        ).fetchall()
        versions, commits, spaces = db.execute(
            "SELECT count(*), count(DISTINCT commit_number), count(DISTINCT rows.space) "
            f"FROM rows JOIN log ON seq=row WHERE {where}",
            values,
        ).fetchone()
        (waiting,) = db.execute(
            "SELECT count(*) FROM jobs WHERE kind!='embed' OR key=?", (str(store.embedder),)
        ).fetchone()
        return {
            "path": str(store.path),
            "bytes": store.path.stat().st_size,
            "records": {f"{kind} {state}": count for kind, state, count in counted},
            "spaces": spaces,
            "versions": versions,
            "commits": commits,
            "jobs": waiting,
            "embedder": store.embedder_name,
            "durability": store.connections.durability,
            "content_hash": content_hash(db, where, values),
        }


def _inside(db: sqlite3.Connection, scope: Scope | None) -> tuple[str, dict[str, Any]]:
    """SQL over ``rows`` that holds inside a scope, and its values."""
    if scope is None:
        return "1", {}
    where = "rows.space=:space AND (:agent IS NULL OR agent=:agent) AND (:run IS NULL OR run=:run)"
    return where, {"space": _space(db, scope), "agent": scope.agent, "run": scope.run}


def _space(db: sqlite3.Connection, scope: Scope | None) -> int | None:
    """None for all spaces; 0, which no space has, for one that does not exist yet."""
    return None if scope is None else space_of(db, scope) or 0


def find(store: Store, record_id: str, scope: Scope | None) -> tuple[Record, Scope]:
    """A record by id, and its whole scope.

    Raises:
        NotFound: there is none, or it is another scope's.
    """
    with store.snapshot() as db:
        found = locate(db, record_id)
        if found is not None and (scope is None or scope.holds(found.scope)):
            return found, found.scope
    raise NotFound(f"no memory has the id {record_id!r} here; check the id and the scope")


def history(store: Store, record_id: str, scope: Scope | None) -> list[journal.Version]:
    """Every version of a record, erased ones too.

    Raises:
        NotFound: there never was one in the scope.
    """
    with store.snapshot() as db:
        found = journal.versions(db, _space(db, scope), record_id)
    if found and _visible(found, scope):
        return found
    raise NotFound(f"no memory has the id {record_id!r} here; check the id and the scope")


def erasable(store: Store, record_id: str, scope: Scope | None) -> str:
    """The id, when a record of the scope has it; an erased one may be erased again."""
    history(store, record_id, scope)
    return record_id


def _visible(found: Sequence[journal.Version], scope: Scope | None) -> bool:
    held = [version.record for version in found if version.record is not None]
    return scope is None or not held or scope.holds(held[-1].scope)


def everything(store: Store, scope: Scope) -> list[str]:
    """Ids of all records of a scope, in whatever state but erased."""
    with store.read(scope) as view:
        kept = view.columns.state != STATES.index(State.ERASED)
        return list(dict.fromkeys(view.columns.ids[kept & view.in_scope()]))


def active(store: Store, scope: Scope) -> list[Record]:
    """All active records of a scope."""
    with store.read(scope) as view:
        columns = view.columns
        state = columns.state == STATES.index(State.ACTIVE)
        return view.records(np.flatnonzero(state & (columns.known_to == np.inf) & view.in_scope()))
