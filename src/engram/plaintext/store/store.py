"""The store: opens the file, hands out snapshots and transactions, keeps the caches."""

import hashlib
import sqlite3
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from engram.errors import InvalidInput, StoreCorrupt, StoreReadOnly, StoreTooNew
from engram.plaintext.columns import Columns
from engram.plaintext.roles import Scope
from engram.plaintext.store import column_files, schema
from engram.plaintext.store.coding import whole
from engram.plaintext.store.columns import SpaceCache
from engram.plaintext.store.connect import Connections, translated
from engram.plaintext.store.replay import rebuild
from engram.plaintext.store.transaction import Commit, Transaction, new_id
from engram.plaintext.store.view import Snapshot, space_of
from engram.plaintext.text.words import WORDS_VERSION

CACHE_BYTES = 1 << 30
"""Columns of the spaces searched last stay in memory up to this many bytes of vectors."""


class Store:
    """One SQLite file.

    Args:
        path: the file; made with its folder when missing.
        durability: see ``connect``.
        embedder: name and dimension of the vectors to keep, or None for none.
        spec: how the caller named the embedder; kept, so that the file opens with it next time.

    Raises:
        StoreError: the file cannot be opened, is no engram store, or is too new.
    """

    def __init__(
        self,
        path: Path,
        *,
        durability: str = "full",
        embedder: tuple[str, int] | None = None,
        spec: str | None = None,
    ) -> None:
        self.path = path
        self.connections = Connections(path, durability)
        self.embedder_name = embedder[0] if embedder else None
        self.dimension = embedder[1] if embedder else 0
        self._uses: Counter[str] = Counter()
        self._used_at = 0.0
        self._caches: OrderedDict[int, SpaceCache] = OrderedDict()
        self.forms: OrderedDict[str, Any] = OrderedDict()
        """File of a form -> what was read of it; for whoever reads them."""
        self._lock = threading.Lock()
        self._cache_locks: dict[int, threading.Lock] = {}
        with ExitStack() as undo, translated(path):
            undo.callback(self.connections.close)
            _prepare(path, self.connections)
            self.embedder = self._register(embedder) if embedder else None
            if spec:
                self.connections.get().execute(
                    "INSERT INTO meta VALUES('embedder', ?) ON CONFLICT(key) DO UPDATE "
                    "SET value=excluded.value WHERE value!=excluded.value",
                    (spec,),
                )
            undo.pop_all()

    def close(self, *, keep: bool = False) -> None:
        """Release the file; harmless when repeated.

        Args:
            keep: leave the columns of large spaces beside the file for whoever opens it next.
        """
        if keep and not self.connections.closed:
            self._file_columns()
        self.connections.close()

    def flush(self, now: float) -> None:
        """Write what is counted in memory only: use."""
        if self._uses:
            with self.write(now, method="use"):
                pass

    @contextmanager
    def read(self, scope: Scope, *, columns: bool = True) -> Iterator[Snapshot]:
        """A consistent snapshot of one scope; with ``columns`` it can be searched."""
        with self.connections.using() as db:
            alone = not db.in_transaction
        with self.snapshot() as db:
            space = space_of(db, scope) or 0
            held = self._columns(db, space, alone=alone) if columns else None
            yield Snapshot(db, space, scope, held)

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection inside one read transaction."""
        with self.connections.using() as db:
            if db.in_transaction:  # a reader inside a reader sees the same snapshot
                yield db
                return
            db.execute("BEGIN")
            try:
                yield db
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    @contextmanager
    def write(
        self, now: float, *, actor: str = "", method: str = "", reason: str = ""
    ) -> Iterator[Transaction]:
        """One write transaction: committed when the block ends, undone when it raises."""
        now = float(now)
        with self.connections.using() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                last = db.execute(
                    "SELECT number, at FROM commits ORDER BY number DESC LIMIT 1"
                ).fetchone() or (0, 0.0)
                # The store's clock never runs backwards, or "what was known at" has no answer.
                with whole("the table of commits"):
                    at = max(now, float(last[1]))
                    commit = Commit(new_id(at), last[0] + 1, at, actor, method, reason)
                transaction = Transaction(db, commit, self.embedder)
                yield transaction
                transaction.count_uses(self._take_uses())
                if transaction.wrote:
                    transaction.seal()
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def exclusive(self) -> Iterator[sqlite3.Connection]:
        """A transaction beside the log, for what is no memory: leases, vectors, accounts."""
        with self.connections.using() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def used(self, record_ids: Iterable[str], at: float) -> None:
        """Count that these were packed into a context; written with the next commit."""
        with self._lock:
            self._uses.update(record_ids)
            self._used_at = max(at, self._used_at)

    def _take_uses(self) -> tuple[Counter[str], float]:
        with self._lock:
            taken, self._uses = self._uses, Counter()
            return taken, self._used_at

    def _file_columns(self) -> None:
        with self._lock:
            caches = list(self._caches.items())
        for space, cache in caches:
            with self._cache_locks[space], self.snapshot() as db:
                written = column_files.save(self.path, db, cache)
            with self.snapshot() as db:
                if written and _tip(db)[1] != cache.epoch:  # an erase went on meanwhile
                    column_files.withdraw(self.path, cache)

    def forget_caches(self) -> None:
        """Drop what is held in memory; after rows have vanished, or to save memory."""
        with self._lock:
            self._caches.clear()
            self.forms.clear()

    def _columns(self, db: sqlite3.Connection, space: int, *, alone: bool) -> Columns:
        """The columns of just what the snapshot of ``db`` holds.

        Another thread may have read on in the log meanwhile. A reader that stands ``alone`` then
        takes its snapshot again; one inside another reads columns of its own.
        """
        while True:
            newest, epoch = _tip(db)
            cache, lock = self._cache(space, epoch)
            with lock:
                if cache.last > newest and alone:
                    db.execute("ROLLBACK")
                    db.execute("BEGIN")
                    newest, epoch = _tip(db)
                if cache.last <= newest and cache.epoch == epoch:
                    return self._refreshed(cache, db, newest)
            fresh = SpaceCache(space, self.embedder, self.dimension, epoch)
            if not alone:
                return self._refreshed(fresh, db, newest)
            with self._lock:
                self._caches[space] = fresh

    def _refreshed(self, cache: SpaceCache, db: sqlite3.Connection, newest: int) -> Columns:
        if not cache.last:
            column_files.load(self.path, db, cache, newest)
        with whole("the table of rows"):
            return cache.refresh(db, newest)

    def _cache(self, space: int, epoch: str) -> tuple[SpaceCache, threading.Lock]:
        with self._lock:
            cache = self._caches.get(space)
            if cache is None or cache.epoch != epoch:
                cache = SpaceCache(space, self.embedder, self.dimension, epoch)
                self._caches[space] = cache
            self._caches.move_to_end(space)
            self._evict(space)
            return cache, self._cache_locks.setdefault(space, threading.Lock())

    def _evict(self, keep: int) -> None:
        def size(cache: SpaceCache) -> int:
            return cache.arrays["rows"].size * (4 * self.dimension + 256)

        while len(self._caches) > 1 and sum(map(size, self._caches.values())) > CACHE_BYTES:
            oldest = next(iter(self._caches))
            if oldest == keep:
                return
            del self._caches[oldest]

    def _register(self, embedder: tuple[str, int]) -> int:
        db = self.connections.get()
        name = embedder[0]
        found = db.execute("SELECT id, dimension FROM embedders WHERE name=?", (name,)).fetchone()
        if found and found[1] != embedder[1]:
            raise InvalidInput(
                f"the vectors of {name!r} in this file have {found[1]} numbers, got {embedder[1]}; "
                "give the embedder another name"
            )
        if found:
            with whole("the table of embedders"):
                return int(found[0])
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT OR IGNORE INTO embedders(name, dimension) VALUES(?,?)", embedder)
        (number,) = db.execute("SELECT id FROM embedders WHERE name=?", (name,)).fetchone()
        # Whatever was stored under another embedder waits for vectors of this one.
        db.execute(
            "INSERT OR IGNORE INTO jobs(kind, key) SELECT 'embed', ? FROM log LIMIT 1",
            (str(number),),
        )
        db.execute("COMMIT")
        return int(number)


def _tip(db: sqlite3.Connection) -> tuple[int, str]:
    """The last entry of the log, and the epoch; a snapshot begins here at the latest."""
    newest, epoch = db.execute(
        "SELECT (SELECT coalesce(max(seq), 0) FROM log), (SELECT value FROM meta WHERE key='epoch')"
    ).fetchone()
    return int(newest), str(epoch)


def _prepare(path: Path, connections: Connections) -> None:
    """Make a new file, or bring an older one up to date after a backup."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreReadOnly(f"{path}: its folder cannot be made ({error})") from error
    db = connections.get()
    (kind,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not tables:
        _create(db)
    elif kind != schema.APPLICATION_ID:
        raise StoreCorrupt(f"{path}: this SQLite file is not an engram store; choose another path")
    elif version > schema.FORMAT:
        raise StoreTooNew(
            f"{path}: format {version} was written by a later engram, this one reads up to "
            f"{schema.FORMAT}; upgrade engram"
        )
    elif version < schema.FORMAT:
        _migrate(path, db, version)
    db.execute("PRAGMA journal_mode=WAL")  # not before: another program's file is left as it is
    words = db.execute("SELECT value FROM meta WHERE key='words'").fetchone()
    if words != (WORDS_VERSION,):
        rebuild(db)


def _create(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables:  # another process made it while we waited for the lock
        db.execute("ROLLBACK")
        return
    schema.run(db, schema.TRUTH + schema.DERIVED + schema.VECTORS + schema.FORMS)
    epoch = hashlib.sha256(new_id(time.time()).encode()).hexdigest()[:16]
    db.executemany("INSERT INTO meta VALUES(?,?)", [("words", WORDS_VERSION), ("epoch", epoch)])
    db.execute(f"PRAGMA application_id={schema.APPLICATION_ID}")
    db.execute(f"PRAGMA user_version={schema.FORMAT}")
    db.execute("COMMIT")


def _migrate(path: Path, db: sqlite3.Connection, version: int) -> None:
    """Bring an older format up to date, in one transaction, after a full copy beside the file."""
    backup = path.with_name(f"{path.name}.format-{version}.backup")
    copy = sqlite3.connect(backup)
    try:
        db.backup(copy)
    finally:
        copy.close()
    db.execute("BEGIN IMMEDIATE")
    (now_at,) = db.execute("PRAGMA user_version").fetchone()
    for step in range(now_at, schema.FORMAT):
        schema.run(db, schema.MIGRATIONS[step])
    db.execute(f"PRAGMA user_version={schema.FORMAT}")
    db.execute("COMMIT")


def stored_embedder(path: Path) -> str | None:
    """How the embedder was named that a file was last used with; None when it was never named."""
    try:
        if not path.is_file() or not path.stat().st_size:
            return None
    except OSError:  # whoever opens it says what is wrong with the path
        return None
    with translated(path), closing(sqlite3.connect(path)) as db:
        tables = db.execute("SELECT name FROM sqlite_master WHERE name='meta'").fetchone()
        found = tables and db.execute("SELECT value FROM meta WHERE key='embedder'").fetchone()
        return str(found[0]) if found else None
