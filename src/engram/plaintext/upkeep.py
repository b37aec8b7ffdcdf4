"""Looking after a store: diff, revert, erase, tend, and what it holds."""

import sqlite3
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engram.errors import InvalidInput, NotFound
from engram.plaintext.roles import Edit, EditPlan, Keeper, Record, Scope, State
from engram.plaintext.store import journal
from engram.plaintext.store.check import content_hash
from engram.plaintext.store.columns import STATES
from engram.plaintext.store.erase import destroy, scrub, with_derived
from engram.plaintext.store.store import Store
from engram.plaintext.store.transaction import Commit
from engram.plaintext.store.view import current, locate, scopes, space_of
from engram.plaintext.text.times import seconds


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of an erase: what went, and whether the file was rewritten without it.

    ``scrubbed`` is False while another process reads an old snapshot; ``tend`` finishes it.
    ``backups`` are copies made by migrations, which an erase does not reach.
    """

    commit: Commit
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
        return journal.changes(db, first, last, space)


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
        transaction.apply(
            _without_evidence(current(transaction.db, _touched(transaction.db, doomed)), doomed)
        )
        versions = destroy(transaction, doomed)
        commit = transaction.commit
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


def _without_evidence(records: dict[str, Record], doomed: Collection[str]) -> EditPlan:
    """Records that rest on other evidence as well lose only what is being erased."""
    edits = []
    for record in records.values():
        kept = tuple(source for source in record.sources if source.record not in doomed)
        edits.append(Edit(replace(record, sources=kept), basis=record.version))
    return EditPlan(tuple(edits), method="erase")


def tend(
    store: Store,
    keepers: Sequence[Keeper],
    now: float,
    scope: Scope | None,
    *,
    actor: str,
    progress: Callable[[int, int], None] | None = None,
) -> list[tuple[Commit, EditPlan]]:
    """Let every keeper look at one scope, or at all of them, and apply what it proposes."""
    store.flush(now)
    scrub(store)
    with store.snapshot() as db:
        every = [scope] if scope else scopes(db)
    done = []
    for at, one in enumerate(every):
        for keeper in keepers:
            with store.read(one) as view:
                view.narrow(now, None, None, None)
                plan = keeper.keep(now, view)
            if plan.edits:
                with store.write(now, actor=actor, method=plan.method, reason=plan.reason) as t:
                    t.apply(_still_current(t.db, plan))
                    done.append((t.commit, plan))
        if progress:
            progress(at + 1, len(every))
    return done


def _still_current(db: sqlite3.Connection, plan: EditPlan) -> EditPlan:
    """The plan without edits that were made on a version which is no longer current."""
    held = current(db, (edit.record.id for edit in plan.edits))
    edits = [e for e in plan.edits if (r := held.get(e.record.id)) and r.version == e.basis]
    return replace(plan, edits=tuple(edits))


def stats(store: Store, scope: Scope | None) -> dict[str, Any]:
    """Counts, sizes and the content hash."""
    with store.snapshot() as db:
        space = _space(db, scope)
        counted = db.execute(
            "SELECT kind, state, count(*) FROM rows "
            "WHERE known_to IS NULL AND (? IS NULL OR space=?) GROUP BY kind, state "
            "ORDER BY kind, state",
            (space, space),
        ).fetchall()
        (commits,) = db.execute("SELECT count(*) FROM commits").fetchone()
        (versions,) = db.execute("SELECT count(*) FROM log WHERE op='put'").fetchone()
        (waiting,) = db.execute("SELECT count(*) FROM jobs").fetchone()
        return {
            "path": str(store.path),
            "bytes": store.path.stat().st_size,
            "records": {f"{kind} {state}": count for kind, state, count in counted},
            "spaces": db.execute("SELECT count(*) FROM spaces").fetchone()[0],
            "versions": versions,
            "commits": commits,
            "jobs": waiting,
            "embedder": store.embedder_name,
            "durability": store.connections.durability,
            "content_hash": content_hash(db),
        }


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
        if found is not None and (scope is None or holds(scope, found.scope)):
            return found, found.scope
    raise NotFound(f"no memory has the id {record_id!r} here; check the id and the scope")


def holds(wanted: Scope, scope: Scope) -> bool:
    """True when a caller in ``wanted`` may see a record of ``scope``."""
    return (
        (wanted.app, wanted.user) == (scope.app, scope.user)
        and wanted.agent in (None, scope.agent)
        and wanted.run in (None, scope.run)
    )


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
    return scope is None or not held or holds(scope, held[-1].scope)


def everything(store: Store, scope: Scope) -> list[str]:
    """Ids of all records of a scope, in whatever state."""
    with store.read(scope) as view:
        return list(dict.fromkeys(view.columns.ids[view.in_scope()]))


def active(store: Store, scope: Scope) -> list[Record]:
    """All active records of a scope."""
    with store.read(scope) as view:
        columns = view.columns
        state = columns.state == STATES.index(State.ACTIVE)
        return view.records(np.flatnonzero(state & (columns.known_to == np.inf) & view.in_scope()))
