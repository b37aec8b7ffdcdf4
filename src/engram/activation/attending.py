"""Attention over the entries of a layer, and the logits that scorers read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from engram.activation.forms import Old, fold, unfold
from engram.activation.positions import Rotary
from engram.ops.attention import tiled_attention

_BLOCK = 1 << 20  # numbers in a block of logits, so that none is T x T


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What queries see, and how.

    Attributes:
        scale: what a dot product is multiplied by.
        softcap: logits are bent to stay below it; None leaves them.
        valid: (B, G, P) broadcast, False for what nobody sees; None where all is seen.
        mask: (B, 1, Q, P), in place of order: true where seen, or added to the logits.
        own: (B, Q), false for queries of padding, which see themselves alone; None where all count.
    """

    scale: float
    softcap: float | None = None
    valid: Tensor | None = None
    mask: Tensor | None = None
    own: Tensor | None = None


def attend(queries: Tensor, keys: Tensor, values: Tensor, sight: Sight) -> Tensor:
    """The mean of the values, (B, H, Q, E). The last query sees the last key.

    Args:
        queries: (B, H, Q, D).
        keys: (B, G, P, D); H is a multiple of G.
        values: (B, G, P, E).
        sight: what is seen.
    """
    if sight.softcap is not None or sight.mask is not None:
        return attend_slowly(queries, keys, values, sight)[0]
    heads, count = queries.shape[1], queries.shape[2]
    valid = sight.valid
    if count == 1:  # the heads of a key are its queries, and nothing is repeated
        asked = fold(queries, keys.shape[1])
        mask = None if valid is None else valid[:, :, None]
        out = scaled_dot_product_attention(asked, keys, values, attn_mask=mask, scale=sight.scale)
        return unfold(out, queries)
    mask = None if valid is None else _by_head(valid, heads)[:, :, None]
    if queries.device.type == "cpu":
        return tiled_attention(
            queries, keys, values, scale=sight.scale, causal="lower_right", mask=mask
        )
    whole = count == keys.shape[2] and mask is None
    if not whole:
        order = _order(queries, keys.shape[2], slice(0, count))
        mask = order if mask is None else mask & order
    return scaled_dot_product_attention(
        queries,
        keys,
        values,
        attn_mask=mask,
        is_causal=whole,
        scale=sight.scale,
        enable_gqa=keys.shape[1] != heads,
    )


def attend_slowly(
    queries: Tensor, keys: Tensor, values: Tensor, sight: Sight
) -> tuple[Tensor, Tensor]:
    """The same with the weights (B, H, Q, P), which take Q x P numbers for each head."""
    return attend_by(dot(queries, keys), queries, values, sight)


def attend_by(
    products: Callable[[slice], Tensor], queries: Tensor, values: Tensor, sight: Sight
) -> tuple[Tensor, Tensor]:
    """Attention by any products of queries and keys, and the weights."""
    weights = [shares(logits) for _, logits in blocks(queries, products, values.shape[2], sight)]
    weight = torch.cat(weights, dim=2)
    mixed = fold(weight.to(values.dtype), values.shape[1]) @ values
    return unfold(mixed, queries), weight.to(queries.dtype)


def attend_old(
    queries: Tensor, old: Old, rest: tuple[Tensor, Tensor], sight: Sight
) -> tuple[Tensor, Tensor]:
    """Attention over old entries in their form, then the rest, by one softmax; and the weights."""
    keys, values = rest
    split = len(old)

    def products(part: slice) -> Tensor:
        return torch.cat([old.scores(queries[:, :, part]), dot(queries, keys)(part)], dim=-1)

    found = blocks(queries, products, split + keys.shape[2], sight)
    weight = torch.cat([shares(logits) for _, logits in found], dim=2).to(queries.dtype)
    mixed = old.values.mix(weight[..., :split])
    mixed = mixed + unfold(fold(weight[..., split:], values.shape[1]) @ values, queries)
    return mixed.to(queries.dtype), weight


def blocks(
    queries: Tensor, products: Callable[[slice], Tensor], tokens: int, sight: Sight
) -> Iterator[tuple[slice, Tensor]]:
    """Logits (B, H, q, P) of some queries after the other, minus infinity where nothing is seen."""
    batch, heads, count, _ = queries.shape
    step = max(1, min(count, _BLOCK // max(1, batch * heads * tokens)))
    for start in range(0, count, step):
        part = slice(start, min(start + step, count))
        logits = products(part).float().mul_(sight.scale)
        if sight.softcap is not None:
            logits = torch.tanh(logits / sight.softcap) * sight.softcap
        yield part, _hidden(logits, queries, part, sight)


def dot(queries: Tensor, keys: Tensor) -> Callable[[slice], Tensor]:
    """Multiplies some queries (B, H, q, D) with keys (B, G, P, D)."""

    def products(part: slice) -> Tensor:
        asked = queries[:, :, part]
        return unfold(fold(asked, keys.shape[1]) @ keys.mT, asked)

    return products


def clamped(
    queries: Tensor, keys: Tensor, at: tuple[Tensor, Tensor], window: int, rotary: Rotary
) -> Callable[[slice], Tensor]:
    """``dot``, but that no key is further away than ``window - 1``.

    ``at`` are the positions of queries (B, Q) and of keys (B, G, P), broadcast.
    """
    asked, held = at
    near = dot(queries, keys)
    edge = torch.full_like(held[..., :1], window - 1)
    there = rotary.move(keys, held, torch.zeros_like(held))
    far = dot(rotary.move(queries, asked[:, None], edge[:, :1]), there)

    def products(part: slice) -> Tensor:
        heads = _by_head(held, queries.shape[1])[:, :, None]
        close = asked[:, None, part, None] - heads < window
        return torch.where(close, near(part), far(part))

    return products


def shares(logits: Tensor) -> Tensor:
    """The softmax over the last axis; 0 where a row sees nothing."""
    blind = logits.amax(-1, keepdim=True) == -torch.inf
    if not bool(blind.any()):
        return logits.softmax(-1)
    return logits.masked_fill(blind, 0.0).softmax(-1).masked_fill(blind, 0.0)


def _hidden(logits: Tensor, queries: Tensor, part: slice, sight: Sight) -> Tensor:
    """Minus infinity where a query does not look."""
    tokens = logits.shape[-1]
    if sight.mask is not None:
        mask = sight.mask[:, :, part]
        seen = mask if mask.dtype == torch.bool else mask > torch.finfo(mask.dtype).min
        logits = logits if mask.dtype == torch.bool else logits + mask
    else:
        seen = _order(queries, tokens, part)
    if sight.valid is not None:
        seen = seen & _by_head(sight.valid, logits.shape[1])[:, :, None]
    if sight.own is not None:
        seen = seen & sight.own[:, None, part, None]
    return logits.masked_fill_(~seen, -torch.inf)


def _order(queries: Tensor, tokens: int, part: slice) -> Tensor:
    """(q, P), true where a key is not later than its query."""
    rows = torch.arange(part.start, part.stop, device=queries.device)
    columns = torch.arange(tokens, device=queries.device)
    return columns <= rows[:, None] + (tokens - queries.shape[2])


def _by_head(valid: Tensor, heads: int) -> Tensor:
    """(B, G, P) for key heads as (B, H, P) for query heads."""
    return valid if valid.shape[1] == 1 else valid.repeat_interleave(heads // valid.shape[1], dim=1)
