"""The kernels of ``triton_attention``: one program for each block of queries, or of keys.

Of a tile, queries are the rows and keys the columns. ``sizes`` are those of ``triton_attention``.
"""

from collections.abc import Callable
from typing import Any

import triton
import triton.language as tl

_kernel: Callable[[Callable[..., Any]], Any] = triton.jit
_LOG2_E = tl.constexpr(1.4426950408889634)
_LN_2 = tl.constexpr(0.6931471805599453)


@_kernel
def _rows(
    base: tl.tensor,
    at: tl.tensor,
    stride: tl.tensor,
    count: tl.tensor,
    width: tl.tensor,
    lanes: tl.tensor,
) -> tl.tensor:
    """Rows of a tensor by number, 0 outside it: (numbers, lanes)."""
    inside = (at < count)[:, None] & (lanes < width)[None, :]
    return tl.load(base + at[:, None] * stride + lanes[None, :], mask=inside, other=0.0)


@_kernel
def _put(
    base: tl.tensor,
    rows: tl.tensor,
    count: tl.tensor,
    width: tl.tensor,
    lanes: tl.tensor,
    tile: tl.tensor,
) -> None:
    """Write what ``_rows`` reads from rows that lie together."""
    inside = (rows < count)[:, None] & (lanes < width)[None, :]
    at = rows[:, None] * width + lanes[None, :]
    tl.store(base + at, tile.to(base.dtype.element_ty), mask=inside)


@_kernel
def _seen(
    rows: tl.tensor, columns: tl.tensor, length: tl.tensor, tokens: tl.tensor, causal: tl.constexpr
) -> tl.tensor:
    """Which keys of a tile a query sees: (rows, columns)."""
    seen = (rows < length)[:, None] & (columns < tokens)[None, :]
    if causal:
        seen = seen & (columns[None, :] <= rows[:, None] + (tokens - length))
    return seen


@_kernel
def forward(
    data: tl.tuple,
    sizes: tl.tuple,
    causal: tl.constexpr,
    block_q: tl.constexpr,
    block_k: tl.constexpr,
    block_d: tl.constexpr,
) -> None:
    """Mix the values by a softmax that is corrected at each tile."""
    queries, keys, values, out, lse = data
    heads, shared, length, tokens, width, scale, q_b, q_h, q_t, k_b, k_h, k_t, v_b, v_h, v_t = sizes
    batch, head = (tl.program_id(1) // heads).to(tl.int64), (tl.program_id(1) % heads).to(tl.int64)
    rows, lanes = tl.program_id(0) * block_q + tl.arange(0, block_q), tl.arange(0, block_d)
    asked = _rows(queries + batch * q_b + head * q_h, rows, q_t, length, width, lanes)
    keys += batch * k_b + head // shared * k_h
    values += batch * v_b + head // shared * v_h
    peak, total = tl.full([block_q], float("-inf"), tl.float32), tl.zeros([block_q], tl.float32)
    mixed = tl.zeros([block_q, block_d], tl.float32)
    end = tokens
    if causal:
        end = tl.minimum(tokens, (tl.program_id(0) + 1) * block_q + tokens - length)
    for start in range(0, end, block_k):
        columns = start + tl.arange(0, block_k)
        key = _rows(keys, columns, k_t, tokens, width, lanes)
        scores = tl.dot(asked, tl.trans(key), input_precision="ieee") * (scale * _LOG2_E)
        scores = tl.where(_seen(rows, columns, length, tokens, causal), scores, float("-inf"))
        higher = tl.maximum(peak, tl.max(scores, 1))
        level = tl.where(higher == float("-inf"), 0.0, higher)
        shares, decay = tl.exp2(scores - level[:, None]), tl.exp2(peak - level)
        total = total * decay + tl.sum(shares, 1)
        value = _rows(values, columns, v_t, tokens, width, lanes)
        told = tl.dot(shares.to(value.dtype), value, input_precision="ieee")
        mixed, peak = mixed * decay[:, None] + told, higher
    blind = total == 0.0
    whole = tl.where(blind, 1.0, total)
    log = tl.where(blind, float("-inf"), (peak + tl.log2(whole)) * _LN_2)
    first = tl.program_id(1).to(tl.int64) * length
    _put(out + first * width, rows, length, width, lanes, mixed / whole[:, None])
    tl.store(lse + first + rows, log, mask=rows < length)


@_kernel
def of_queries(
    data: tl.tuple,
    sizes: tl.tuple,
    causal: tl.constexpr,
    block_q: tl.constexpr,
    block_k: tl.constexpr,
    block_d: tl.constexpr,
) -> None:
    """The gradient of the queries: each tile's shares again, from the lse."""
    queries, keys, values, flow, lse, rest, of_queries = data
    heads, shared, length, tokens, width, scale, q_b, q_h, q_t, k_b, k_h, k_t, v_b, v_h, v_t = sizes
    batch, head = (tl.program_id(1) // heads).to(tl.int64), (tl.program_id(1) % heads).to(tl.int64)
    rows, lanes = tl.program_id(0) * block_q + tl.arange(0, block_q), tl.arange(0, block_d)
    first = tl.program_id(1).to(tl.int64) * length
    asked = _rows(queries + batch * q_b + head * q_h, rows, q_t, length, width, lanes)
    given = _rows(flow + first * width, rows, width, length, width, lanes)
    level = tl.load(lse + first + rows, mask=rows < length, other=0.0)[:, None]
    drain = tl.load(rest + first + rows, mask=rows < length, other=0.0)[:, None]
    keys += batch * k_b + head // shared * k_h
    values += batch * v_b + head // shared * v_h
    moved = tl.zeros([block_q, block_d], tl.float32)
    end = tokens
    if causal:
        end = tl.minimum(tokens, (tl.program_id(0) + 1) * block_q + tokens - length)
    for start in range(0, end, block_k):
        columns = start + tl.arange(0, block_k)
        key = _rows(keys, columns, k_t, tokens, width, lanes)
        value = _rows(values, columns, v_t, tokens, width, lanes)
        scores = tl.dot(asked, tl.trans(key), input_precision="ieee") * scale
        seen = _seen(rows, columns, length, tokens, causal)
        shares = tl.where(seen, tl.exp2((scores - level) * _LOG2_E), 0.0)
        turned = tl.dot(given, tl.trans(value), input_precision="ieee") - drain
        turned = (turned * shares * scale).to(key.dtype)
        moved += tl.dot(turned, key, input_precision="ieee")
    _put(of_queries + first * width, rows, length, width, lanes, moved)


@_kernel
def of_keys(
    data: tl.tuple,
    sizes: tl.tuple,
    causal: tl.constexpr,
    block_q: tl.constexpr,
    block_k: tl.constexpr,
    block_d: tl.constexpr,
) -> None:
    """The gradients of keys and values, over all heads that share them."""
    queries, keys, values, flow, lse, rest, of_keys, of_values = data
    heads, shared, length, tokens, width, scale, q_b, q_h, q_t, k_b, k_h, k_t, v_b, v_h, v_t = sizes
    groups = heads // shared
    pair = tl.program_id(1).to(tl.int64)
    batch, group = pair // groups, pair % groups
    columns, lanes = tl.program_id(0) * block_k + tl.arange(0, block_k), tl.arange(0, block_d)
    key = _rows(keys + batch * k_b + group * k_h, columns, k_t, tokens, width, lanes)
    value = _rows(values + batch * v_b + group * v_h, columns, v_t, tokens, width, lanes)
    moved_key = tl.zeros([block_k, block_d], tl.float32)
    moved_value = moved_key
    start = 0
    if causal:
        start = tl.maximum(tl.program_id(0) * block_k - (tokens - length), 0) // block_q * block_q
    for part in range(shared):
        head = group * shared + part
        first = (batch * heads + head) * length
        for begin in range(start, length, block_q):
            rows = begin + tl.arange(0, block_q)
            asked = _rows(queries + batch * q_b + head * q_h, rows, q_t, length, width, lanes)
            given = _rows(flow + first * width, rows, width, length, width, lanes)
            level = tl.load(lse + first + rows, mask=rows < length, other=0.0)[:, None]
            drain = tl.load(rest + first + rows, mask=rows < length, other=0.0)[:, None]
            scores = tl.dot(asked, tl.trans(key), input_precision="ieee") * scale
            seen = _seen(rows, columns, length, tokens, causal)
            shares = tl.where(seen, tl.exp2((scores - level) * _LOG2_E), 0.0)
            turned = tl.dot(given, tl.trans(value), input_precision="ieee") - drain
            turned = (turned * shares * scale).to(key.dtype)
            moved_value += tl.dot(tl.trans(shares).to(key.dtype), given, input_precision="ieee")
            moved_key += tl.dot(tl.trans(turned), asked, input_precision="ieee")
    _put(of_keys + pair * tokens * width, columns, tokens, width, lanes, moved_key)
    _put(of_values + pair * tokens * width, columns, tokens, width, lanes, moved_value)
