"""Where far blocks lie: in memory of the host, or in a file that goes when the cache goes."""

import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal

import torch
from torch import Tensor

from engram.activation.roles import Depot
from engram.errors import InvalidInput, StoreCorrupt, StoreFull

Tier = Literal["host", "file"]
_TIERS: tuple[Tier, ...] = ("host", "file")


@dataclass(frozen=True, slots=True)
class Offload:
    """Where far blocks go, and how many stay at hand.

    Attributes:
        tier: ``host``, tensors in memory; ``file``, one file a layer.
        max_resident: blocks that were read last and stay on the model's device, for each row.
        folder: where files are made; None is the system's folder for them. Nothing stays there.
    """

    tier: Tier = "host"
    max_resident: int = 32
    folder: str | None = None

    def __post_init__(self) -> None:
        """Refuse a place that is not known."""
        if self.tier not in _TIERS or self.max_resident < 0:
            raise InvalidInput(
                f"tier must be {' or '.join(map(repr, _TIERS))} and max_resident at least 0, got "
                f"{self.tier!r} and {self.max_resident!r}"
            )

    def open(self) -> Depot:
        """Return a place with nothing in it."""
        return _File(self.folder) if self.tier == "file" else _Host()


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """A block in memory."""

    tensors: dict[str, Tensor]

    @property
    def nbytes(self) -> int:
        return sum(each.nbytes for each in self.tensors.values())

    def read(self) -> dict[str, Tensor]:
        return self.tensors


class _Host:
    """Blocks in memory, each by itself, so that one that nobody names any more goes."""

    def put(self, tensors: Mapping[str, Tensor]) -> _Held:
        """Hold a copy."""
        return _Held(
            {
                name: each.detach().to("cpu", copy=True).contiguous()
                for name, each in tensors.items()
            }
        )


class _Written:
    """A block in a file; its place is free once nobody holds it."""

    def __init__(self, file: "_File", slot: int) -> None:
        self._file, self._slot = file, slot

    def __del__(self) -> None:
        self._file.free.append(self._slot)

    @property
    def nbytes(self) -> int:
        return self._file.size

    def read(self) -> dict[str, Tensor]:
        return self._file.read(self._slot)


class _File:
    """Blocks one after the other in a file without a name; a place that is free is taken again."""

    def __init__(self, folder: str | None) -> None:
        try:
            self._file: Any = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        except OSError as fault:
            raise InvalidInput(
                f"folder must be one in which files can be made, got {folder!r} ({fault!r:.100})"
            ) from fault
        weakref.finalize(self, self._file.close)
        self._lock = Lock()  # forks share the file, and may run at the same time
        self._parts: list[tuple[str, torch.Size, torch.dtype, int]] = []  # of a block, and bytes
        self._slots = self.size = 0
        self.free: list[int] = []

    def put(self, tensors: Mapping[str, Tensor]) -> _Written:
        """Write a block."""
        with self._lock:
            if not self._parts:
                self._parts = [(n, t.shape, t.dtype, t.nbytes) for n, t in tensors.items()]
                self.size = sum(size for *_, size in self._parts)
            flat = [tensors[name].detach().cpu().contiguous().view(-1) for name, *_ in self._parts]
            left = memoryview(torch.cat([each.view(torch.uint8) for each in flat]).numpy().data)
            assert len(left) == self.size, "all blocks are of the same shapes"
            if not self.free:
                self.free.append(self._slots)
                self._slots += 1
            slot = self.free.pop()
            self._file.seek(slot * self.size)
            try:
                while left:
                    left = left[self._file.write(left) :]
            except OSError as fault:
                raise StoreFull(
                    f"far blocks must find room in their file, got {fault!r:.100}; name a folder "
                    f"with more of it: parts={{'offload': {{'folder': ...}}}}"
                ) from fault
        return _Written(self, slot)

    def read(self, slot: int) -> dict[str, Tensor]:
        """The tensors of a block.

        Raises:
            StoreCorrupt: the file was cut short by another.
        """
        whole = torch.empty(self.size, dtype=torch.uint8)
        left = memoryview(whole.numpy().data)
        with self._lock:
            self._file.seek(slot * self.size)
            while left:
                count = self._file.readinto(left)
                if not count:
                    raise StoreCorrupt(
                        f"the file of far blocks must hold {len(left)} bytes more, got none; build "
                        f"the cache anew"
                    )
                left = left[count:]
        parts = torch.split(whole, [size for *_, size in self._parts])
        return {
            name: part.clone().view(dtype).view(shape)
            for part, (name, shape, dtype, _) in zip(parts, self._parts, strict=True)
        }
