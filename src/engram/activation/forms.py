"""Old entries in the form that codecs give them: thinned, packed, or as they came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from engram.activation.roles import Codec, Form


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Tokens one by one, (B, G, T, D): how they are taken, cut and joined."""

    rows: Tensor

    @property
    def tokens(self) -> int:
        """How many tokens are held."""
        return self.rows.shape[2]

    def select(self, rows: Tensor) -> Self:
        """These rows of the batch."""
        return replace(self, rows=self.rows.index_select(0, rows))

    def take(self, blocks: Tensor) -> Self:
        """Tokens by number for each head."""
        return replace(self, rows=gather(self.rows, blocks))

    def narrow(self, start: int, length: int) -> Self:
        """``length`` tokens from ``start``."""
        return replace(self, rows=self.rows.narrow(2, start, length))

    @classmethod
    def cat(cls, parts: Sequence[Self]) -> Self:
        """The tokens of all parts."""
        return cls(torch.cat([part.rows for part in parts], dim=2))


@dataclass(frozen=True, slots=True, eq=False)
class Whole(_Rows):
    """Keys or values as they came."""

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor."""
        return self.rows.nbytes

    def decode(self) -> Tensor:
        """The tensor itself."""
        return self.rows

    def scores(self, queries: Tensor) -> Tensor:
        """Queries (B, H, Q, D) times keys, (B, H, Q, T)."""
        return unfold(fold(queries, self.rows.shape[1]) @ self.rows.mT, queries)

    def mix(self, weights: Tensor) -> Tensor:
        """Values mixed by weights (B, H, Q, T)."""
        return unfold(fold(weights, self.rows.shape[1]) @ self.rows, weights)

    def state(self) -> dict[str, Tensor]:
        """The tensor by name."""
        return {"rows": self.rows}

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> Self:
        """What ``state`` was taken of."""
        return cls(state["rows"])


def kinds(codec: Codec | None, keys: Tensor, values: Tensor) -> tuple[type[Form], type[Form]]:
    """What a codec makes of keys and values such as these."""
    if codec is None:
        return Whole, Whole
    return type(codec.encode_keys(keys[:, :, :0])), type(codec.encode_values(values[:, :, :0]))


def fold(rows: Tensor, groups: int) -> Tensor:
    """(B, H, Q, X) -> (B, G, H / G * Q, X): heads that share a key lie one under the other."""
    batch, heads, count, width = rows.shape
    return rows.reshape(batch, groups, heads // groups * count, width)


def unfold(rows: Tensor, like: Tensor) -> Tensor:
    """The inverse of ``fold``, for rows of the heads and queries of ``like``."""
    return rows.reshape(*like.shape[:3], rows.shape[-1])


def gather(rows: Tensor, index: Tensor) -> Tensor:
    """Of rows (B, G, T, D) those of the numbers (B, G, T')."""
    return rows.gather(2, index[..., None].expand(*rows.shape[:2], index.shape[2], rows.shape[3]))


@dataclass(frozen=True, slots=True, eq=False)
class Old:
    """The oldest entries of a layer; never written to, so that forks share it.

    Attributes:
        keys, values: as many tokens of each.
        channels: (B, G, K), which channels the keys have; None for all.
        width: D, of whole keys.
        step: tokens of a block, which is kept or dropped as one.
    """

    keys: Form
    values: Form
    channels: Tensor | None
    width: int
    step: int

    def __len__(self) -> int:
        """How many tokens are held."""
        return self.keys.tokens

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors."""
        extra = 0 if self.channels is None else self.channels.nbytes
        return self.keys.nbytes + self.values.nbytes + extra

    def decode_keys(self) -> Tensor:
        """The keys, (B, G, T, D); a channel that was dropped is 0."""
        keys = self.keys.decode()
        if self.channels is not None:
            whole = keys.new_zeros(*keys.shape[:3], self.width)
            at = self.channels[:, :, None].expand(keys.shape)
            keys = whole.scatter_(3, at, keys)
        return keys

    def scores(self, queries: Tensor) -> Tensor:
        """Queries (B, H, Q, D) times keys, (B, H, Q, T), not scaled."""
        if self.channels is not None:
            shared = queries.shape[1] // self.channels.shape[1]
            at = self.channels.repeat_interleave(shared, dim=1)[:, :, None]
            queries = queries.gather(3, at.expand(-1, -1, queries.shape[2], -1))
        return self.keys.scores(queries)

    def join(self, more: "Old") -> "Old":
        """These tokens, then those of another in the same form."""
        keys = type(self.keys).cat([self.keys, more.keys])
        values = type(self.values).cat([self.values, more.values])
        return replace(self, keys=keys, values=values)

    def take(self, blocks: Tensor) -> "Old":
        """Blocks by number for each head, (B, G, N')."""
        steps = torch.arange(self.step, device=blocks.device)
        tokens = (blocks[..., None] * self.step + steps).flatten(2)
        return replace(self, keys=self.keys.take(blocks), values=self.values.take(tokens))

    def narrow(self, start: int, length: int) -> "Old":
        """``length`` tokens from ``start``, whole blocks."""
        keys, values = (form.narrow(start, length) for form in (self.keys, self.values))
        return replace(self, keys=keys, values=values)

    def select(self, rows: Tensor) -> "Old":
        """These rows of the batch."""
        channels = self.channels
        return replace(
            self,
            keys=self.keys.select(rows),
            values=self.values.select(rows),
            channels=None if channels is None else channels.index_select(0, rows),
        )
