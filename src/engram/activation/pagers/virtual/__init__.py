"""Room for the longest text is reserved as addresses; memory comes page by page as it is filled.

Source: Prabhu et al. 2025, "vAttention: Dynamic Memory Management for Serving LLMs without
    PagedAttention", ASPLOS 2025, arXiv:2405.04437, sections 5 and 6.
Differs: a CPU's system or a sparse file gives the pages where there is no GPU; a cache has a range
    of addresses for each layer, so that layers may differ; pages are mapped when they are needed,
    not ahead of it by a thread.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from engram.activation.pagers.virtual.device import Device, granularity
from engram.activation.pagers.virtual.regions import Anonymous, Region, page_size
from engram.activation.pagers.virtual.slots import Pool, Shape, Slots
from engram.activation.pagers.virtual.sparse import Sparse
from engram.errors import InvalidInput

_BACKINGS = ("cuda", "file", "memory", "mmap")


@dataclass(frozen=True, slots=True)
class Virtual:
    """Pages on demand, behind addresses that never change.

    Attributes:
        max_tokens: of one sequence; addresses are reserved for so many.
        max_bytes: pages that may be committed in all; None is no limit.
        page_bytes: by how much keys, and values, of a sequence grow; rounded up to what the backing
            can map.
        backing: ``mmap``, memory of the process; ``memory``, of which prefixes can be shared;
            ``file``, on disk; ``cuda``, of the current GPU.
        folder: of ``file``: where its files are, without a name, while they are in use.
        deferred: whether what is released keeps its pages, for what comes next, until others need
            them.
    """

    max_tokens: int = 32_768
    max_bytes: int | None = None
    page_bytes: int = 65_536
    backing: str = "mmap"
    folder: str = ""
    deferred: bool = True

    def __post_init__(self) -> None:
        """Refuse settings under which nothing can be held."""
        if self.backing not in _BACKINGS:
            raise InvalidInput(f"backing must be one of {_BACKINGS!r}, got {self.backing!r}")
        if self.max_tokens < 1 or self.page_bytes < 1:
            got = self.max_tokens, self.page_bytes
            raise InvalidInput(f"max_tokens and page_bytes must be at least 1, got {got!r}")
        if self.backing == "file" and not self.folder:
            raise InvalidInput("backing 'file' needs a folder, got ''; name one on a local disk")

    def open(self) -> "_Paged":
        """Return a place for the keys and values of layers, with nothing in it."""
        return _Paged(self)

    def slots(self, shape: Shape, pool: Pool | None = None) -> Slots:
        """Return slots for sequences that come and go, as a server has them."""
        unit = granularity() if self.backing == "cuda" else page_size()
        page = -(-self.page_bytes // unit) * unit
        counted = Pool(self.max_bytes) if pool is None else pool
        with torch.inference_mode(mode=False):  # what is made inside it cannot be filled outside
            return Slots(shape, self._reserve, page, counted, deferred=self.deferred)

    def _reserve(self, length: int, page: int) -> Region:
        if self.backing == "cuda":
            return Device(length, page)
        if self.backing == "mmap":
            return Anonymous(length)
        return Sparse(length, self.folder if self.backing == "file" else "")


class _Paged:
    """The keys and values of each layer, token by token in ranges of addresses of their own.

    The rows of a batch are the slots of a layer.
    """

    def __init__(self, settings: Virtual) -> None:
        self._settings = settings
        self._pool = Pool(settings.max_bytes)
        self._layers: dict[int, tuple[Shape, Slots]] = {}
        self._lengths: dict[int, int] = {}

    def append(self, layer: int, keys: Tensor, values: Tensor) -> None:
        """Write tokens, (B, G, T, D), behind those that the layer holds.

        Raises:
            InvalidInput: keys and values differ in shape, or from what is held in another axis
                than that of the tokens; or there are more than ``max_tokens``.
            MemoryError: the pages would be more than ``max_bytes``.
        """
        slots, held = self._taken(layer, keys, values), self._lengths.get(layer, 0)
        needed = held + keys.shape[2]
        slots.step(dict.fromkeys(range(keys.shape[0]), needed))
        slots.keys(0)[:, held:needed] = keys.detach().transpose(1, 2)
        slots.values(0)[:, held:needed] = values.detach().transpose(1, 2)
        self._lengths[layer] = needed

    def view(self, layer: int) -> tuple[Tensor, Tensor]:
        """Return the keys and values of a layer, (B, G, T, D); they stay where they are.

        Raises:
            InvalidInput: nothing was ever appended to the layer.
        """
        if layer not in self._layers:
            raise InvalidInput(f"layer must be one of {sorted(self._layers)!r}, got {layer!r}")
        _, slots = self._layers[layer]
        held = self._lengths.get(layer, 0)
        rows = slots.keys(0)[:, :held], slots.values(0)[:, :held]
        return rows[0].transpose(1, 2), rows[1].transpose(1, 2)

    def release(self, layer: int, keep: int = 0) -> None:
        """Drop all but the first ``keep`` tokens of a layer. Pages go when no token is left."""
        if layer in self._lengths:
            self._lengths[layer] = min(keep, self._lengths[layer])
        if keep == 0 and self._lengths.pop(layer, None) is not None:
            shape, slots = self._layers[layer]
            for slot in range(shape.slots):
                slots.free(slot)

    def committed_bytes(self) -> int:
        """Bytes of all pages that are mapped."""
        return sum(slots.committed_bytes() for _, slots in self._layers.values())

    def _taken(self, layer: int, keys: Tensor, values: Tensor) -> Slots:
        """The slots of a layer, all of them in use, made anew where what comes is of a new shape.

        Raises:
            InvalidInput: keys and values differ, or from what the layer holds.
        """
        shape = self._shape(keys, values)
        known, slots = self._layers.get(layer, (None, None))
        if layer in self._lengths and shape != known:
            raise InvalidInput(
                f"a layer that holds {known!r} takes nothing else, got {shape!r}; release it first"
            )
        if slots is None or shape != known:
            if slots is not None:
                slots.reclaim(self._pool.used)
                self._pool.sources.remove(slots.reclaim)
            slots = self._settings.slots(shape, self._pool)
            self._layers[layer] = shape, slots
        if layer not in self._lengths:
            for _ in range(shape.slots):
                slots.take()
            self._lengths[layer] = 0
        return slots

    def _shape(self, keys: Tensor, values: Tensor) -> Shape:
        wanted = "cuda" if self._settings.backing == "cuda" else "cpu"
        alike = (keys.shape, keys.dtype) == (values.shape, values.dtype)
        if not alike or {keys.device.type, values.device.type} != {wanted}:
            got = [(tuple(one.shape), one.dtype, one.device.type) for one in (keys, values)]
            raise InvalidInput(
                f"keys and values must be alike, (B, G, T, D), and on {wanted!r}, got {got!r}; use "
                f"another backing or the pager 'growing'"
            )
        rows, heads, _, width = keys.shape
        return Shape(1, rows, self._settings.max_tokens, heads, width, keys.dtype)
