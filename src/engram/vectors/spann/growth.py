"""Growth: vectors come into the lists, what has outgrown its list moves to others.

Source: Xu et al. 2023, "SPFresh: Incremental In-Place Update for Billion-Scale Vector Search",
    SOSP 2023, arXiv:2410.14452, section 4.2 (LIRE: split, merge, reassign).
Differs: a batch at a time, written to a file of its own in place of the one before; a list that is
    too long is split into as many as are needed. Whether a vector of a neighbour is nearer to a
    head that came is asked of its code, and so nothing but codes is read for it.
"""

from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engram.vectors.exact import Mask, Rows
from engram.vectors.pieces import Pieces
from engram.vectors.spann.clustering import leaves
from engram.vectors.spann.codes import (
    Records,
    Rounded,
    distances_of,
    encode,
    numbers_of,
    rotated,
    words,
)
from engram.vectors.spann.lists import Lists
from engram.vectors.spann.postings import Making, Postings
from engram.vectors.spann.settings import CANDIDATES, LEAF, Spann

_ROUNDS = 4
"""After so many rounds of splits, lists that are too long because of their replicas are cut."""

_MOST_ROUNDS = 16
_SHARED = 8  # lists a vector, beyond which a list is too long even when its pages are not full
_ONCE = 256  # lists that are written at once


class Growth:
    """The making of one file of lists out of another, step by step.

    Args:
        pieces: the vectors.
        gone: (N,) those that are removed.
        before: the lists so far, or None.
        settings: of the index.
        doomed: what is removed is about to be destroyed: it may be no head either, and the others
            move up into the numbers that become free.
    """

    def __init__(
        self,
        pieces: Pieces,
        gone: Mask,
        before: Postings | None,
        settings: Spann,
        *,
        doomed: bool = False,
    ) -> None:
        self._pieces = pieces
        self._void = gone.copy()  # vectors whose entries on disk do not count
        self._gone = gone
        self._settings = settings
        self._limit = limit_of(settings, pieces.dimension)
        self._rng = np.random.default_rng(len(pieces))
        self._lists = Lists(pieces, settings, self._rng)
        self._before = before
        self._home = np.full(len(pieces), -1, np.int32)
        self._doomed = doomed
        self._whole: set[int] = set()  # heads of lists that cannot be split: all is one point
        if before is not None:
            self._home[: before.covered] = before.home()

    def run(self, path: Path) -> Iterator[None]:
        """Write the file; between two steps the caller may do something else, or stop for good.

        Raises:
            Damaged: the lists before are not what was written.
        """
        waiting = np.flatnonzero(~self._gone)
        if self._before is not None:
            self._before.reader.check()
            yield None
        if self._before is not None and (some := self._continued()) is not None:
            waiting = np.union1d(some, waiting[waiting >= self._before.covered])
        else:
            self._before = None
            yield from self._begin(waiting)
        for turn in range(_MOST_ROUNDS):
            yield from self._lists.put(waiting)
            over = self._over(replicas=turn < _ROUNDS)
            if not len(over):
                break
            waiting = yield from self._split(over)
        yield from self._write(path)

    def _continued(self) -> Rows | None:
        """Take over the heads there are; the vectors of those that end. None where all end."""
        before = self._before
        assert before is not None
        ends = before.counts <= LEAF + 2
        if self._doomed:
            ends |= np.isin(before.head_rows, self._pieces.rows[self._gone])
        if ends.all():
            return None
        lists = self._lists
        lists.add_heads(before.heads.vectors, before.head_rows, np.arange(len(ends)))
        lists.alive = ~ends
        lists.arrange(None if self._doomed else before.heads.centres)
        records, _ = before.read(np.flatnonzero(ends))
        return self._again(numbers_of(records))

    def _again(self, numbers: NDArray[np.integer]) -> Rows:
        """Take vectors out of every list; those among them that are still wanted."""
        marked = np.zeros(len(self._void), bool)
        marked[numbers] = True
        marked &= ~self._gone
        self._void |= marked
        self._lists.keep(~marked[self._lists.entries.vectors])
        return np.flatnonzero(marked)

    def _begin(self, numbers: Rows) -> Iterator[None]:
        """Choose the first heads."""
        chosen = []
        size = 1 / self._settings.head_ratio
        for leaf in leaves(numbers, self._pieces.gather, size, self._rng):
            if leaf is not None:
                chosen.append(leaf[1])
            yield None
        self._lists = Lists(self._pieces, self._settings, self._rng)
        self._void = self._gone.copy()
        self._home[:] = -1
        self._add_heads(np.array(chosen, np.int64))
        self._lists.arrange()

    def _add_heads(self, numbers: Rows) -> None:
        self._lists.add_heads(self._pieces.gather(numbers), self._pieces.rows[numbers])

    def _over(self, *, replicas: bool) -> Rows:
        """Heads with more entries than the limit; at the end only the nearest count."""
        lists, before = self._lists, self._before
        found = lists.entries
        counts = np.bincount(
            found.heads if replicas else found.heads[found.first], minlength=len(lists.rows)
        )
        if before is not None:
            old = lists.origin >= 0
            near = (
                before.counts
                if replicas
                else np.bincount(
                    self._home[(self._home >= 0) & ~self._void], minlength=len(before.counts)
                )
            )
            counts[old] += near[lists.origin[old]]
        over = np.flatnonzero((counts > self._limit) & lists.alive)
        return over[~np.isin(over, list(self._whole))]

    def _split(self, over: Rows) -> Generator[None, None, Rows]:
        """Split lists; the vectors that are to be listed again."""
        lists, began, moved = self._lists, len(self._lists.rows), []
        order = np.argsort(lists.entries.heads, kind="stable")
        bounds = np.searchsorted(lists.entries.heads[order], [over, over + 1]).T.tolist()
        for head, (start, stop) in zip(over.tolist(), bounds, strict=True):
            mine = np.union1d(self._on_disk(head), lists.entries.vectors[order[start:stop]])
            if len(mine) <= self._limit:
                continue
            split = leaves(mine, self._pieces.gather, self._limit / 2, self._rng)
            chosen = [leaf[1] for leaf in split if leaf is not None]
            if len(chosen) == 1:
                self._whole.add(head)
                continue
            lists.alive[head] = False
            self._add_heads(np.array(chosen))
            moved.append(mine)
            yield None
        for head in range(began, len(lists.rows)):
            moved.append(self._drawn(head))
            yield None
        lists.arrange()
        return self._again(np.concatenate([np.zeros(0, np.int64), *moved]))

    def _on_disk(self, head: int) -> Rows:
        """The vectors that the file lists under a head, and that still count."""
        origin = int(self._lists.origin[head])
        if self._before is None or origin < 0:
            return np.zeros(0, np.int64)
        numbers = numbers_of(self._before.read(np.array([origin]))[0]).astype(np.int64)
        return numbers[~self._void[numbers]]

    def _drawn(self, head: int) -> Rows:
        """Vectors of neighbours that a head is nearer to than their own."""
        lists = self._lists
        vector = lists.vectors[head]
        near = lists.order[lists.heads.nearest(vector, CANDIDATES)[0]]
        near = np.sort(near[lists.alive[near] & (lists.origin[near] >= 0)])
        if self._before is None or not len(near):
            return np.zeros(0, np.int64)
        origins = lists.origin[near]
        records, _ = self._before.read(origins)
        heads = np.repeat(origins, self._before.counts[origins])
        numbers = numbers_of(records)
        inner = self._before.heads.vectors[origins] @ vector
        inner = Rounded.of(vector).estimate(records, inner[np.searchsorted(origins, heads)])
        nearer = 1 + float(vector @ vector) - 2 * inner < distances_of(records)
        nearer &= (self._home[numbers] == heads) & ~self._void[numbers]
        return numbers[nearer].astype(np.int64)

    def _write(self, path: Path) -> Iterator[None]:
        """Write the lists in the order of the heads' cells."""
        lists, making = self._lists, Making(path)
        place = np.full(len(lists.rows), -1, np.int64)
        place[lists.order] = np.arange(len(lists.order))
        number = np.cumsum(~self._gone) - 1 if self._doomed else np.arange(len(self._gone))
        home = np.full(len(number[~self._gone]) if self._doomed else len(number), -1, np.int32)
        order = np.argsort(place[lists.entries.heads], kind="stable")
        at_heads = place[lists.entries.heads[order]]
        try:
            making.append(np.zeros((0, words(self._pieces.dimension)), np.uint64), place[:0])
            for at in range(0, len(lists.order), _ONCE):
                stop = min(at + _ONCE, len(lists.order))
                some = order[slice(*np.searchsorted(at_heads, [at, stop]))]
                old, old_at, old_first = self._kept(lists.order[at:stop])
                new, new_at, new_first = self._made(some, place)
                records = np.concatenate([old, new])
                heads, first = (
                    np.concatenate([old_at + at, new_at]),
                    np.append(old_first, new_first),
                )
                kept = self._cut(records, heads, first)
                records, heads, first = records[kept], heads[kept], first[kept]
                numbers = numbers_of(records)
                numbers[:] = number[numbers]
                home[numbers[first]] = heads[first]
                making.append(records, np.bincount(heads - at, minlength=stop - at))
                yield None
            making.close(lists.heads, lists.rows[lists.order], home)
        except BaseException:
            making.discard()
            raise

    def _cut(self, records: Records, heads: Rows, first: Mask) -> Rows:
        """Which records stay, in order: the nearest first, and each at least under one head."""
        order = np.lexsort((distances_of(records), ~first, heads))
        starts = np.searchsorted(heads[order], heads[order])
        kept = (np.arange(len(order)) - starts < self._limit) | first[order]
        return order[kept]

    def _kept(self, heads: Rows) -> tuple[Records, Rows, Mask]:
        """Records of the file that still count: they, their heads' places here, the nearest."""
        before, origin = self._before, self._lists.origin[heads]
        known = np.flatnonzero(origin >= 0)
        if before is None or not len(known):
            nothing = np.zeros(0, np.int64)
            return np.zeros((0, words(self._pieces.dimension)), np.uint64), nothing, nothing > 0
        known = known[np.argsort(origin[known])]
        records, _ = before.read(origin[known])
        at = np.repeat(known, before.counts[origin[known]])
        numbers = numbers_of(records)
        kept = np.flatnonzero(~self._void[numbers])
        return records[kept], at[kept], self._home[numbers[kept]] == origin[at[kept]]

    def _made(self, entries: Rows, place: Rows) -> tuple[Records, Rows, Mask]:
        """New records: they, the places of their heads in the file, whether these are nearest."""
        found = self._lists.entries
        numbers, back = np.unique(found.vectors[entries], return_inverse=True)
        heads, of_head = np.unique(found.heads[entries], return_inverse=True)
        turned = rotated(self._pieces.gather(numbers))
        turned_heads = rotated(self._lists.vectors[heads])
        which = numbers[back].astype(np.uint32)
        records = encode(turned[back], turned_heads[of_head], which)
        return records, place[found.heads[entries]], found.first[entries]


def limit_of(settings: Spann, dimension: int) -> int:
    """Most records of a list: what its pages hold, or what it has when vectors are in eight."""
    held = settings.pages * settings.page // (8 * words(dimension))
    return max(1, min(held, int(_SHARED / settings.head_ratio)))
