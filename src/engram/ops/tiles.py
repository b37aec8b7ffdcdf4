"""Exact attention one tile at a time, with a softmax that is corrected as it runs.

Source: Dao et al. 2022, "FlashAttention: Fast and Memory-Efficient Exact Attention with
    IO-Awareness", NeurIPS 2022, arXiv:2205.14135, algorithms 1, 2, 4 and 5.
Differs: a tile is a block of rows of all heads that share a key; there is no dropout.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

INFINITY = float("inf")


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What each query sees, and in which tiles it is computed.

    Attributes:
        scale: what a dot product is multiplied by.
        offset: a query i sees the keys up to i + offset; None where order hides nothing.
        mask: None or (B, H, T, P) broadcast: true where seen, or added to the scores.
        blocks: None or (B, H, rows, columns) of tiles, broadcast: false where none is seen.
        block_q, block_k: queries and keys of a tile.
    """

    scale: float
    offset: int | None
    mask: Tensor | None
    blocks: Tensor | None
    block_q: int
    block_k: int

    def rows(self, queries: Tensor) -> Iterator[slice]:
        """The queries of each row of tiles."""
        return _spans(queries.shape[2], self.block_q)

    def columns(self, rows: slice, tokens: int) -> Iterator[slice]:
        """The keys of each tile of a row of tiles in which something may be seen."""
        end = tokens if self.offset is None else min(tokens, rows.stop + self.offset)
        for span in _spans(end, self.block_k, tokens):
            if self.blocks is None or bool(self._block(rows, span).any()):
                yield span

    def hide(self, scores: Tensor, rows: slice, columns: slice) -> None:
        """Apply all that hides or weighs to the scores of a tile (B, H, rows, columns)."""
        if self.offset is not None and columns.stop - 1 > rows.start + self.offset:
            scores.masked_fill_(self.later(rows, columns, scores.device), -INFINITY)
        if self.mask is not None:
            part = self.mask[:, :, rows, columns]
            if part.dtype == torch.bool:
                scores.masked_fill_(~part, -INFINITY)
            else:
                scores.add_(part)
        if self.blocks is not None and self.blocks.shape[:2] != (1, 1):
            scores.masked_fill_(~self._block(rows, columns)[..., None, None], -INFINITY)

    def later(self, rows: slice, columns: slice, device: torch.device) -> Tensor:
        """Where a key of a tile comes after what its query may see, (rows, columns)."""
        assert self.offset is not None, "asked only where order hides"
        seen = torch.arange(rows.start, rows.stop, device=device) + self.offset
        return torch.arange(columns.start, columns.stop, device=device) > seen[:, None]

    def _block(self, rows: slice, columns: slice) -> Tensor:
        assert self.blocks is not None, "asked only where there are blocks"
        return self.blocks[:, :, rows.start // self.block_q, columns.start // self.block_k]


def forward(queries: Tensor, keys: Tensor, values: Tensor, sight: Sight) -> tuple[Tensor, Tensor]:
    """The output (B, H, T, D of values) and the log of the sum of exponents (B, H, T)."""
    batch, heads, length, _ = queries.shape
    out = queries.new_empty(batch, heads, length, values.shape[3])
    lse = queries.new_empty(batch, heads, length, dtype=wide(queries))
    for rows in sight.rows(queries):
        out[:, :, rows], lse[:, :, rows] = _row(queries[:, :, rows], keys, values, sight, rows)
    return out, lse


def _row(
    queries: Tensor, keys: Tensor, values: Tensor, sight: Sight, rows: slice
) -> tuple[Tensor, Tensor]:
    """One row of tiles: the peak, the sum and the mix so far, corrected at each tile."""
    asked = _folded(queries, keys).mul(sight.scale)
    peak = asked.new_full((*asked.shape[:3], 1), -INFINITY)
    total = torch.zeros_like(peak)
    mixed = asked.new_zeros(*asked.shape[:3], values.shape[3])
    for columns in sight.columns(rows, keys.shape[2]):
        scores = asked @ keys[:, :, columns].to(asked.dtype).mT
        sight.hide(scores.view(*queries.shape[:3], -1), rows, columns)
        higher = torch.maximum(peak, scores.amax(dim=3, keepdim=True))
        # A row that has seen nothing so far has a peak of minus infinity, and -inf - -inf is NaN.
        level = higher.masked_fill(higher == -INFINITY, 0.0)
        shares = scores.sub_(level).exp_()
        decay = (peak - level).exp_()
        total.mul_(decay).add_(shares.sum(dim=3, keepdim=True))
        mixed.mul_(decay).add_(shares @ values[:, :, columns].to(asked.dtype))
        peak = higher
    level = peak.masked_fill(peak == -INFINITY, 0.0)
    lse = total.log().add_(level)
    mixed /= total.masked_fill(total == 0, 1.0)
    shape = queries.shape[:3]
    return mixed.view(*shape, -1).to(queries.dtype), lse.view(shape)


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """What comes back: the result of ``forward`` and the gradients of its two parts."""

    out: Tensor
    lse: Tensor
    of_out: Tensor
    of_lse: Tensor | None


def backward(
    queries: Tensor, keys: Tensor, values: Tensor, sight: Sight, flow: Flow
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of queries, keys and values; the shares are computed again, tile by tile."""
    kind = wide(queries)
    of_queries = torch.empty_like(queries)
    of_keys, of_values = (torch.zeros_like(each, dtype=kind) for each in (keys, values))
    for rows in sight.rows(queries):
        asked = _folded(queries[:, :, rows], keys)
        given = _folded(flow.of_out[:, :, rows], keys)
        # d score = share * (d share - rest); rest gathers what the softmax takes from all alike
        rest = (given * _folded(flow.out[:, :, rows], keys)).sum(dim=3, keepdim=True)
        if flow.of_lse is not None:
            rest -= _folded(flow.of_lse[:, :, rows, None], keys)
        lse = _folded(flow.lse[:, :, rows, None], keys)
        lse = lse.masked_fill(lse == -INFINITY, 0.0)
        moved = torch.zeros_like(asked)
        for columns in sight.columns(rows, keys.shape[2]):
            seen, told = (each[:, :, columns].to(kind) for each in (keys, values))
            scores = (asked @ seen.mT).mul_(sight.scale)
            sight.hide(scores.view(*queries.shape[:2], rows.stop - rows.start, -1), rows, columns)
            shares = scores.sub_(lse).exp_()
            of_values[:, :, columns] += shares.mT @ given
            turned = (given @ told.mT).sub_(rest).mul_(shares).mul_(sight.scale)
            moved += turned @ seen
            of_keys[:, :, columns] += turned.mT @ asked
        of_queries[:, :, rows] = moved.view(*queries.shape[:2], -1, queries.shape[3])
    return of_queries, of_keys.to(keys.dtype), of_values.to(values.dtype)


def wide(queries: Tensor) -> torch.dtype:
    """The dtype of sums: float32, or float64 for queries of that."""
    return torch.promote_types(queries.dtype, torch.float32)


def _folded(rows: Tensor, keys: Tensor) -> Tensor:
    """(B, H, n, D) -> (B, G, H / G * n, D): the query heads of a key head lie one under the other.

    So a key head is multiplied once, and never repeated.
    """
    batch, groups = keys.shape[:2]
    shape = batch, groups, rows.shape[1] // groups * rows.shape[2], rows.shape[3]
    return rows.to(wide(rows)).reshape(shape)


def _spans(end: int, block: int, most: int | None = None) -> Iterator[slice]:
    """Slices of ``block`` that begin before ``end``; the last ends at ``most``."""
    most = end if most is None else most
    return (slice(at, min(at + block, most)) for at in range(0, end, block))
