"""An index of vectors in a folder: what lies on disk never changes, the newest is in memory.

The store is the truth and the index follows it. ``reach`` is the row up to which everything is on
disk; whoever opens an index feeds it the rows behind that. A file that is lost, torn or damaged is
left out, and ``reach`` says so.
"""

import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from engram.errors import InvalidInput
from engram.vectors import checks, jobs, manifest, pieces
from engram.vectors.exact import Floats, Rows, widened
from engram.vectors.files import Damaged, locked, remove
from engram.vectors.manifest import Manifest
from engram.vectors.opening import opened
from engram.vectors.reading import Reading
from engram.vectors.spann.settings import Spann

EXACT = 50_000
"""Up to so many vectors a search compares with all of them."""

CHECK = 64 << 20
"""Files of at most so many bytes are read in full when an index is opened."""


class Segments(Reading):
    """An index of vectors: ``Segments.open``.

    Any number of threads may use it, and any number of processes one folder.
    """

    @classmethod
    def open(
        cls,
        folder: Path | str,
        dimension: int,
        *,
        settings: Spann | None = None,
        exact: int = EXACT,
        check: int = CHECK,
    ) -> "Segments":
        """Open the index of a folder, which is made when it is missing; damage is no error.

        Args:
            folder: holds nothing else.
            dimension: of the vectors.
            settings: of the lists that are made from here on.
            exact: vectors up to which a search compares with all of them, and there are no lists.
            check: files of at most so many bytes are read in full; ``verify`` reads all.

        Raises:
            StoreReadOnly: the folder cannot be made.
            InvalidInput: an argument cannot be used.
        """
        path, wide = Path(folder), checks.whole(dimension, "dimension", 1)
        least = checks.whole(exact, "exact", 0)
        with checks.writing(path):
            path.mkdir(parents=True, exist_ok=True)
            with locked(path):
                index = cls(path, wide, settings or Spann(), least)
                index._follow(check)
                with locked(path, "merging", wait=False) as alone:
                    if alone:
                        manifest.sweep(path, index._seen)
        return index

    def __init__(self, folder: Path, dimension: int, settings: Spann, exact: int) -> None:
        super().__init__(folder, dimension, settings, exact)
        self._job: jobs.Job | None = None
        self._merging = threading.Lock()
        self._alone = ExitStack()  # while a job is at work, no other process begins one

    def extend(self, rows: Rows, vectors: Floats) -> None:
        """Add the vectors of some rows; they are in memory only until ``seal``.

        Args:
            rows: (n,) ascending, above ``fed``.
            vectors: (n, D) of length 1, or 0. They are kept in half precision.

        Raises:
            InvalidInput: an argument cannot be used; nothing was added.
        """
        numbers = checks.rows(rows)
        given = checks.vectors(vectors, self._dimension, "vectors", many=len(numbers))
        checks.unit(given)
        with self._change:
            if len(numbers) and numbers[0] <= self.fed:
                raise InvalidInput(f"rows must be above {self.fed}, got {numbers[0]!s}")
            self._tail.extend(numbers, widened(given.astype(np.float16)))
            self._show()

    def remove(self, rows: Rows) -> None:
        """Let some rows be found no more; on disk they are marked by the next ``seal``.

        Rows that the index does not hold are passed over.
        """
        numbers = checks.rows(np.unique(np.asarray(rows)))
        with self._change:
            self._removed.append(numbers)
            self._mark(numbers)
            self._show()

    def seal(self) -> None:
        """Write what is in memory only to a file of its own; then ``reach`` is the last row.

        Raises:
            StoreFull, StoreReadOnly: it could not be written; everything is as it was.
        """
        with self._change, checks.writing(self._folder), locked(self._folder):
            self._follow()
            fresh = np.flatnonzero(self._tail.rows > self.reach)
            if not len(fresh) and not self._removed:
                return
            named, rows = self._content.manifest, self._tail.rows[fresh]
            if len(fresh):
                name = f"vectors-{named.next}"
                halves = self._tail.vectors[fresh].astype(np.float16)
                pieces.write(self._folder / name, rows, iter([halves]))
                named = replace(named, pieces=(*named.pieces, name))
            held = self._content.pieces.rows[self._gone_on_disk()]
            gone = np.concatenate([held, rows[self._tail.gone[fresh]]])
            if len(gone):
                named = replace(named, gone=f"gone-{named.next}")
                pieces.write(self._folder / named.gone, gone, iter([]))
            self._publish(replace(named, gone=named.gone if len(gone) else ""))
            self._removed = []

    def merge(self, seconds: float | None = None) -> bool:
        """Put sealed vectors into lists, split and join what needs it; for about so long.

        Searches run beside it and see the index before or after.

        Args:
            seconds: after which it stops, to go on at the next call; None works until all is done.

        Returns:
            Whether nothing is left to do here.

        Raises:
            StoreFull, StoreReadOnly: it could not be written; everything is as it was.
        """
        end = None if seconds is None else time.monotonic() + seconds
        if not self._merging.acquire(blocking=False):
            return False
        try:
            with checks.writing(self._folder):
                return self._work(end)
        finally:
            self._merging.release()

    def erase(self, rows: Rows) -> None:
        """Remove rows so that no byte of their vectors is on the disk when this returns.

        What was removed before goes with them.

        Raises:
            StoreFull, StoreReadOnly: it could not be written; the rows are removed, not erased.
        """
        self.remove(rows)
        with self._merging, self._change, checks.writing(self._folder), locked(self._folder):
            self._give_up()
            self._follow()
            while (gone := self._gone_on_disk()).any():
                job = jobs.without(self._folder, self._content, gone, self._settings)
                try:
                    for _ in job.steps:
                        continue
                    self._publish(job.named(self._content.manifest))
                except Damaged:
                    self._leave_out()
            if self._seen.names() != self._content.manifest.names():
                self._publish(self._content.manifest)  # what is damaged holds bytes, too
            self._tail.keep(~self._tail.gone)
            self._removed = []
            self._show()
            manifest.sweep(self._folder, self._seen)

    def verify(self) -> list[str]:
        """Read every file in full; what is damaged is left out from here on, and told of.

        ``reach`` may be lower afterwards.
        """
        with self._change, locked(self._folder):
            self._follow()
            lost = sorted(self._leave_out())
            return [f"{name} is damaged, or rests on what is: left out" for name in lost]

    def _leave_out(self) -> set[str]:
        """Keep what is sound; the names of the rest. The folder says so with the next change."""
        self._removed.append(self._content.pieces.rows[self._gone_on_disk()])
        self._load(opened(self._folder, self._seen, 1 << 62))
        return self._seen.names() - self._content.manifest.names()

    def _work(self, end: float | None) -> bool:
        """Do one job after the other; True when none is due."""
        while self._begun():
            job = self._job
            assert job is not None
            try:
                for _ in job.steps:
                    if end is not None and time.monotonic() >= end:
                        return False
            except FileNotFoundError:  # another process erased, and swept the folder
                self._give_up()
                self._follow()
                return False
            except Damaged:
                self._give_up()
                self.verify()
                return False
            with self._change, locked(self._folder):
                self._follow()
                if job.fits(self._content.manifest):
                    self._publish(job.named(self._content.manifest))
                    self._job = None
                self._give_up()
        return True

    def _begun(self) -> bool:
        """Have a job; False where none is due, or another process is at one."""
        if self._job is None:
            alone = self._alone.enter_context(locked(self._folder, "merging", wait=False))
            with self._change:
                self._job = self._next() if alone else None
            if self._job is None:
                self._alone.close()
        return self._job is not None

    def _next(self) -> jobs.Job | None:
        content, gone = self._content, self._gone_on_disk()
        what = jobs.due(content, gone, self._exact)
        if what == "without":
            return jobs.without(self._folder, content, gone, self._settings)
        if what == "grown":
            return jobs.grown(self._folder, content, gone, self._settings)
        uneven = content.pieces.uneven()
        return jobs.joined(self._folder, content, *uneven) if uneven is not None else None

    def _give_up(self) -> None:
        if self._job is not None:
            self._job.give_up()
        self._job = None
        self._alone.close()

    def _publish(self, named: Manifest) -> None:
        """From here on the index is what these names say, on disk and for searches."""
        before = self._seen
        named = replace(named, next=named.next + 1)
        manifest.write(self._folder, named)
        for name in before.names() - named.names():
            remove(self._folder / name)
        self._take(named)
