"""Tensors grow in place: there is room ahead, and where it ends they move to half as much again.

Source: Cormen et al. 2022, "Introduction to Algorithms", 4th edition, section 16.4, dynamic tables.
Differs: nothing known.
"""

from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor

from engram.errors import InvalidInput, ShapeError


@dataclass(frozen=True, slots=True)
class Growing:
    """Copies what is held ever more seldom, so that a token costs the same at any length.

    Attributes:
        first: tokens that there is room for at first.
        factor: what the room is multiplied by when it ends; above 1. It bounds what lies idle.
    """

    first: int = 64
    factor: float = 1.5

    def __post_init__(self) -> None:
        """Refuse a room that never grows."""
        if self.first < 1 or not self.factor > 1:
            got = self.first, self.factor
            raise InvalidInput(f"first must be at least 1 and factor above 1, got {got!r}")

    def open(self) -> "_Grown":
        """Return a place for the keys and values of layers, with nothing in it."""
        return _Grown(self)


class _Grown:
    """The keys and values of each layer, side by side in tensors with room ahead.

    Tokens lie along axis 2; the other axes, of which there may be more than one behind, are those
    of the first call. What is stored carries no gradient.
    """

    def __init__(self, settings: Growing) -> None:
        self._settings = settings
        self._rooms: dict[int, tuple[Tensor, Tensor]] = {}
        self._lengths: dict[int, int] = {}

    def append(self, layer: int, keys: Tensor, values: Tensor) -> None:
        """Write tokens, (B, G, T, D), behind those that the layer holds.

        Raises:
            ShapeError: they differ from what is held in another axis than that of the tokens.
        """
        held, more = self._lengths.get(layer, 0), (keys.detach(), values.detach())
        rooms = self._rooms.get(layer)
        if rooms is None or (held == 0 and not _fit(rooms, more)):
            rooms = tuple(new[:, :, :0] for new in more)  # type: ignore[assignment]
        assert rooms is not None
        if not _fit(rooms, more) or keys.shape[2] != values.shape[2]:
            wanted, got = ([tuple(one.shape) for one in pair] for pair in (rooms, more))
            raise ShapeError(
                f"keys and values must be {wanted} but for the tokens of axis 2, got {got}; "
                f"release the layer first"
            )
        needed = held + keys.shape[2]
        room, other = (self._grown(room, held, needed) for room in rooms)
        room[:, :, held:needed] = more[0]
        other[:, :, held:needed] = more[1]
        self._rooms[layer], self._lengths[layer] = (room, other), needed

    def view(self, layer: int) -> tuple[Tensor, Tensor]:
        """Return the keys and values of a layer, (B, G, T, D); valid until it is changed.

        Raises:
            InvalidInput: nothing was ever appended to the layer.
        """
        if layer not in self._rooms:
            raise InvalidInput(f"layer must be one of {sorted(self._rooms)!r}, got {layer!r}")
        keys, values = self._rooms[layer]
        held = self._lengths[layer]
        return keys[:, :, :held], values[:, :, :held]

    def release(self, layer: int, keep: int = 0) -> None:
        """Drop all but the first ``keep`` tokens of a layer; with none left its room goes, too."""
        self._lengths[layer] = min(keep, self._lengths.get(layer, 0))
        if keep == 0 and layer in self._rooms:
            keys, values = self._rooms[layer]
            self._rooms[layer] = keys[:, :, :0].clone(), values[:, :, :0].clone()

    def committed_bytes(self) -> int:
        """Bytes of all tensors, the room ahead among them."""
        return sum(room.nbytes for rooms in self._rooms.values() for room in rooms)

    def _grown(self, room: Tensor, held: int, needed: int) -> Tensor:
        """The room itself where ``needed`` tokens fit, or a larger one with the same tokens."""
        if needed <= room.shape[2]:
            return room
        wide = max(needed, self._settings.first, ceil(room.shape[2] * self._settings.factor))
        with torch.inference_mode(mode=False):  # what is made inside it cannot be filled outside
            larger = room.new_empty(*room.shape[:2], wide, *room.shape[3:])
        larger[:, :, :held] = room[:, :, :held]
        return larger


def _fit(rooms: tuple[Tensor, Tensor], more: tuple[Tensor, Tensor]) -> bool:
    """Whether tensors differ in nothing but the length of axis 2."""
    return all(
        (a.shape[:2], a.shape[3:], a.dtype, a.device)
        == (b.shape[:2], b.shape[3:], b.dtype, b.device)
        for a, b in zip(rooms, more, strict=True)
    )
