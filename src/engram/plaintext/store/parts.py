"""Files of forms: written aside, put in their place at once, and destroyed so that no byte stays.

A file that is being written ends in ``.part`` and is locked by its writer, so that what a killed
process left is told from what is still being written.
"""

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

from engram.errors import StoreFull, StoreReadOnly

_PART = ".part"
_BLOCK = 1 << 20
_ABANDONED = 3600.0  # seconds; where files cannot be locked, an older part is nobody's
_locks: Any = import_module("fcntl") if find_spec("fcntl") else None


def folder(store: Path) -> Path:
    """The folder of a store's forms."""
    return store.with_name(f"{store.name}.forms")


def listed(store: Path) -> dict[str, Path]:
    """The files in it by name; none where there is no folder."""
    try:
        found = list(folder(store).iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return {path.name: path for path in found if path.is_symlink() or path.is_file()}


def fresh_name(end: str) -> str:
    """A name that no file ever had."""
    return f"{uuid.uuid4().hex}{end}"


@contextmanager
def written(store: Path, content: bytes) -> Iterator[Path]:
    """A part with this content, safe on the disk; gone after the block unless it found its place.

    Raises:
        StoreFull: there is no room.
        StoreReadOnly: the folder cannot be written.
    """
    try:
        folder(store).mkdir(exist_ok=True)
        with _locked(folder(store)) as (path, file):
            try:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                if _locks is None:
                    file.close()  # such systems rename no file that is open
                yield path
            finally:
                if path.exists():
                    _give_up(path, file)
    except OSError as error:
        kind = StoreReadOnly if isinstance(error, PermissionError) else StoreFull
        raise kind(f"{folder(store)}: no form can be written ({error})") from error


def _give_up(path: Path, file: BinaryIO) -> None:
    if not file.closed:
        _wipe(file)
    path.unlink()


@contextmanager
def _locked(where: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """An empty part that is this process's; whoever sweeps may have been faster than the lock."""
    while True:
        path = where / fresh_name(_PART)
        with path.open("x+b") as file:
            if _locks is not None:
                _locks.flock(file, _locks.LOCK_EX)
            if path.exists():
                yield path, file
                return


def is_part(path: Path) -> bool:
    """Whether a file is not in its place yet."""
    return path.suffix == _PART


def place(part: Path, target: Path) -> None:
    """Put a part in its place, for good."""
    part.replace(target)
    with suppress(OSError, AttributeError):  # not every system can sync a folder
        held = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(held)
        finally:
            os.close(held)


def destroyed(path: Path) -> bool:
    """Overwrite a file and take it away; False where it cannot be.

    A part that is being written is left, and counts as destroyed: it never finds its place.
    """
    try:
        if path.is_symlink():  # what it leads to is not ours
            path.unlink()
            return True
        with path.open("r+b") as file:
            if is_part(path) and _is_written(file):
                return True
            _wipe(file)
        path.unlink()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _is_written(file: BinaryIO) -> bool:
    if _locks is None:
        return time.time() - os.fstat(file.fileno()).st_mtime < _ABANDONED
    try:
        _locks.flock(file, _locks.LOCK_EX | _locks.LOCK_NB)
    except OSError:
        return True
    return False


def _wipe(file: BinaryIO) -> None:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    for start in range(0, size, _BLOCK):
        file.write(bytes(min(_BLOCK, size - start)))
    file.flush()
    os.fsync(file.fileno())
