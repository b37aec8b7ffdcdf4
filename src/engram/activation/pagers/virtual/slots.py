"""Slots: each has the addresses for the longest text, and pages for the one that it holds."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engram.activation.pagers.virtual.regions import Region
from engram.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Shape:
    """What slots hold: keys and values (G, D) of a token in every layer, for so many tokens."""

    layers: int
    slots: int
    tokens: int
    heads: int
    width: int
    dtype: torch.dtype

    @property
    def token_bytes(self) -> int:
        """Bytes of the keys, or of the values, of one token in one layer."""
        return self.heads * self.width * self.dtype.itemsize


@dataclass(slots=True)
class Pool:
    """Bytes that may be committed in all; None is no limit.

    ``sources`` give back idle bytes when they run short: each is told how many are needed.
    """

    limit: int | None = None
    used: int = 0
    sources: list[Callable[[int], None]] = field(default_factory=list)

    def take(self, amount: int) -> None:
        """Count bytes as used.

        Raises:
            MemoryError: so many are not left, even when all idle ones are given back.
        """
        for source in self.sources:
            if self.limit is not None and self.used + amount > self.limit:
                source(self.used + amount - self.limit)
        if self.limit is not None and self.used + amount > self.limit:
            raise MemoryError(
                f"pages must fit in max_bytes={self.limit}, got {self.used} in use and {amount} "
                f"more; release a layer or a slot"
            )
        self.used += amount


class Slots:
    """Room for several texts, one a slot, in the same range of addresses for as long as it lives.

    A slot that is free keeps its pages for the next text, until the pool runs short.

    Args:
        shape: what a slot holds.
        reserve: makes a region of so many bytes, for pages of the size that comes second.
        page: bytes of a page, a multiple of what the region can map.
        pool: of the pages.
        deferred: whether a free slot keeps its pages.
    """

    def __init__(
        self,
        shape: Shape,
        reserve: Callable[[int, int], Region],
        page: int,
        pool: Pool,
        *,
        deferred: bool = True,
    ) -> None:
        self._shape, self._page, self._pool, self._deferred = shape, page, pool, deferred
        self._stride = -(-shape.tokens * shape.token_bytes // page) * page
        self._region = reserve(2 * shape.layers * shape.slots * self._stride, page)
        self._mapped = [0] * shape.slots  # pages of each of the 2 * layers ranges of a slot
        self._idle = set(range(shape.slots))
        self._loans: dict[int, tuple[int, int]] = {}  # borrower -> lender, pages
        self._ended: set[int] = set()  # free, but lent out
        pool.sources.append(self.reclaim)

    def take(self, tokens: int = 0) -> int:
        """Return a free slot with pages for so many tokens: the one whose pages fit best.

        Raises:
            InvalidInput: no slot is free, or a slot is shorter.
            MemoryError: the pool is used up.
        """
        if not self._idle:
            raise InvalidInput(f"all {self._shape.slots} slots are in use; free one of them first")
        wanted, mapped = self._pages(tokens), self._mapped
        slot = min(self._idle, key=lambda at: (mapped[at] < wanted, abs(mapped[at] - wanted), at))
        self._idle.remove(slot)
        try:
            self.step({slot: tokens})
        except MemoryError:
            self._idle.add(slot)
            raise
        return slot

    def step(self, lengths: Mapping[int, int]) -> None:
        """Map what slots in use lack for so many tokens each; all of them or none.

        Raises:
            InvalidInput: a slot is shorter, or is not in use.
            MemoryError: the pool is used up.
        """
        if lost := sorted(slot for slot in lengths if not self._in_use(slot)):
            raise InvalidInput(f"slots must be in use, got {lost!r}; take them first")
        lacks = {slot: self._pages(held) - self._mapped[slot] for slot, held in lengths.items()}
        for slot, pages in lacks.items():
            if pages > 0:
                self._pool.take(pages * self._block)
                self._map(slot, pages)

    def free(self, slot: int) -> None:
        """End the text of a slot. Its pages stay for the next one, those lent out for as long.

        Raises:
            InvalidInput: the slot is not in use.
        """
        if not self._in_use(slot):
            raise InvalidInput(f"slots must be in use to be freed, got {slot!r}; take it first")
        if slot in self._loans:
            self._unmap(slot)
        if any(lender == slot for lender, _ in self._loans.values()):
            self._ended.add(slot)
            return
        self._rest(slot)

    def reclaim(self, amount: int) -> None:
        """Give back pages of free slots, from the last slot on, until so many bytes are free."""
        wanted = self._pool.used - amount
        for slot in sorted(self._idle, reverse=True):
            if self._pool.used > wanted:
                self._unmap(slot)

    def share(self, source: int, target: int, tokens: int) -> int:
        """Begin a slot with the first tokens of another, which are not written from then on.

        Whole pages are shared where the region can, and copied where it cannot. What ``target``
        held is lost.

        Returns:
            How many tokens it begins with, at most ``tokens``: those of whole pages.

        Raises:
            InvalidInput: a slot is not in use, or they are the same.
            MemoryError: the pages had to be copied, and the pool is used up.
        """
        lent = any(lender == target for lender, _ in self._loans.values())
        if source == target or lent or not (self._in_use(source) and self._in_use(target)):
            raise InvalidInput(
                f"pages are shared between two slots in use, the second not lent out, got "
                f"{source!r} and {target!r}; take a fresh slot"
            )
        lender, most = self._loans.get(source, (source, self._mapped[source]))
        pages = min(tokens * self._shape.token_bytes // self._page, most)
        self._unmap(target)
        size = pages * self._page
        ranges = list(zip(self._ranges(target), self._ranges(lender), strict=True))
        if not size:
            return 0
        if self._alias(ranges, size):
            self._loans[target], self._mapped[target] = (lender, pages), pages
        else:
            self._pool.take(pages * self._block)
            self._map(target, pages)
            for start, origin in ranges:
                self._region.room[start : start + size] = self._region.room[origin : origin + size]
        return size // self._shape.token_bytes

    def keys(self, layer: int) -> Tensor:
        """The keys of all slots, (slots, tokens, G, D). Read no further than was written."""
        return self._view(2 * layer)

    def values(self, layer: int) -> Tensor:
        """The values of all slots, (slots, tokens, G, D); see ``keys``."""
        return self._view(2 * layer + 1)

    def committed_bytes(self) -> int:
        """Bytes of all pages that are mapped; a page that is shared counts once."""
        borrowed = sum(pages for _, pages in self._loans.values())
        return (sum(self._mapped) - borrowed) * self._block

    @property
    def _block(self) -> int:
        """Bytes by which a slot grows: a page for the keys and for the values of each layer."""
        return 2 * self._shape.layers * self._page

    def _in_use(self, slot: int) -> bool:
        return 0 <= slot < self._shape.slots and slot not in self._idle | self._ended

    def _pages(self, tokens: int) -> int:
        if not 0 <= tokens <= self._shape.tokens:
            raise InvalidInput(
                f"a slot holds at most max_tokens={self._shape.tokens}, got {tokens!r}; open with "
                f"more: addresses cost nothing"
            )
        return -(-tokens * self._shape.token_bytes // self._page)

    def _ranges(self, slot: int) -> Iterator[int]:
        """Where the keys and values of each layer begin, bytes."""
        for tensor in range(2 * self._shape.layers):
            yield (tensor * self._shape.slots + slot) * self._stride

    def _map(self, slot: int, pages: int) -> None:
        """Commit pages that are counted already; none of them if there is no memory."""
        start, size, done = self._mapped[slot] * self._page, pages * self._page, []
        try:
            for at in self._ranges(slot):
                self._region.commit(at + start, size)
                done.append(at + start)
        except MemoryError:
            for at in done:
                self._region.release(at, size)
            self._pool.used -= pages * self._block
            raise
        self._mapped[slot] += pages

    def _alias(self, ranges: list[tuple[int, int]], size: int) -> bool:
        """Show what lies at the second of each pair at the first; all of them or none."""
        shown = []
        try:
            for start, origin in ranges:
                if not self._region.alias(start, origin, size):
                    return False
                shown.append(start)
        except MemoryError:
            for start in shown:
                self._region.alias(start, start, size)
            raise
        return True

    def _unmap(self, slot: int) -> None:
        """Give all pages of a slot back; those it borrowed go back to their lender."""
        lender, borrowed = self._loans.pop(slot, (slot, 0))
        shared, own = borrowed * self._page, (self._mapped[slot] - borrowed) * self._page
        for start in self._ranges(slot):
            if shared:
                self._region.alias(start, start, shared)
            if own:
                self._region.release(start + shared, own)
        self._pool.used -= own // self._page * self._block
        self._mapped[slot] = 0
        if lender in self._ended and all(other != lender for other, _ in self._loans.values()):
            self._ended.remove(lender)
            self._rest(lender)

    def _rest(self, slot: int) -> None:
        """Let a slot wait for its next text, with its pages or without."""
        self._idle.add(slot)
        if not self._deferred:
            self._unmap(slot)

    def _view(self, tensor: int) -> Tensor:
        shape, size = self._shape, self._shape.slots * self._stride
        room = self._region.room[tensor * size : (tensor + 1) * size].view(shape.dtype)
        token = shape.heads * shape.width
        return room.as_strided(
            (shape.slots, shape.tokens, shape.heads, shape.width),
            (self._stride // shape.dtype.itemsize, token, shape.width, 1),
        )
