"""Lists on disk, one for each head, one behind the other in one file; the heads in memory.

A list is where its head says: so many records from there on. The file is written once, head by
head, and never changed.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engram.vectors.exact import Rows, widened
from engram.vectors.files import Damaged, Reader, Writer
from engram.vectors.spann.codes import Records, words
from engram.vectors.spann.heads import Heads


class Postings:
    """The lists of one file.

    Attributes:
        heads: in memory.
        head_rows: (H,) the row of the vector that each head is.
        starts: (H + 1,) record at which each list begins.
        covered: vectors up to this number are in lists.

    Raises:
        Damaged: the file is missing, torn, or holds something else.
    """

    def __init__(self, path: Path, dimension: int) -> None:
        self.reader = Reader(path)
        array = self.reader.array
        vectors, centres = widened(array("heads")), array("centres")
        self.heads = Heads(vectors, centres, array("cells"), array("codes"))
        self.head_rows: Rows = array("head_rows")
        self.starts: Rows = array("starts")
        self.covered = int(array("covered")[0])
        self._words = words(dimension)
        self._offset = self.reader.offset("records")
        total = self.reader.count("records")
        fits = self.reader.offset("home") >= self._offset + 8 * self._words * total
        same = len(self.heads.vectors) == len(self.head_rows) == len(self.starts) - 1
        if not (fits and same and self.starts[-1] == total):
            raise Damaged(f"{path.name}: its heads and lists do not fit one another")

    @cached_property
    def counts(self) -> Rows:
        """(H,) records of each list."""
        return np.diff(self.starts)

    def memory_bytes(self) -> int:
        """Memory taken."""
        heads = self.heads
        arrays = (heads.vectors, heads.codes, heads.centres, self.head_rows, self.starts)
        # lengths of the heads, as float32, and of the lists, as int64, are made when asked for
        return sum(array.nbytes for array in arrays) + 12 * len(self.head_rows)

    def home(self) -> NDArray[np.int32]:
        """(covered,) the nearest head of each vector, -1 for none; read anew."""
        return self.reader.array("home").copy()

    def read(self, heads: Rows) -> tuple[Records, int]:
        """The records of some lists, ascending, one after the other, and how many bytes were read.

        The system is told of all of them first, so that it reads them side by side.
        """
        width = 8 * self._words
        starts = self._offset + self.starts[heads] * width
        stops = self._offset + self.starts[heads + 1] * width
        apart = np.flatnonzero(starts[1:] > stops[:-1]) + 1
        firsts = starts[np.concatenate([[0], apart])].tolist() if len(heads) else []
        lasts = stops[np.concatenate([apart - 1, [len(heads) - 1]])].tolist() if len(heads) else []
        if len(firsts) > 1:
            for first, last in zip(firsts, lasts, strict=True):
                self.reader.expect(first, last - first)
        read = self.reader.read
        parts = [read(first, last - first) for first, last in zip(firsts, lasts, strict=True)]
        data = b"".join(parts)
        wanted = sum(lasts) - sum(firsts)
        records = np.frombuffer(data.ljust(wanted, b"\xff"), np.uint64)
        return records.reshape(-1, self._words), wanted


class Making:
    """A file of lists that is being written: begin, then list after list, then ``close``."""

    def __init__(self, path: Path) -> None:
        self._out = Writer(path)
        self._counts: list[Rows] = []

    def append(self, records: Records, counts: Rows) -> None:
        """Add the lists of the next heads."""
        self._out.append("records", records)
        self._counts.append(counts)

    def close(self, heads: Heads, head_rows: Rows, home: NDArray[np.int32]) -> None:
        """Add all else, and put the file in its place."""
        counts = np.concatenate([np.zeros(1, np.int64), *self._counts])
        whole: Sequence[tuple[str, NDArray[np.generic]]] = (
            ("home", home),
            ("heads", heads.vectors.astype(np.float16)),
            ("codes", heads.codes),
            ("centres", heads.centres.astype(np.float32)),
            ("cells", heads.cells.astype(np.int64)),
            ("head_rows", head_rows.astype(np.int64)),
            ("starts", np.cumsum(counts)),
            ("covered", np.array([len(home)], np.int64)),
        )
        for name, values in whole:
            self._out.append(name, values)
        self._out.close()

    def discard(self) -> None:
        """Leave nothing."""
        self._out.discard()
