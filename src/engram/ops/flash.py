"""The same attention through the flash kernel that torch has for CPUs, in parts of keys.

The kernel is private to torch, so it is used only where it is known to be the one this was written
for, and it is kept from all it cannot take: no rows at all end the process, and rows that are not
contiguous give noise.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain

import torch
from torch import Tensor

from engram.ops.tiles import INFINITY, Flow, Sight, wide

_ROWS = 512  # queries at a time where a mask differs by query, so that no copy of it is T x T
_DTYPES = {torch.float64, torch.float32, torch.bfloat16, torch.float16}
_NAMES = (
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_flash_attention_for_cpu_backward",
)
_SCHEMAS = (
    "aten::_scaled_dot_product_flash_attention_for_cpu(Tensor query, Tensor key, Tensor value, "
    "float dropout_p=0., bool is_causal=False, *, Tensor? attn_mask=None, float? scale=None) -> "
    "(Tensor output, Tensor logsumexp)",
    "aten::_scaled_dot_product_flash_attention_for_cpu_backward(Tensor grad_out, Tensor query, "
    "Tensor key, Tensor value, Tensor out, Tensor logsumexp, float dropout_p, bool is_causal, *, "
    "Tensor? attn_mask=None, float? scale=None) -> "
    "(Tensor grad_query, Tensor grad_key, Tensor grad_value)",
)


@cache
def known() -> bool:
    """Whether this torch has the kernel that this was written for: its name, form and answer."""
    found = [getattr(torch.ops.aten, name, None) for name in _NAMES]
    if not all(found) or [str(op.default._schema) for op in found if op] != [*_SCHEMAS]:
        return False
    queries = torch.arange(12.0).view(1, 2, 3, 2) / 8
    keys = queries[:, :1].flip(2)
    out, lse = _kernel((queries, keys, keys), None, 1.0, causal=True)
    scores = (queries @ keys.mT).masked_fill(torch.ones(3, 3).triu(1).bool(), -INFINITY)
    return torch.allclose(lse, scores.logsumexp(-1)) and torch.allclose(
        out, scores.softmax(-1) @ keys
    )


def fits(queries: Tensor, keys: Tensor, values: Tensor, sight: Sight) -> bool:
    """Whether the kernel can do this, as far as it can be told without asking it."""
    mask, blocks = sight.mask, sight.blocks
    return (
        queries.device.type == "cpu"
        and queries.dtype in _DTYPES
        and keys.shape == values.shape
        and queries.numel() > 0
        and keys.numel() > 0
        and (mask is None or mask.dtype in {torch.bool, queries.dtype})
        and (blocks is None or blocks.shape[:2] == (1, 1))
        and known()
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Some keys for some queries: a span of keys, or any by number."""

    rows: slice
    keys: slice | Tensor
    causal: bool
    mask: Tensor | None

    def of(self, tensor: Tensor) -> Tensor:
        """The keys or values of this part."""
        if isinstance(self.keys, slice):
            return tensor[:, :, self.keys]
        return tensor.index_select(2, self.keys)

    def bias(self, kind: torch.dtype) -> Tensor | None:
        """The mask as the kernel takes it: added to the scores, one row where all agree."""
        if self.mask is None or self.mask.dtype != torch.bool:
            return self.mask
        return torch.zeros(self.mask.shape, dtype=kind).masked_fill_(~self.mask, -INFINITY)

    def blind(self) -> Tensor:
        """Which queries see none of the keys of this part, (B, H, rows) broadcast."""
        assert self.mask is not None, "asked only where there is a mask"
        seen = self.mask if self.mask.dtype == torch.bool else self.mask != -INFINITY
        if not self.causal:
            return ~seen.any(dim=3)
        if seen.shape[2] > 1:
            return ~seen.tril().any(dim=3)
        last = torch.arange(self.rows.stop - self.rows.start).clamp_(max=seen.shape[3] - 1)
        return ~seen.cummax(dim=3).values[:, :, 0, last]

    def add(self, target: Tensor, moved: Tensor) -> None:
        """Add the gradient of this part's keys or values to that of all."""
        if isinstance(self.keys, slice):
            target[:, :, self.keys] += moved
        else:
            target.index_add_(2, self.keys, moved.to(target.dtype))


def forward(queries: Tensor, keys: Tensor, values: Tensor, sight: Sight) -> tuple[Tensor, Tensor]:
    """The output (B, H, T, D) and the log of the sum of exponents (B, H, T)."""
    queries, keys, values = (_even(each) for each in (queries, keys, values))
    parts = _parts(queries.shape[2], keys.shape[2], sight)
    first = next(parts, None)
    if first is not None and first.rows == slice(0, queries.shape[2]):
        out, lse = _attended(queries, keys, values, first, sight.scale)
    else:
        out = torch.zeros_like(queries, memory_format=torch.contiguous_format)
        lse = queries.new_full(queries.shape[:3], -INFINITY, dtype=wide(queries))
        parts = chain([first] if first else [], parts)
    for part in parts:
        found = _attended(queries, keys, values, part, sight.scale)
        _merge(out[:, :, part.rows], lse[:, :, part.rows], *found)
    return out, lse


def _attended(
    queries: Tensor, keys: Tensor, values: Tensor, part: _Part, scale: float
) -> tuple[Tensor, Tensor]:
    given, bias = (
        (queries[:, :, part.rows], part.of(keys), part.of(values)),
        part.bias(queries.dtype),
    )
    out, lse = _kernel(given, bias, scale, causal=part.causal)
    if bias is not None:
        lse = lse.masked_fill(part.blind(), -INFINITY)  # the kernel says 0 there
    return out, lse


def backward(
    queries: Tensor, keys: Tensor, values: Tensor, sight: Sight, flow: Flow
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of queries, keys and values; ``flow`` has none of the lse.

    Each part gets the output and the lse of the whole, so that its shares are those of the whole.
    """
    assert flow.of_lse is None, "the kernel takes the gradient of the output only"
    queries, keys, values, given = (_even(e) for e in (queries, keys, values, flow.of_out))
    lse = flow.lse.masked_fill(flow.lse == -INFINITY, INFINITY)  # a share is then exp(-inf)
    sums = [torch.zeros_like(e, dtype=wide(queries)) for e in (queries, keys, values)]
    for part in _parts(queries.shape[2], keys.shape[2], sight):
        rows = part.rows
        moved = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward(
            given[:, :, rows],
            queries[:, :, rows],
            part.of(keys),
            part.of(values),
            flow.out[:, :, rows],
            lse[:, :, rows].contiguous(),
            0.0,
            part.causal,
            attn_mask=part.bias(queries.dtype),
            scale=sight.scale,
        )
        sums[0][:, :, rows] += moved[0]
        part.add(sums[1], moved[1])
        part.add(sums[2], moved[2])
    of_queries, of_keys, of_values = (each.to(queries.dtype) for each in sums)
    return of_queries, of_keys, of_values


def _kernel(
    given: tuple[Tensor, Tensor, Tensor], mask: Tensor | None, scale: float, *, causal: bool
) -> tuple[Tensor, Tensor]:
    found: tuple[Tensor, Tensor] = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        *given, 0.0, causal, attn_mask=mask, scale=scale
    )
    return found


def _parts(length: int, tokens: int, sight: Sight) -> Iterator[_Part]:
    """What is asked of the kernel, whose own order is upper-left: squares, and what is before."""
    if sight.blocks is not None:
        yield from _sparse(length, tokens, sight)
        return
    by_row = sight.mask is not None and sight.mask.stride(2) != 0
    step = _ROWS if by_row else max(length, 1)
    for start in range(0, length, step):
        yield from _span(slice(start, min(start + step, length)), slice(0, tokens), sight)


def _span(rows: slice, columns: slice, sight: Sight) -> Iterator[_Part]:
    """A span of queries over one of keys: the keys that all of them see, then the square."""
    if sight.offset is None:
        yield _Part(rows, columns, False, _mask(sight, rows, columns))
        return
    first = max(rows.start + sight.offset, columns.start)  # below this all queries see all
    if first > columns.start:
        before = slice(columns.start, min(first, columns.stop))
        yield _Part(rows, before, False, _mask(sight, rows, before))
    aligned = slice(max(rows.start, first - sight.offset), rows.stop)
    square = slice(first, min(columns.stop, rows.stop + sight.offset))
    if square.stop > square.start:
        yield _Part(aligned, square, True, _mask(sight, aligned, square))


def _sparse(length: int, tokens: int, sight: Sight) -> Iterator[_Part]:
    """For each row of tiles, the tiles that all of it sees as one part, then the others."""
    assert sight.blocks is not None, "asked only where there are blocks"
    for start in range(0, length, sight.block_q):
        rows = slice(start, min(start + sight.block_q, length))
        whole: list[slice] = []
        cut: list[slice] = []
        for columns in sight.columns(rows, tokens):
            late = sight.offset is not None and columns.stop - 1 > start + sight.offset
            (cut if late else whole).append(columns)
        if whole:
            chosen = torch.cat([torch.arange(c.start, c.stop) for c in whole])
            yield _Part(rows, chosen, False, _mask(sight, rows, chosen))
        for columns in cut:
            yield from _span(rows, columns, sight)


def _mask(sight: Sight, rows: slice, columns: slice | Tensor) -> Tensor | None:
    """What a part needs of the mask, one row where all agree."""
    if sight.mask is None:
        return None
    return sight.mask[:, :, rows if sight.mask.stride(2) != 0 else slice(0, 1)][..., columns]


def _merge(out: Tensor, lse: Tensor, mixed: Tensor, level: Tensor) -> None:
    """Take a part into what was found so far, in place."""
    whole = torch.logaddexp(lse, level)
    safe = whole.masked_fill(whole == -INFINITY, 0.0)
    old, new = ((each - safe).exp_()[..., None] for each in (lse, level))
    out.copy_(out * old + mixed * new)
    lse.copy_(whole)


def _even(tensor: Tensor) -> Tensor:
    """The tensor with rows that lie together; the kernel reads no other."""
    return tensor if tensor.stride(3) == 1 else tensor.contiguous()
