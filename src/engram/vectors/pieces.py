"""Vectors on disk: pieces of the log's order, each a file with the rows and half-precision vectors.

A vector is known by its number: its place in that order over all pieces.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from engram.vectors.exact import Floats, Halves, Rows, widened
from engram.vectors.files import Damaged, Reader, Writer

_FEW = 512
_ONCE = 4096
_JOINED = 1 << 18
"""Most vectors of a file that is joined of smaller ones: what a join copies at most."""


class Piece:
    """One file of vectors.

    Raises:
        Damaged: it is missing, torn, or holds something else.
    """

    def __init__(self, path: Path, dimension: int) -> None:
        self.reader = Reader(path)
        self.rows: Rows = self.reader.array("rows").astype(np.int64, copy=False)
        self._width = 2 * dimension
        self._dimension = dimension
        self._start = self.reader.offset("vectors")
        count = self.reader.count("vectors")
        sound = count == len(self.rows) > 0 and bool((np.diff(self.rows) > 0).all())
        if not sound or self._start + count * self._width > self.reader.size:
            raise Damaged(f"{path.name}: its rows and vectors do not fit one another")

    @cached_property
    def _map(self) -> Halves:
        found: Halves = self.reader.mapped("vectors")
        return found

    def gather(self, places: Rows, *, mapped: bool = False) -> Floats:
        """Vectors at some places of this file, read one by one, or many through a map.

        The map stays, and so do the pages that were touched, as long as the system has room.
        """
        if mapped or len(places) > _FEW:
            whole = len(places) and places[-1] - places[0] == len(places) - 1
            ascending = whole and bool((np.diff(places) == 1).all())
            at = slice(int(places[0]), int(places[-1]) + 1) if ascending else places
            return widened(self._map[at])
        firsts, counts = _runs(places)
        read, width = self.reader.read, self._width
        offsets, sizes = (self._start + firsts * width).tolist(), (counts * width).tolist()
        data = b"".join(map(read, offsets, sizes))
        if len(data) < len(places) * width:  # cut short behind our back
            data = data.ljust(len(places) * width, b"\0")
        return widened(np.frombuffer(data, np.float16).reshape(len(places), self._dimension))

    def halves(self, start: int, stop: int) -> Halves:
        """Vectors as they are kept."""
        return self.reader.array("vectors", start, stop)


def _runs(places: Rows) -> tuple[Rows, Rows]:
    """Places as runs of neighbours: where each begins, and how long it is."""
    breaks = np.flatnonzero(np.diff(places) != 1) + 1
    starts = np.concatenate([np.zeros(min(1, len(places)), np.int64), breaks])
    return places[starts], np.diff(starts, append=len(places))


def write(path: Path, rows: Rows, parts: Iterator[Halves]) -> None:
    """Make a file of vectors."""
    out = Writer(path)
    try:
        out.append("rows", rows)
        for part in parts:
            out.append("vectors", part)
        out.close()
    except BaseException:
        out.discard()
        raise


@dataclass(frozen=True)
class Pieces:
    """Files of vectors in the order of the log."""

    files: tuple[Piece, ...]
    dimension: int

    def __len__(self) -> int:
        return int(self._starts[-1])

    @cached_property
    def _starts(self) -> Rows:
        return np.cumsum([0, *(len(piece.rows) for piece in self.files)])

    @cached_property
    def rows(self) -> Rows:
        """(N,) the row of each vector, ascending."""
        if len(self.files) == 1:
            return self.files[0].rows
        return np.concatenate([np.zeros(0, np.int64), *(piece.rows for piece in self.files)])

    def memory_bytes(self) -> int:
        """Memory taken."""
        each = sum(piece.rows.nbytes for piece in self.files)
        return each if len(self.files) == 1 else 2 * each

    def gather(self, numbers: Rows, *, mapped: bool = True) -> Floats:
        """(n, D) vectors of some numbers; ``mapped`` leaves their pages in memory."""
        if len(self.files) == 1:
            return self.files[0].gather(numbers, mapped=mapped)
        found = np.empty((len(numbers), self.dimension), np.float32)
        where = np.searchsorted(self._starts, numbers, side="right") - 1
        for at in np.unique(where).tolist():
            mine = where == at
            places = numbers[mine] - self._starts[at]
            found[mine] = self.files[at].gather(places, mapped=mapped)
        return found

    def stream(self, start: int, stop: int, *, once: int = _ONCE) -> Iterator[tuple[int, Halves]]:
        """All vectors from one number to another, some at once, each part with where it begins."""
        for piece, first in zip(self.files, self._starts.tolist(), strict=False):
            last = min(stop, first + len(piece.rows))
            for at in range(max(start, first), last, once):
                yield at, piece.halves(at - first, min(at + once, last) - first)

    def uneven(self) -> tuple[int, int] | None:
        """Neighbours from one to before another that should be joined: so files stay few."""
        sizes = [len(piece.rows) for piece in self.files]
        for at in range(len(sizes) - 1, 0, -1):
            if sizes[at - 1] < 2 * sizes[at] and sizes[at - 1] + sizes[at] <= _JOINED:
                return at - 1, at + 1
        return None


def numbers_of(rows: Rows, wanted: Rows) -> Rows:
    """Places in ``rows`` (ascending) of those that are wanted; what is not there is left out."""
    places = np.searchsorted(rows, wanted)
    inside = places < len(rows)
    places, wanted = places[inside], wanted[inside]
    found: Rows = places[rows[places] == wanted]
    return found


def opened(
    folder: Path,
    names: Sequence[str],
    dimension: int,
    check: int = 0,
    known: Mapping[str, Piece] | None = None,
) -> Pieces:
    """The pieces up to the first that is damaged, or that does not follow the one before.

    Files of at most ``check`` bytes are compared with their checksums; those that are ``known`` are
    open already.
    """
    files: list[Piece] = []
    for name in names:
        try:
            piece = (known or {}).get(name) or Piece(folder / name, dimension)
            if piece.reader.size <= check:
                piece.reader.check()
        except (Damaged, ValueError):
            break
        if files and piece.rows[0] <= files[-1].rows[-1]:
            break
        files.append(piece)
    return Pieces(tuple(files), dimension)
