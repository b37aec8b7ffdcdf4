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
from collections.abc import Iterator
from contextlib import contextmanager
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


class Connections:
    """Hands every thread its own connection to the file."""

    def __init__(self, path: Path, durability: str) -> None:
        if durability not in ("full", "normal", "off"):
            raise InvalidInput(f"durability must be 'full', 'normal' or 'off', got {durability!r}")
        self.path = path
        self.durability = durability
        self._local = threading.local()
        self._lock = threading.Lock()
        self._open: list[sqlite3.Connection] = []
        self._inherited: list[sqlite3.Connection] = []
        self._process = os.getpid()
        self._closed = False

    def get(self) -> sqlite3.Connection:
        """This thread's connection.

        Raises:
            StoreClosed: after ``close()``.
        """
        if self._closed:
            raise StoreClosed(f"{self.path}: the memory is closed; open it again")
        if self._process != os.getpid():
            self._leave_to_the_parent()
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            with translated(self.path):
                connection = self._local.connection = self._connect()
            with self._lock:
                self._open.append(connection)
        return connection

    @property
    def closed(self) -> bool:
        """True after ``close()``."""
        return self._closed

    def close(self) -> None:
        """Close every thread's connection; harmless when repeated."""
        self._closed = True
        if self._process != os.getpid():
            return
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute(f"PRAGMA synchronous={self.durability}")
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA cache_size=-16000")
        return connection

    def _leave_to_the_parent(self) -> None:
        # After a fork the parent's connections must be neither used nor closed here: closing
        # would drop the parent's file locks.
        self._inherited += self._open
        self._open = []
        self._local = threading.local()
        self._lock = threading.Lock()
        self._process = os.getpid()
