"""Keys or values in a few bits each: how they are packed, cut, joined, decoded and multiplied."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from engram.errors import InvalidInput, ShapeError

RAW = 16
"""Bits at which a tensor is held as it came."""

_FEW = 2
"""Rows of queries up to which their products with the bare codes are quicker than decoding."""

_TILE = 1 << 20
"""Numbers that are worked on at a time, so that what is in between stays near the processor."""

_SPREADS: Mapping[int, tuple[Sequence[tuple[int, int]], torch.dtype]] = {
    2: (((1 + (1 << 12), 0x000F000F), (1 + (1 << 6), 0x03030303)), torch.uint8),
    4: (((1 + (1 << 12), 0x000F000F),), torch.int16),
}
"""Bits -> factors and masks that move the codes of one byte apart in a word, and what one is then.

The copies that a factor adds never overlap, so nothing is carried.
"""


@dataclass(frozen=True, slots=True)
class Codes:
    """Keys or values in codes: about code * scale + minimum, in N blocks of R rows, C columns.

    Attributes:
        codes: (B, G, N, bytes of a block); at 16 bits (B, G, N, R * C), as they came.
        scale, minimum: (B, G, N, 1, C) of keys, (B, G, N, R, 1) of values.
        bits: of a code: 2, 4, 8 or 16.
        block: tokens in a block, R and C. The rows of keys are tokens, those of values groups.
        dtype: of what was encoded, and of what ``decode`` gives.
    """

    codes: Tensor
    scale: Tensor
    minimum: Tensor
    bits: int
    block: tuple[int, int, int]
    dtype: torch.dtype

    @property
    def tokens(self) -> int:
        """How many tokens are held, T."""
        return self.codes.shape[2] * self.block[0]

    @property
    def nbytes(self) -> int:
        """Bytes of codes, scales and minima."""
        return self.codes.nbytes + self.scale.nbytes + self.minimum.nbytes

    def select(self, rows: Tensor) -> Self:
        """Return these rows of the batch, in this order and as often as they are named."""
        return self._like(*(part.index_select(0, rows) for part in self._parts()))

    def take(self, blocks: Tensor) -> Self:
        """Return these blocks (B, G, N') of each head, in this order."""
        axes = (blocks[(..., *[None] * (part.dim() - 3))] for part in self._parts())
        taken = zip(self._parts(), axes, strict=True)
        return self._like(*(part.take_along_dim(at, dim=2) for part, at in taken))

    def narrow(self, start: int, length: int) -> Self:
        """Return a view of ``length`` tokens from ``start``, both whole blocks.

        Raises:
            InvalidInput: they are no whole blocks, or reach over the tokens that are held.
        """
        step, _, _ = self.block
        if start % step or length % step or start < 0 or not 0 <= length <= self.tokens - start:
            raise InvalidInput(
                f"packed tokens are cut at whole blocks of {step} within {self.tokens}, got start "
                f"{start!r} and length {length!r}; decode the block to cut inside it"
            )
        at = start // step, length // step
        return self._like(*(part.narrow(2, *at) for part in self._parts()))

    @classmethod
    def cat(cls, parts: Sequence[Self]) -> Self:
        """Return the tokens of all parts, which were encoded alike, one after the other."""
        kinds = {(part.bits, part.block, part.dtype) for part in parts}
        if len(kinds) != 1:
            raise InvalidInput(f"parts must be encoded alike, got {kinds!r}; decode them to join")
        joined = zip(*(part._parts() for part in parts), strict=True)
        return parts[0]._like(*(torch.cat(tensors, dim=2) for tensors in joined))

    def state(self) -> dict[str, Tensor]:
        """Return everything as contiguous tensors by name, as a file of tensors takes them."""
        names = zip(("codes", "scale", "minimum"), self._parts(), strict=True)
        return {name: part.contiguous() for name, part in names} | {
            "format": torch.tensor([self.bits, *self.block]),
            "like": torch.empty(0, dtype=self.dtype),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> Self:
        """Return what ``state`` was taken of.

        Raises:
            InvalidInput: a tensor is missing, or they do not fit one another.
        """
        missing = {"codes", "scale", "minimum", "format", "like"} - state.keys()
        if missing:
            raise InvalidInput(f"a packed state lacks {sorted(missing)!r}; save it again")
        codes, scale, minimum = state["codes"], state["scale"], state["minimum"]
        bits, step, rows, columns = [*state["format"].tolist(), 0, 0, 0, 0][:4]
        wide = rows * columns if bits == RAW else rows * columns * bits // 8
        wrong = step < 1 or scale.shape != minimum.shape
        if wrong or codes.shape[3:] != (wide,) or codes.shape[:3] != scale.shape[:3]:
            raise InvalidInput(
                f"a packed state of format {state['format'].tolist()!r} cannot have codes of "
                f"{tuple(codes.shape)} and scales of {tuple(scale.shape)}; save it again"
            )
        return cls(codes, scale, minimum, bits, (step, rows, columns), state["like"].dtype)

    def _parts(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.codes, self.scale, self.minimum

    def _like(self, codes: Tensor, scale: Tensor, minimum: Tensor) -> Self:
        return type(self)(codes, scale, minimum, self.bits, self.block, self.dtype)


@dataclass(frozen=True, slots=True)
class Packed(Codes):
    """Codes and what they stand for: decoded, multiplied with queries, mixed by weights."""

    def decode(self, out: Tensor | None = None) -> Tensor:
        """Return (B, G, T, D), each value within half a step of what was encoded.

        Args:
            out: contiguous, of that shape and ``dtype``: is filled and returned. Long tensors take
                most of their time to get fresh memory.
        """
        step, rows, columns = self.block
        shape = (*self.codes.shape[:2], self.tokens, rows * columns // step)
        if out is None and self.tokens * shape[0] * shape[1] * shape[3] <= 4 * _TILE:
            return self._exact().reshape(shape).to(self.dtype)
        if out is None:
            out = torch.empty(shape, dtype=self.dtype, device=self.codes.device)
        blocks, at = out.view(*self.codes.shape[:3], rows, columns), 0
        for tile in self._tiles():
            length = tile.codes.shape[2]
            blocks[:, :, at : at + length] = tile._exact()
            at += length
        return out

    def scores(self, queries: Tensor) -> Tensor:
        """Return queries (B, H, Q, D) times these keys, (B, H, Q, T), not scaled.

        H is a multiple of G. The keys are decoded some at a time and never all; one or two queries
        a head take the scales upon themselves, so that the keys need only be unpacked.
        """
        folded, at = _folded(queries, self), 0
        products = queries.new_empty(*folded.shape[:3], self.tokens)
        few = self.bits != RAW and self.block[0] > 1 and folded.shape[2] <= _FEW
        for tile in self._tiles():
            products[..., at : at + tile.tokens] = (_unscaled if few else _decoded)(folded, tile)
            at += tile.tokens
        return products.view(*queries.shape[:3], self.tokens)

    def mix(self, weights: Tensor) -> Tensor:
        """Return these values mixed by weights (B, H, Q, T): (B, H, Q, D); H a multiple of G.

        The values are decoded some at a time and never all.
        """
        folded, at = _folded(weights, self), 0
        step, rows, columns = self.block
        mixed = weights.new_zeros(*folded.shape[:3], rows * columns // step)
        for tile in self._tiles():
            mixed += folded[..., at : at + tile.tokens] @ tile.decode().to(weights.dtype)
            at += tile.tokens
        return mixed.view(*weights.shape[:3], mixed.shape[-1])

    def _tiles(self) -> Iterator[Self]:
        """Views of some blocks each, in order."""
        blocks, rows = self.codes.shape[2], self.codes.shape[0] * self.codes.shape[1]
        most = max(1, _TILE // max(1, rows * self.block[1] * self.block[2]))
        for at in range(0, blocks, most):
            yield self._like(*(part[:, :, at : at + most] for part in self._parts()))

    def _exact(self) -> Tensor:
        """What the codes stand for, (B, G, N, R, C)."""
        if self.bits == RAW:
            return self.codes.view(*self.codes.shape[:3], *self.block[1:])
        return self._floats().mul_(self.scale).add_(self.minimum)

    def _floats(self) -> Tensor:
        """The codes as (B, G, N, R, C) floats."""
        flat = unpack(self.codes, self.bits)
        floats = torch.promote_types(self.dtype, torch.float32)
        return flat.reshape(*self.codes.shape[:3], *self.block[1:]).to(floats)


def _decoded(queries: Tensor, keys: Packed) -> Tensor:
    return queries @ keys.decode().to(queries.dtype).mT


def _unscaled(queries: Tensor, keys: Packed) -> Tensor:
    """The products by way of the bare codes."""
    codes = keys._floats()
    each = queries.unsqueeze(2).to(codes.dtype)  # (B, G, 1, Q', D)
    parts = (each * keys.scale) @ codes.mT  # (B, G, N, Q', R)
    parts += (each * keys.minimum).sum(-1, keepdim=True)
    return parts.transpose(2, 3).flatten(3)


def _folded(rows: Tensor, packed: Packed) -> Tensor:
    """Rows of H heads (B, H, Q, X) as (B, G, H / G * Q, X)."""
    heads, groups = rows.shape[1], packed.codes.shape[1]
    if heads % groups:
        raise ShapeError(f"heads must be a multiple of the {groups} packed ones, got {heads!r}")
    return rows.reshape(rows.shape[0], groups, heads // groups * rows.shape[2], rows.shape[3])


def pack(codes: Tensor, bits: int) -> Tensor:
    """Whole numbers (B, G, N, R, C) as bytes, a block in one row; the first codes lie lowest."""
    each = 8 // bits
    wide = codes.shape[3] * codes.shape[4] // each
    parts = codes.to(torch.uint8).reshape(*codes.shape[:3], wide, each)
    packed = parts[..., 0]
    for at in range(1, each):
        packed = packed | parts[..., at] << bits * at
    return packed


def unpack(codes: Tensor, bits: int) -> Tensor:
    """Bytes as whole numbers, one for each code. A byte is moved apart as one word."""
    if bits == 8:
        return codes
    steps, one = _SPREADS[bits]
    words = codes.to(torch.int32, memory_format=torch.contiguous_format)
    for factor, mask in steps:
        words.mul_(factor).bitwise_and_(mask)
    return words.view(one)
