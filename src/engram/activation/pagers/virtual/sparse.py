"""A range of addresses on a sparse file, or on one that is in memory only: a page can be shared."""

import ctypes
import mmap
import os
import weakref
from pathlib import Path
from tempfile import mkstemp

import torch

from engram.activation.pagers.virtual.regions import on_linux

_KEEP_SIZE, _PUNCH_HOLE, _FIXED = 0x01, 0x02, 0x10
_FAILED = ctypes.c_void_p(-1).value


class Sparse:
    """Pages of a file, which takes up no more than was written to it.

    Args:
        length: bytes of addresses.
        folder: where the file is made, without a name; none is a file in memory only.
    """

    def __init__(self, length: int, folder: str = "") -> None:
        on_linux()
        self._system = _system()
        if folder:
            self._file, name = mkstemp(prefix="pages-", dir=folder)
            Path(name).unlink()  # the space is free once nothing maps it
        else:
            self._file = os.memfd_create("pages", os.MFD_CLOEXEC)
        weakref.finalize(self, os.close, self._file)
        os.ftruncate(self._file, length)
        self._pages = mmap.mmap(self._file, length, flags=mmap.MAP_SHARED)
        self.room = torch.frombuffer(self._pages, dtype=torch.uint8)

    def commit(self, start: int, length: int) -> None:
        """Nothing to do: the first write commits."""

    def release(self, start: int, length: int) -> None:
        """Punch a hole into the file: memory and disk are free, and it reads as zeros."""
        kind = _KEEP_SIZE | _PUNCH_HOLE
        if self._system.fallocate(self._file, kind, start, length):
            raise OSError(ctypes.get_errno(), "the file system keeps what is released; use another")

    def alias(self, start: int, source: int, length: int) -> bool:
        """Map the pages of ``source`` at ``start``, too: neither memory nor time goes into it."""
        shown = self._system.mmap(
            self.room.data_ptr() + start,
            length,
            mmap.PROT_READ | mmap.PROT_WRITE,
            mmap.MAP_SHARED | _FIXED,
            self._file,
            source,
        )
        if shown == _FAILED:
            raise MemoryError(
                f"pages must be mapped twice, got error {ctypes.get_errno()}; free some"
            )
        return True


def _system() -> ctypes.CDLL:
    """The calls that Python has no names for."""
    system = ctypes.CDLL(None, use_errno=True)
    size, offset, number = ctypes.c_size_t, ctypes.c_int64, ctypes.c_int
    system.fallocate.argtypes = [number, number, offset, offset]
    system.mmap.argtypes = [ctypes.c_void_p, size, number, number, number, offset]
    system.mmap.restype = ctypes.c_void_p
    return system
