"""Keys are held in few bits by channel and values by token, the newest of both as they came.

Source: Liu et al. 2024, "KIVI: A Tuning-Free Asymmetric 2bit Quantization for KV Cache", ICML 2024,
    arXiv:2402.02750, section 3.
Differs: the stored minimum is rounded down and the step up, so that no value is off by more than
    half a step in whatever the two are stored; padded tokens have no part in a group's range.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from engram.activation.codecs.asymmetric.packed import RAW, Packed, pack
from engram.errors import InvalidInput, ShapeError


@dataclass(frozen=True, slots=True)
class Asymmetric:
    """Few bits for all but the newest.

    Attributes:
        bits_keys, bits_values: of a code: 2, 4 or 8; 16 leaves them as they came.
        group_size: how many tokens of a channel (keys) or channels of a token (values) share a
            scale; a multiple of 4.
        residual: how many of the newest tokens stay as they came; whole groups.
        exact: keep scales and minima in the dtype of the tensor in place of float16.
    """

    bits_keys: int = 2
    bits_values: int = 2
    group_size: int = 32
    residual: int = 128
    exact: bool = False

    def __post_init__(self) -> None:
        """Refuse settings that no group fits."""
        if not {self.bits_keys, self.bits_values} <= {2, 4, 8, RAW}:
            got = self.bits_keys, self.bits_values
            raise InvalidInput(f"bits must be 2, 4, 8 or 16, got {got!r}; KIVI takes 2 or 4")
        if self.group_size < 4 or self.group_size % 4:
            raise InvalidInput(f"group_size must be a multiple of 4, got {self.group_size!r}")
        if self.residual < 1 or self.residual % self.group_size:
            raise InvalidInput(
                f"residual must be a multiple of group_size={self.group_size}, got "
                f"{self.residual!r}; round it up"
            )

    def due(self, seen: int) -> tuple[int, int]:
        """Return how many of the first keys and values are packed once ``seen`` tokens are held.

        The same whether they came at once or one by one: keys leave by whole residuals, values
        one after the other.
        """
        return seen - seen % self.residual, max(0, seen - self.residual)

    def encode_keys(self, keys: Tensor, valid: Tensor | None = None) -> Packed:
        """Pack keys, a group being ``group_size`` tokens of one channel.

        Args:
            keys: (B, G, T, D), finite; T whole groups.
            valid: (B, T), False for padded tokens; these may hold anything.

        Raises:
            ShapeError: T is not a multiple of ``group_size``.
            InvalidInput: a value cannot be packed.
        """
        b, g, t, d = keys.shape
        size = self.group_size
        if t % size:
            raise ShapeError(f"keys must be (B, G, T, D), T whole groups of {size}, got T={t!r}")
        blocks = keys.reshape(b, g, t // size, size, d)
        told = None if valid is None else valid.reshape(b, 1, t // size, size, 1)
        return self._encoded(blocks, told, self.bits_keys, (size, size, d))

    def encode_values(self, values: Tensor, valid: Tensor | None = None) -> Packed:
        """Pack values, a group being ``group_size`` channels of one token; see ``encode_keys``.

        Raises:
            ShapeError: D is not a multiple of ``group_size``.
            InvalidInput: a value cannot be packed.
        """
        b, g, t, d = values.shape
        size = self.group_size
        if d % size:
            raise ShapeError(
                f"heads must be a multiple of group_size={size} wide, got D={d!r}; choose a group "
                f"that divides it: Settings(parts={{'codec': {{'group_size': ...}}}})"
            )
        blocks = values.reshape(b, g, t, d // size, size)
        told = None if valid is None else valid.reshape(b, 1, t, 1, 1)
        return self._encoded(blocks, told, self.bits_values, (1, d // size, size))

    def _encoded(
        self, blocks: Tensor, valid: Tensor | None, bits: int, block: tuple[int, int, int]
    ) -> Packed:
        """Blocks (B, G, N, R, C) in codes; blocks of one token have their groups in the rows."""
        if bits == RAW:
            none = blocks.new_empty(*blocks.shape[:3], 0, 0)
            return Packed(blocks.flatten(3), none, none, bits, block, blocks.dtype)
        exact = blocks.to(torch.promote_types(blocks.dtype, torch.float32))
        low, high = _range(exact, valid, -1 if block[0] == 1 else -2)
        stored = blocks.dtype if self.exact else torch.float16
        minimum, top = _down(low, stored), 2**bits - 1
        scale = -_down((minimum - high) / top, stored)
        if not (minimum.isfinite().all() and scale.isfinite().all()):
            raise InvalidInput(
                f"what is packed must be finite and within {torch.finfo(stored).max:g}, got "
                f"{low.amin().item():g} to {high.amax().item():g}; exact=True has a wider range"
            )
        scale = torch.where(scale == 0, 1, scale)  # one value, and its minimum is exact
        codes = exact.sub(minimum).div_(scale).round_().nan_to_num_(0).clamp_(0, top)
        return Packed(pack(codes, bits), scale, minimum, bits, block, blocks.dtype)


def _range(exact: Tensor, valid: Tensor | None, along: int) -> tuple[Tensor, Tensor]:
    """The least and the largest of each group; zeros where a group has nothing valid."""
    if valid is None:
        return exact.amin(along, keepdim=True), exact.amax(along, keepdim=True)
    low = exact.masked_fill(~valid, torch.inf).amin(along, keepdim=True)
    high = exact.masked_fill(~valid, -torch.inf).amax(along, keepdim=True)
    none = low > high
    return low.masked_fill(none, 0), high.masked_fill(none, 0)


def _down(exact: Tensor, dtype: torch.dtype) -> Tensor:
    """The values in another dtype, none of them above what it is."""
    kind, near = torch.finfo(dtype), exact.to(dtype)
    lower = exact - exact.abs() * kind.eps - kind.smallest_normal * kind.eps
    return torch.where(near > exact, lower.to(dtype), near)
