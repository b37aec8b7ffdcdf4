"""Check and repair: replay the log beside the file and compare everything that follows from it."""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from engram.errors import StoreCorrupt
from engram.plaintext.store import form_files, schema
from engram.plaintext.store.coding import digest
from engram.plaintext.store.replay import MISFITS, rebuild, replay
from engram.plaintext.store.store import Store
from engram.plaintext.store.transaction import Commit, as_bytes, chain

Progress = Callable[[int, int], None]
_TABLES = {
    "rows": "SELECT * FROM rows ORDER BY row",
    "rests_on": "SELECT * FROM rests_on ORDER BY source, record",
    "merged": "SELECT * FROM merged ORDER BY record",
    "links": "SELECT * FROM links ORDER BY source, target",
    "usage": "SELECT * FROM usage ORDER BY record",
    "terms": "SELECT term, doc, count(*) FROM postings GROUP BY term, doc ORDER BY term, doc",
}


@dataclass(frozen=True, slots=True)
class Health:
    """What a check found.

    ``problems`` is empty for a sound store; ``content_hash`` is empty for one that cannot be read.
    """

    problems: tuple[str, ...]
    repaired: bool
    records: int
    versions: int
    commits: int
    content_hash: str


def check(store: Store, *, repair: bool = False, progress: Progress | None = None) -> Health:
    """Verify every invariant; with ``repair`` rebuild from the log what follows from it.

    Args:
        store: an open store.
        repair: rebuild derived tables when they differ, and end forms whose file is not theirs.
            The log itself is never changed: damage there is reported, for nothing else knows
            better.
        progress: called with entries done and entries in all.
    """
    with store.snapshot() as db:
        problems = [*_damage(db), *_log_problems(db)]
        derived = [*_differences(db, progress), *_vector_problems(db, store)]
    repaired = bool(derived) and repair and _rebuilt(store)
    if repaired:
        with store.snapshot() as db:
            derived = [*_differences(db, None), *_vector_problems(db, store)]
    forms = form_files.problems(store)
    if forms and repair:
        form_files.mend(store)
        forms, repaired = form_files.problems(store), True
    with store.snapshot() as db:
        return _health(db, (*problems, *derived, *forms), repaired=repaired)


def _rebuilt(store: Store) -> bool:
    """Rebuild; False where the log is too damaged to make anything of it."""
    try:
        with store.connections.using() as db:
            rebuild(db)
    except StoreCorrupt:
        return False
    return True


def _health(db: sqlite3.Connection, problems: tuple[str, ...], *, repaired: bool) -> Health:
    readable = isinstance(_read(db, "SELECT 1 FROM rows LIMIT 1"), list)
    (records,) = db.execute("SELECT count(DISTINCT record) FROM log").fetchone()
    (versions,) = db.execute("SELECT count(*) FROM log WHERE op='put'").fetchone()
    (commits,) = db.execute("SELECT count(*) FROM commits").fetchone()
    proof = content_hash(db) if readable else ""
    return Health(problems, repaired, records, versions, commits, proof)


def content_hash(
    db: sqlite3.Connection, where: str = "1", values: Mapping[str, object] | None = None
) -> str:
    """One hash over the content of every current record; equal content, equal hash.

    ``where`` is SQL over ``rows`` that leaves some out.

    Versions, commits and use do not count, so that a change and its revert end where they began.
    """
    found = hashlib.sha256()
    for record, stamp, state in db.execute(
        "SELECT record, digest, state FROM rows WHERE known_to IS NULL AND state!='retracted' "
        f"AND {where} ORDER BY record",
        values or {},
    ):
        head = f"{record}\x1f{'erased' if state == 'erased' else ''}\x1f"
        found.update(head.encode() + as_bytes(stamp))
    return found.hexdigest()


def _differences(db: sqlite3.Connection, progress: Progress | None) -> Iterator[str]:
    """Derived tables that are not what the log makes of them."""
    twin = sqlite3.connect(":memory:", isolation_level=None)
    try:
        twin.execute("BEGIN")
        schema.run(twin, schema.DERIVED)
        try:
            for done, total in enumerate(replay(db, twin)):
                if progress and done % 256 == 0:
                    progress(done, total)
        except (StoreCorrupt, sqlite3.DatabaseError) as error:
            yield f"log: cannot be replayed ({error})"
            return
        for table, query in _TABLES.items():
            ours, theirs = _read(db, query), _read(twin, query)
            if isinstance(ours, str):
                yield f"{table}: cannot be read ({ours})"
            elif ours != theirs:
                wrong = len(set(ours) ^ set(theirs))
                yield f"{table}: {wrong} entries differ from what the log says"
    finally:
        twin.close()


def _read(db: sqlite3.Connection, query: str) -> list[tuple[object, ...]] | str:
    try:
        return db.execute(query).fetchall()
    except (
        sqlite3.DatabaseError,
        UnicodeDecodeError,
    ) as error:  # a damaged derived table is a finding, not a failure
        return str(error)


def _damage(db: sqlite3.Connection) -> Iterator[str]:
    for (line,) in db.execute("PRAGMA integrity_check(20)"):
        if line != "ok":
            yield f"file: {line}"


def _log_problems(db: sqlite3.Connection) -> Iterator[str]:
    """Breaks in the hash chain, and payloads that do not match their hash."""
    before = b""
    commits = db.execute(
        "SELECT id, number, at, actor, method, reason, chain FROM commits ORDER BY number"
    ).fetchall()
    for *head, link in commits:
        commit = Commit(*head)
        entries = db.execute(
            "SELECT seq, op, space, record, version, digest FROM log WHERE commit_number=? "
            "ORDER BY seq",
            (commit.number,),
        ).fetchall()
        if chain(before, commit, entries) != link:
            yield f"log: commit {commit.id} does not match its hash"
        before = link
    for seq, body, stamp in db.execute("SELECT seq, body, digest FROM log WHERE body IS NOT NULL"):
        if not isinstance(body, str) or digest(body) != stamp:
            yield f"log: entry {seq} does not match its hash"
    (orphans,) = db.execute(
        "SELECT count(*) FROM log WHERE commit_number NOT IN (SELECT number FROM commits)"
    ).fetchone()
    if orphans:
        yield f"log: {orphans} entries belong to no commit"


def _vector_problems(db: sqlite3.Connection, store: Store) -> Iterator[str]:
    """Vectors that fit no row, and rows that have and will get none."""
    for what, query in _VECTORS.items():
        found = _read(db, query.format(embedder=store.embedder or 0))
        if isinstance(found, str):
            yield f"vectors: cannot be read ({found})"
        elif found and found[0][0]:
            yield f"vectors: {found[0][0]} {what}"


_VECTORS = {
    "fit no searchable row or have the wrong length": f"SELECT count(*) {MISFITS}",
    "rows have none, and no job will make them": (
        "SELECT count(*) FROM rows r WHERE length>0 AND {embedder}>0 AND NOT EXISTS("
        "SELECT 1 FROM vectors v WHERE v.space=r.space AND v.embedder={embedder} AND v.row=r.row) "
        "AND NOT EXISTS(SELECT 1 FROM jobs WHERE kind='embed' AND key='{embedder}')"
    ),
}
