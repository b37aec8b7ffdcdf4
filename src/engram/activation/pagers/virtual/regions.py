"""Ranges of addresses that get their memory when they are filled: what they do, and one kind."""

import mmap
import sys
from typing import Protocol

import torch
from torch import Tensor

from engram.errors import InvalidInput

_NORESERVE = 0x4000
"""Of Linux: addresses alone, no promise of memory. Python 3.11 has no name for it."""


class Region(Protocol):
    """A range of addresses. Offsets and lengths are bytes, whole pages."""

    @property
    def room(self) -> Tensor:
        """(bytes), uint8; what is not committed must not be touched."""
        ...

    def commit(self, start: int, length: int) -> None:
        """See to it that a range can be written; MemoryError where there is no memory left."""
        ...

    def release(self, start: int, length: int) -> None:
        """Give back the memory of a range; what was in it is lost."""
        ...

    def alias(self, start: int, source: int, length: int) -> bool:
        """Show the memory of a range at another one; at its own again. False: it cannot."""
        ...


class Anonymous:
    """Memory of this process; the system commits a page when it is first written."""

    def __init__(self, length: int) -> None:
        on_linux()
        kind = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NORESERVE
        try:
            self._pages = mmap.mmap(-1, length, flags=kind)
        except OSError as refused:
            raise MemoryError(
                f"{length} bytes of addresses cannot be reserved ({refused.strerror}); "
                f"open with fewer max_tokens"
            ) from None
        self._pages.madvise(mmap.MADV_NOHUGEPAGE)  # a huge page is 2 MiB for the first token
        self.room = torch.frombuffer(self._pages, dtype=torch.uint8)

    def commit(self, start: int, length: int) -> None:
        """Nothing to do: the first write commits."""

    def release(self, start: int, length: int) -> None:
        """Return the pages to the system; they read as zeros from then on."""
        self._pages.madvise(mmap.MADV_DONTNEED, start, length)

    def alias(self, start: int, source: int, length: int) -> bool:
        """Private memory has no address but its own."""
        return start == source or length == 0


def on_linux() -> None:
    """Refuse other systems, on which pages that are given back stay.

    Raises:
        InvalidInput: this is another system.
    """
    if not sys.platform.startswith("linux"):
        raise InvalidInput(
            f"pages of virtual memory need Linux, got {sys.platform!r}; use the pager 'growing'"
        )


def page_size() -> int:
    """The system's page, bytes."""
    return mmap.PAGESIZE
