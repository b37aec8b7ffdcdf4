"""Connections to one SQLite file: one per thread, safe across threads, processes and forks.

``durability`` is SQLite's ``synchronous`` setting in WAL mode:

=========  ==================================================================================
full       an acknowledged write survives a killed process, a crashed system and a power cut
normal     survives a killed process; a crashed system or a power cut may lose the last writes,
           never the file
off        survives a killed process; a crashed system or a power cut may damage the file
=========  ==================================================================================
"""

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from engram.errors import (
    InvalidInput,
    StoreBusy,
    StoreClosed,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreReadOnly,
    brief,
)

Durability = Literal["full", "normal", "off"]
BUSY_SECONDS = 60.0


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours, each naming the file and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translate(error, path) from error
    except UnicodeDecodeError as error:
        raise StoreCorrupt(
            f"{path}: the file is damaged; run 'engram check --repair' on a copy ({error})"
        ) from error


def _translate(error: sqlite3.Error, path: Path) -> StoreError:
    name = getattr(error, "sqlite_errorname", "") or ""
    for prefix, kind, advice in _ERRORS:
        if name.startswith(prefix):
            return kind(f"{path}: {advice} ({error})")
    if isinstance(error, sqlite3.ProgrammingError) and "closed" in str(error):
        return StoreClosed(f"{path}: the memory is closed; open it again")
    return StoreError(f"{path}: SQLite refused: {error} {name}".rstrip())


_ERRORS: tuple[tuple[str, type[StoreError], str], ...] = (
    ("SQLITE_BUSY", StoreBusy, "another process holds the write lock; try again"),
    ("SQLITE_LOCKED", StoreBusy, "another connection holds the table; try again"),
    ("SQLITE_FULL", StoreFull, "no space is left on the disk; nothing was written, free some"),
    ("SQLITE_IOERR_WRITE", StoreFull, "the disk refused the write; nothing was changed"),
    ("SQLITE_IOERR", StoreError, "the disk failed; nothing was changed"),
    ("SQLITE_READONLY", StoreReadOnly, "the file cannot be written; check its permissions"),
    ("SQLITE_PERM", StoreReadOnly, "the file cannot be opened; check its permissions"),
    ("SQLITE_CANTOPEN", StoreReadOnly, "the file cannot be opened or made; check the folder"),
    ("SQLITE_CORRUPT", StoreCorrupt, "the file is damaged; run 'engram check --repair' on a copy"),
    ("SQLITE_NOTADB", StoreCorrupt, "the file is not an engram store; choose another path"),
)


def _folded(value: str | float | bytes | None) -> str | float | bytes | None:
    return value.casefold() if isinstance(value, str) else value


class Connections:
    """Hands every thread its own connection to the file."""

    def __init__(self, path: Path, durability: object) -> None:
        if not isinstance(durability, str) or durability not in ("full", "normal", "off"):
            raise InvalidInput(
                f"durability must be 'full', 'normal' or 'off', got {brief(durability)}"
            )
        self.path = path
        self.durability = durability
        self._local = threading.local()
        self._lock = threading.Condition()
        self._users = 0
        self._open: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._inherited: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._process = os.getpid()
        self._closed = False

    def get(self) -> sqlite3.Connection:
        """This thread's connection.

        Raises:
            StoreClosed: after ``close()``.
        """
        self._raise_closed()
        if self._process != os.getpid():
            self._leave_to_the_parent()
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            with translated(self.path):
                connection = self._local.connection = self._connect()
            with self._lock:
                self._close(left for left in self._open if not left[0].is_alive())
                self._open.append((threading.current_thread(), connection))
        return connection

    @contextmanager
    def using(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection, which nobody closes before the block ends; its errors are ours.

        Raises:
            StoreClosed: after ``close()``.
        """
        if self._process != os.getpid():
            self._leave_to_the_parent()
        with self._lock:
            self._raise_closed()
            self._count(1)
        try:
            with translated(self.path):
                yield self.get()
        finally:
            with self._lock:
                self._count(-1)
                self._lock.notify_all()

    @property
    def closed(self) -> bool:
        """True after ``close()``."""
        return self._closed

    def close(self) -> None:
        """Close every thread's connection when it is at rest; harmless when repeated."""
        self._closed = True
        if self._process != os.getpid():
            return
        with self._lock:
            # SQLite does not survive that a connection is closed under a thread that uses it.
            self._lock.wait_for(lambda: self._users <= self._own())
            self._close(self._open)

    def _raise_closed(self) -> None:
        if self._closed:
            raise StoreClosed(f"{self.path}: the memory is closed; open it again")

    def _own(self) -> int:
        """How many blocks this thread is inside of."""
        return int(getattr(self._local, "depth", 0))

    def _count(self, change: int) -> None:
        self._users = max(0, self._users + change)  # a fork inside a block begins at 0
        self._local.depth = max(0, self._own() + change)

    def _close(self, which: Iterable[tuple[threading.Thread, sqlite3.Connection]]) -> None:
        for held in list(which):
            held[1].close()
            self._open.remove(held)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        with ExitStack() as undo:
            undo.callback(connection.close)
            connection.execute(f"PRAGMA synchronous={self.durability}")
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("PRAGMA temp_store=MEMORY")
            connection.execute("PRAGMA cache_size=-16000")
            # Filters compare text as Python does; SQLite's lower() knows English letters only.
            connection.create_function("folded", 1, _folded, deterministic=True)
            undo.pop_all()
        return connection

    def _leave_to_the_parent(self) -> None:
        # After a fork the parent's connections must be neither used nor closed here: closing
        # would drop the parent's file locks.
        self._inherited += self._open
        self._open = []
        self._local = threading.local()
        self._lock = threading.Condition()
        self._users = 0
        self._process = os.getpid()
