"""Files that are written once: arrays with a checksum each, and at the end what lies where.

A file takes its name only when all of it is on the disk, so there is no half of one; what was cut
short is left under another name, which the next writer removes.
"""

import json
import mmap
import os
import sys
import threading
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"engram-vectors-1"
PART = ".part"
_ALIGN = 4096
_CHUNK = 1 << 22  # bytes read at once where all of a file is read


class Damaged(Exception):
    """A file is not what was written; it is left out, and made again from the store."""


class Writer:
    """One file in the making. Arrays are appended to one after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = path.with_name(path.name + PART)
        self._file = self._part.open("wb")
        self._table: dict[str, dict[str, Any]] = {}

    def append(self, name: str, values: NDArray[Any]) -> None:
        """Add to the array of this name, along the first axis; another name begins another."""
        values = np.ascontiguousarray(values)
        if name not in self._table:
            self._file.write(bytes(-self._file.tell() % _ALIGN))
            self._table[name] = {
                "dtype": values.dtype.str,
                "inner": list(values.shape[1:]),
                "offset": self._file.tell(),
                "count": 0,
                "crc": 0,
            }
        entry = self._table[name]
        data = values.data
        self._file.write(data)
        entry["count"] += len(values)
        entry["crc"] = zlib.crc32(data, entry["crc"])

    def close(self) -> None:
        """Put the file in its place, on the disk and whole."""
        table = json.dumps(self._table).encode()
        ends = np.array([len(table), zlib.crc32(table)], np.uint64).tobytes()
        with self._file as file:
            file.write(table + ends + MAGIC)
            file.flush()
            os.fsync(file.fileno())
        self._part.replace(self.path)
        sync_folder(self.path.parent)

    def discard(self) -> None:
        """Leave nothing."""
        self._file.close()
        self._part.unlink(missing_ok=True)


class Reader:
    """One file, open for as long as somebody holds it, whether its name is still there or not.

    Raises:
        Damaged: the file is missing, torn, or not of this kind.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise Damaged(f"{path.name}: cannot be read ({error})") from error
        weakref.finalize(self, os.close, self._handle)
        self._lock = threading.Lock()
        self.size = os.fstat(self._handle).st_size
        self._table = self._read_table()

    def count(self, name: str) -> int:
        """Elements of an array along its first axis."""
        return int(self._entry(name)["count"])

    def array(self, name: str, start: int = 0, stop: int | None = None) -> NDArray[Any]:
        """A part of an array, read into memory."""
        entry = self._entry(name)
        dtype, inner = np.dtype(entry["dtype"]), tuple(entry["inner"])
        width = dtype.itemsize * int(np.prod(inner))
        stop = entry["count"] if stop is None else stop
        data = self.read(entry["offset"] + start * width, (stop - start) * width)
        return np.frombuffer(data, dtype).reshape(stop - start, *inner)

    def offset(self, name: str) -> int:
        """Where the bytes of an array begin."""
        return int(self._entry(name)["offset"])

    def mapped(self, name: str) -> NDArray[Any]:
        """An array as a map of the file: pages come when they are touched, and go with it."""
        entry = self._entry(name)
        if not entry["count"]:
            return self.array(name)
        whole = mmap.mmap(self._handle, 0, access=mmap.ACCESS_READ)
        count = entry["count"] * int(np.prod(entry["inner"]))
        flat = np.frombuffer(whole, entry["dtype"], count, entry["offset"])
        return flat.reshape(entry["count"], *entry["inner"])

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of the file; fewer where it was cut short behind our back."""
        if sys.platform != "win32":
            return os.pread(self._handle, size, offset)
        with self._lock:
            os.lseek(self._handle, offset, os.SEEK_SET)
            return os.read(self._handle, size)

    def expect(self, offset: int, size: int) -> None:
        """Tell the system what will be read next, so that it fetches all of it at once."""
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._handle, offset, size, os.POSIX_FADV_WILLNEED)

    def check(self) -> None:
        """Read everything and compare the checksums.

        Raises:
            Damaged: they differ.
        """
        for name, entry in self._table.items():
            width = np.dtype(entry["dtype"]).itemsize * int(np.prod(entry["inner"]))
            at, end, crc = entry["offset"], entry["offset"] + entry["count"] * width, 0
            while at < end:
                data = self.read(at, min(_CHUNK, end - at))
                if not data:
                    raise Damaged(f"{self.path.name}: {name} is cut short")
                crc = zlib.crc32(data, crc)
                at += len(data)
            if crc != entry["crc"]:
                raise Damaged(f"{self.path.name}: {name} is not what was written")

    def _entry(self, name: str) -> dict[str, Any]:
        if name not in self._table:
            raise Damaged(f"{self.path.name}: holds no {name}")
        return self._table[name]

    def _read_table(self) -> dict[str, dict[str, Any]]:
        ends = self.read(max(0, self.size - 32), 32)
        if len(ends) < 32 or ends[16:] != MAGIC:
            raise Damaged(f"{self.path.name}: its end is missing")
        length, crc = np.frombuffer(ends[:16], np.uint64).tolist()
        table = self.read(max(0, self.size - 32 - length), length) if length < self.size else b""
        if zlib.crc32(table) != crc:
            raise Damaged(f"{self.path.name}: its table is not what was written")
        found: dict[str, dict[str, Any]] = json.loads(table)
        return found


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk, where the system can."""
    if sys.platform != "win32":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove(path: Path) -> None:
    """Take a name away; one that is in use, where that cannot be, goes with the next writer."""
    with suppress(OSError):
        path.unlink()


@contextmanager
def locked(folder: Path, name: str = "lock", *, wait: bool = True) -> Iterator[bool]:
    """Be the only process that does something in a folder; False where another is and not waited.

    A process that ends, however it does, holds no lock.
    """
    handle = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield _taken(handle, wait=wait)
    finally:
        os.close(handle)


def _taken(handle: int, *, wait: bool) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        if wait:
            raise
        return False
    return True
