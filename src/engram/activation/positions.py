"""Where entries stand: how a model turns keys to their positions, and where they are shown.

Rotations of one pairing add up, so an entry that was turned to p is shown at q by turning it
further by q - p. It is always turned from what is stored, never from what was shown before.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from engram.errors import InvalidInput
from engram.ops import rotary
from engram.ops.rotary import Pairing

Position = Literal["absolute", "compact"] | int
"""``absolute``: where it was read. ``compact``: side by side before the newest token. A number:
where it was read, but no further away than this many tokens, less one."""


@dataclass(frozen=True, slots=True, eq=False)
class Rotary:
    """How a model turns queries and keys.

    Attributes:
        frequencies: (R / 2,), of the R channels that are turned.
        scaling: what turned channels are multiplied by.
        pairing: which channels turn together.
    """

    frequencies: Tensor
    scaling: float = 1.0
    pairing: Pairing = "halves"

    def turn(self, states: Tensor, positions: Tensor) -> Tensor:
        """Turn (B, G, T, D) that were not turned yet to positions (B, G, T) broadcast."""
        return rotary.rotate(
            states, positions, self._near(states), pairing=self.pairing, scaling=self.scaling
        )

    def unturn(self, states: Tensor, positions: Tensor) -> Tensor:
        """What ``turn`` was given."""
        return rotary.unrotate(
            states, positions, self._near(states), pairing=self.pairing, scaling=self.scaling
        )

    def move(self, states: Tensor, start: Tensor, end: Tensor) -> Tensor:
        """Turn further what was turned to ``start``, (B, G, T) broadcast, to ``end``."""
        return rotary.move(states, start, end, self._near(states), pairing=self.pairing)

    def _near(self, states: Tensor) -> Tensor:
        return self.frequencies.to(states.device)


def side_by_side(positions: Tensor, valid: Tensor | None) -> Tensor:
    """Positions that end where the last valid entry stands and leave no gap.

    Args:
        positions: (B, G, P) broadcast, ascending among valid entries.
        valid: the same, False for what is not there; None where all is.

    Returns:
        The same shape, broadcast; what is not valid stands anywhere.
    """
    count = positions.shape[-1]
    if valid is None:
        ahead = torch.arange(count - 1, -1, -1, device=positions.device)
        return positions[..., -1:] - ahead if count else positions
    ahead = valid.flip(-1).cumsum(-1).flip(-1) - 1
    last = positions.masked_fill(~valid, -1).amax(-1, keepdim=True)
    return (last - ahead).clamp(min=0)


def check_position(position: Position) -> None:
    """Refuse what is no way to show entries.

    Raises:
        InvalidInput: it is not.
    """
    number = isinstance(position, int) and not isinstance(position, bool) and position > 0
    if not number and position not in ("absolute", "compact"):
        raise InvalidInput(
            f"position must be 'absolute', 'compact' or the tokens of a window, at least 1, got "
            f"{position!r}"
        )
