"""Exact attention as one kernel for GPUs, forward and backward.

Source: Dao et al. 2022, "FlashAttention", NeurIPS 2022, arXiv:2205.14135, algorithms 1 and 4; the
    loop over keys inside and the two passes back are those of Dao 2023, "FlashAttention-2",
    arXiv:2307.08691, section 3.1.
Differs: the exponents are of base 2; query heads that share a key are never copied.

Triton is imported when the function is called; it comes with torch for GPUs. With
``TRITON_INTERPRET=1`` set before that, the kernels run on a CPU, slowly: for checking.
"""

import math
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from engram.errors import InvalidInput
from engram.extras import require

_WIDEST = 256
_DTYPES = (torch.float16, torch.bfloat16, torch.float32)
_BLOCKS: Mapping[int, Mapping[int, tuple[int, int]]] = {
    2: {16: (64, 64), 32: (64, 64), 64: (128, 64), 128: (64, 64), 256: (32, 32)},
    4: {16: (32, 32), 32: (32, 32), 64: (64, 32), 128: (32, 16), 256: (16, 16)},
}
"""Bytes of a number -> width -> queries and keys of a tile: what 99 KiB of shared memory hold."""


def triton_attention(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    *,
    scale: float | None = None,
    causal: Literal["lower_right"] | None = None,
) -> tuple[Tensor, Tensor]:
    """The output of ``tiled_attention`` and the log of its sum of exponents, from one kernel.

    Differentiable once, in both. Sums are in float32; the products of float32 inputs are, too.

    Args:
        queries: (B, H, T, D), D at most 256.
        keys: (B, G, P, D); H is a multiple of G.
        values: (B, G, P, D).
        scale: what a dot product is multiplied by; None is 1 / sqrt(D).
        causal: ``"lower_right"``, the last query sees the last key; None hides nothing.

    Returns:
        (B, H, T, D) in the dtype of the queries, and (B, H, T) in float32. A query that sees no key
        has 0 and minus infinity.

    Raises:
        InvalidInput: the shapes or dtypes cannot be used, or there is no GPU to run on.
        MissingExtra: triton is not installed.
    """
    _check(queries, keys, values, causal)
    _check_device(queries)
    scale = queries.shape[3] ** -0.5 if scale is None else scale
    found: tuple[Tensor, Tensor] = _Attention.apply(  # type: ignore[no-untyped-call]
        queries, keys, values, scale, causal
    )
    return found


def _check(queries: Tensor, keys: Tensor, values: Tensor, causal: str | None) -> None:
    shapes = tuple(queries.shape), tuple(keys.shape), tuple(values.shape)
    fits = (
        all(len(shape) == 4 for shape in shapes)
        and shapes[1] == shapes[2]
        and (shapes[0][0], shapes[0][3]) == (shapes[1][0], shapes[1][3])
        and 0 < shapes[0][3] <= _WIDEST
        and shapes[1][1] > 0
        and shapes[0][1] % shapes[1][1] == 0
    )
    if not fits:
        raise InvalidInput(
            "the kernel takes queries (B, H, T, D), keys and values (B, G, P, D), H a multiple of G"
            f" and D 1 to {_WIDEST}, got {shapes[0]}, {shapes[1]} and {shapes[2]}; use "
            f"tiled_attention"
        )
    kinds = {queries.dtype, keys.dtype, values.dtype}
    if len(kinds) > 1 or queries.dtype not in _DTYPES:
        raise InvalidInput(
            f"the kernel takes one of {', '.join(map(str, _DTYPES))}, got {queries.dtype}, "
            f"{keys.dtype} and {values.dtype}; convert them"
        )
    if causal not in (None, "lower_right"):
        raise InvalidInput(f"causal must be 'lower_right' or None, got {causal!r}; choose one")


def _check_device(queries: Tensor) -> None:
    interpreted = type(_kernels().forward).__name__ == "InterpretedFunction"
    if queries.device.type == "cpu" and not interpreted:
        raise InvalidInput(
            "the kernel needs tensors on a GPU, got the device 'cpu'; use tiled_attention, or set "
            "TRITON_INTERPRET=1 before triton is imported, to check it"
        )
    if interpreted and queries.dtype == torch.bfloat16:
        raise InvalidInput(
            "triton's interpreter multiplies bfloat16 as whole numbers, got torch.bfloat16; check "
            "it in float32"
        )


def _kernels() -> ModuleType:
    require("triton", extra="hf", purpose="triton_attention")
    from engram.ops import triton_kernels

    return triton_kernels


class _Attention(torch.autograd.Function):
    """Keeps what went in, the output and one number for each row."""

    @staticmethod
    def forward(
        ctx: Any, queries: Tensor, keys: Tensor, values: Tensor, scale: float, causal: str | None
    ) -> tuple[Tensor, Tensor]:
        """One program for each block of queries of each head."""
        given = [_even(each) for each in (queries, keys, values)]
        out = torch.empty_like(queries, memory_format=torch.contiguous_format)
        lse = queries.new_empty(queries.shape[:3], dtype=torch.float32)
        block = _blocks(queries)
        if out.numel():
            grid = _ceil(queries.shape[2], block[0]), queries.shape[0] * queries.shape[1]
            _kernels().forward[grid](
                (*given, out, lse), _sizes(given, scale), causal is not None, *block
            )
        ctx.save_for_backward(*given, out, lse)
        ctx.scale, ctx.causal = scale, causal is not None
        ctx.set_materialize_grads(False)
        return out, lse

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, of_out: Tensor | None, of_lse: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        """One kernel over blocks of queries, one over blocks of keys; none writes for another."""
        *given, out, lse = ctx.saved_tensors
        queries, keys = given[:2]
        flow = torch.zeros_like(out) if of_out is None else of_out.contiguous()
        rest = (flow.float() * out.float()).sum(dim=3)
        if of_lse is not None:
            rest = rest - of_lse
        lse = lse.masked_fill(lse == -math.inf, 0.0)
        moved = [torch.zeros_like(e, memory_format=torch.contiguous_format) for e in given]
        sizes, block = _sizes(given, ctx.scale), _blocks(queries)
        data = (*given, flow, lse, rest.contiguous())
        if queries.numel() and keys.numel():
            grid = _ceil(queries.shape[2], block[0]), queries.shape[0] * queries.shape[1]
            _kernels().of_queries[grid]((*data, moved[0]), sizes, ctx.causal, *block)
            grid = _ceil(keys.shape[2], block[1]), keys.shape[0] * keys.shape[1]
            _kernels().of_keys[grid]((*data, *moved[1:]), sizes, ctx.causal, *block)
        return *moved, None, None


def _ceil(count: int, block: int) -> int:
    return -(-count // block)


def _even(tensor: Tensor) -> Tensor:
    return tensor if tensor.stride(3) == 1 else tensor.contiguous()


def _blocks(queries: Tensor) -> tuple[int, int, int]:
    """Queries, keys and channels of a tile: powers of two, as much as fits near the processor."""
    width = max(16, 1 << (queries.shape[3] - 1).bit_length())
    return *_BLOCKS[queries.element_size()][width], width


def _sizes(given: Sequence[Tensor], scale: float) -> tuple[float, ...]:
    """What the kernels read by name in the same order."""
    _, heads, length, width = given[0].shape
    _, groups, tokens, _ = given[1].shape
    shared, strides = heads // groups, [each.stride(at) for each in given for at in (0, 1, 2)]
    return heads, shared, length, tokens, width, scale, *strides
