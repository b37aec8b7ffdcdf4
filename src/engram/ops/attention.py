"""Exact attention without a T x T matrix, and the rule that joins attention over parts of the keys.

Source: Dao et al. 2022, "FlashAttention: Fast and Memory-Efficient Exact Attention with
    IO-Awareness", NeurIPS 2022, arXiv:2205.14135.
Differs: the log of the sum of exponents is given to the caller, who can join parts of a cache that
    are held in different places; a query that sees nothing gets 0 and a log of minus infinity.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal, TypedDict, Unpack, overload

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from engram.errors import InvalidInput
from engram.ops import flash, tiles
from engram.ops.tiles import INFINITY, Flow, Sight

Path = Literal["flash", "tiles"]
_BLOCK_Q, _BLOCK_K = 128, 512
_WAYS = {"flash": flash, "tiles": tiles}


class How(TypedDict, total=False):
    """How to attend; what is left out has the default in brackets.

    Attributes:
        scale: what a dot product is multiplied by [1 / sqrt(D)].
        causal: ``"lower_right"``, the last query sees the last key; None hides nothing [None].
        mask: broadcast to (B, H, T, P): true where seen, or a float that is added to the score;
            takes no gradient [None].
        block_mask: which tiles are looked at, broadcast to (B, H, rows, columns) [None: all].
        block_q, block_k: queries and keys of a tile [128 and 512].
        path: ``"flash"`` is torch's kernel for CPUs, ``"tiles"`` the loop over tiles, ``"auto"``
            the kernel where it can do it [auto].
    """

    scale: float | None
    causal: Literal["lower_right"] | None
    mask: Tensor | None
    block_mask: Tensor | None
    block_q: int
    block_k: int
    path: Path | Literal["auto"]


@overload
def tiled_attention(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    *,
    return_lse: Literal[False] = False,
    **how: Unpack[How],
) -> Tensor: ...


@overload
def tiled_attention(
    queries: Tensor, keys: Tensor, values: Tensor, *, return_lse: Literal[True], **how: Unpack[How]
) -> tuple[Tensor, Tensor]: ...


def tiled_attention(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    *,
    return_lse: bool = False,
    **how: Unpack[How],
) -> Tensor | tuple[Tensor, Tensor]:
    """The mean of the values by the softmax of the scores, in memory that is linear in T.

    Differentiable once, in both results. Sums are in float32, or in float64 for inputs of that.

    Args:
        queries: (B, H, T, D).
        keys: (B, G, P, D); H is a multiple of G, and H / G heads share one of the keys.
        values: (B, G, P, E); E may differ from D, which rules out the path ``"flash"``.
        return_lse: return the log of the sum of exponents, too.
        how: see ``How``.

    Returns:
        (B, H, T, E) in the dtype of the queries; the log is (B, H, T). A query that sees no key has
        0 and minus infinity.

    Raises:
        InvalidInput: the shapes do not fit one another, or the path cannot do it.
    """
    sight, path = _read(queries, keys, values, how)
    out, lse = _Attention.apply(  # type: ignore[no-untyped-call]
        queries, keys, values, sight, path
    )
    return (out, lse) if return_lse else out


def attention_path(queries: Tensor, keys: Tensor, values: Tensor, **how: Unpack[How]) -> Path:
    """The path that ``tiled_attention`` takes with the same arguments."""
    return _read(queries, keys, values, how)[1]


def merge_attention(parts: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Attention over all keys, of attention over parts of them.

    Args:
        parts: at least one pair of an output (B, H, T, E) and its log of the sum of exponents
            (B, H, T), for the same queries over keys that no two parts share.

    Returns:
        The same pair for all keys.

    Raises:
        InvalidInput: there is no part, or their shapes differ.
    """
    if not parts:
        raise InvalidInput("attention is joined of at least one part, got none; pass one")
    shapes = {(tuple(out.shape), tuple(lse.shape)) for out, lse in parts}
    if len(shapes) > 1 or any(one[:-1] != other for one, other in shapes):
        raise InvalidInput(
            f"parts must share one (B, H, T, E) and (B, H, T), got {sorted(shapes)!r}; join parts "
            f"of the same queries"
        )
    # The peak cancels out, so no gradient goes through it.
    peak = torch.stack([lse.detach() for _, lse in parts]).amax(dim=0)
    peak = peak.masked_fill(peak == -INFINITY, 0.0)
    weights = [(lse - peak).exp() for _, lse in parts]
    total = torch.stack(weights).sum(dim=0)
    blind = total == 0
    total = total.masked_fill(blind, 1.0)
    mixed = sum(
        out * (weight / total)[..., None] for (out, _), weight in zip(parts, weights, strict=True)
    )
    lse = (total.log() + peak).masked_fill(blind, -INFINITY)
    assert isinstance(mixed, Tensor), "there is at least one part"
    return mixed.to(parts[0][0].dtype), lse


class _Attention(torch.autograd.Function):
    """Keeps what went in, the output and one number for each row; the rest is computed again."""

    @staticmethod
    def forward(
        ctx: Any, queries: Tensor, keys: Tensor, values: Tensor, sight: Sight, path: Path
    ) -> tuple[Tensor, Tensor]:
        """Attend, on the path that was chosen."""
        out, lse = _WAYS[path].forward(queries, keys, values, sight)
        ctx.save_for_backward(queries, keys, values, out, lse)
        ctx.sight, ctx.path = sight, path
        ctx.set_materialize_grads(False)
        return out, lse

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, of_out: Tensor | None, of_lse: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        """The gradients of the first three; the kernel knows none of the lse, the tiles do."""
        queries, keys, values, out, lse = ctx.saved_tensors
        if of_out is None and of_lse is None:
            return None, None, None, None, None
        flow = Flow(out, lse, torch.zeros_like(out) if of_out is None else of_out, of_lse)
        way = _WAYS[ctx.path] if of_lse is None else tiles
        return *way.backward(queries, keys, values, ctx.sight, flow), None, None


def _read(queries: Tensor, keys: Tensor, values: Tensor, how: How) -> tuple[Sight, Path]:
    """What each query sees and the path to take, checked."""
    _check(queries, keys, values)
    batch, heads, length, width = queries.shape
    tokens = keys.shape[2]
    block_q, block_k = how.get("block_q", _BLOCK_Q), how.get("block_k", _BLOCK_K)
    if block_q < 1 or block_k < 1:
        raise InvalidInput(
            f"a tile must have at least 1 query and 1 key, got block_q {block_q!r} and block_k "
            f"{block_k!r}; leave them out"
        )
    causal = how.get("causal")
    if causal not in (None, "lower_right"):
        raise InvalidInput(f"causal must be 'lower_right' or None, got {causal!r}; choose one")
    grid = (batch, heads, -(-length // block_q), -(-tokens // block_k))
    scale = how.get("scale")
    sight = Sight(
        scale=1 / math.sqrt(max(width, 1)) if scale is None else scale,
        offset=tokens - length if causal and length > 1 else None,
        mask=_broadcast("mask", how.get("mask"), (batch, heads, length, tokens)),
        blocks=_blocks(_broadcast("block_mask", how.get("block_mask"), grid)),
        block_q=block_q,
        block_k=block_k,
    )
    return sight, _path(how.get("path", "auto"), flash.fits(queries, keys, values, sight))


def _path(wish: str, fits: bool) -> Path:
    if wish not in ("auto", "flash", "tiles"):
        raise InvalidInput(f"path must be 'auto', 'flash' or 'tiles', got {wish!r}; choose one")
    if wish == "flash" and not fits:
        raise InvalidInput(
            "path 'flash' needs a CPU, queries, keys and values of one dtype and width, none empty,"
            " and a mask of that dtype or bool; choose 'auto'"
        )
    return "flash" if fits and wish != "tiles" else "tiles"


def _check(queries: Tensor, keys: Tensor, values: Tensor) -> None:
    shapes = tuple(queries.shape), tuple(keys.shape), tuple(values.shape)
    fits = (
        all(len(shape) == 4 for shape in shapes)
        and shapes[0][0] == shapes[1][0]
        and shapes[0][3] == shapes[1][3]
        and shapes[1][:3] == shapes[2][:3]
        and shapes[1][1] > 0
        and shapes[0][1] % shapes[1][1] == 0
    )
    if not fits:
        raise InvalidInput(
            "attention takes queries (B, H, T, D), keys (B, G, P, D) and values (B, G, P, E), H a "
            f"multiple of G, got {shapes[0]}, {shapes[1]} and {shapes[2]}; reshape them"
        )
    if len({queries.dtype, keys.dtype, values.dtype}) > 1 or not queries.is_floating_point():
        raise InvalidInput(
            f"queries, keys and values must be of one float dtype, got {queries.dtype}, "
            f"{keys.dtype} and {values.dtype}; convert them"
        )


def _broadcast(name: str, mask: Tensor | None, shape: tuple[int, ...]) -> Tensor | None:
    """The mask with four axes, the last two of them in full; nothing is copied."""
    if mask is None:
        return None
    sizes = (1,) * (4 - mask.dim()) + tuple(mask.shape)
    fits = len(sizes) == 4 and all(one in (1, n) for one, n in zip(sizes, shape, strict=True))
    if not fits or mask.requires_grad or not (mask.dtype == torch.bool or mask.is_floating_point()):
        raise InvalidInput(
            f"{name} must be bool or float without a gradient and broadcast to {shape}, got "
            f"{tuple(mask.shape)} of {mask.dtype}; reshape or detach it"
        )
    return mask.view(sizes).expand(*sizes[:2], *shape[2:])


def _blocks(blocks: Tensor | None) -> Tensor | None:
    """Tiles are seen or not, so theirs is a mask of bools."""
    if blocks is not None and blocks.dtype != torch.bool:
        raise InvalidInput(f"block_mask must be of bools, got {blocks.dtype}; compare it first")
    return blocks
