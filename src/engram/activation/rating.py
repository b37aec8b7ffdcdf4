"""What several scorers need: weights of the newest queries, entries lifted above others, chance."""

import math

import torch
from torch import Tensor

from engram.activation.forms import fold
from engram.activation.roles import LayerCache
from engram.errors import InvalidInput


def window_weights(layer: LayerCache, window: int) -> Tensor:
    """How the last ``window`` queries share their attention out, (B, H, W, P).

    A query of padding gives nothing; where there are fewer queries, W is smaller.

    Raises:
        InvalidInput: the cache holds no queries.
    """
    queries, asked = layer.queries[:, :, -window:], layer.asked[:, -window:]
    if not queries.shape[2]:
        raise InvalidInput("a scorer that reads queries got none; attach the model's attention")
    ahead = asked.flip(-1).cumsum(-1).flip(-1)  # (B, W)
    at = layer.seen[:, :, 0] - ahead  # (B, W), the position of each query
    seen = layer.positions[:, :, None] <= at[:, None, :, None]  # (B, G, W, P)
    seen = seen & layer.valid[:, :, None] & asked[:, None, :, None]
    batch, groups = layer.keys.shape[:2]
    logits = (fold(queries, groups) @ layer.keys.mT).float()  # W x P numbers: no copy is kept
    logits = logits.mul_(layer.scale).view(batch, groups, -1, *seen.shape[2:])
    hidden = ~seen[:, :, None]
    weights = logits.masked_fill_(hidden, torch.finfo(torch.float32).min).softmax(-1)
    return weights.masked_fill_(hidden, 0.0).flatten(1, 2)


def by_group(weights: Tensor, groups: int) -> Tensor:
    """The mean over the query heads that share a key head: (B, H, ...) -> (B, G, ...)."""
    shared = weights.shape[1] // groups
    return weights.reshape(weights.shape[0], groups, shared, *weights.shape[2:]).mean(2)


def lifted(scores: Tensor, layer: LayerCache, chosen: Tensor) -> Tensor:
    """The scores with the chosen entries above all others of the layer, the newest on top.

    ``chosen`` is (B, G, P) broadcast.
    """
    shown = scores.masked_fill(~layer.valid, -torch.inf).amax((1, 2), keepdim=True)
    top = shown.masked_fill(shown == -torch.inf, 0.0)
    # A step that is seen in float32 beside the highest score.
    step = top.abs().clamp(min=1.0) * 1e-3
    return torch.where(chosen, top + step * (1 + layer.positions.float()), scores)


def newest(layer: LayerCache, count: int | Tensor) -> Tensor:
    """(B, G, P), whether an entry is among the last ``count`` tokens; a number, or (B,)."""
    last = count[:, None, None] if isinstance(count, Tensor) else count
    return layer.positions >= layer.seen - last


def surprise(tokens: Tensor, logits: Tensor, before: Tensor | None) -> Tensor:
    """Minus the log of the probability of each token, (B, T), given those before it.

    Args:
        tokens: (B, T).
        logits: (B, T, V), each of the token that comes next.
        before: (B, V), logits of the first token; without them it counts as the most surprising.
    """
    told = -logits[:, :-1].float().log_softmax(-1)
    rest = told.gather(2, tokens[:, 1:, None])[..., 0]
    if before is not None:
        first = -before.float().log_softmax(-1).gather(1, tokens[:, :1])
    elif rest.shape[1]:
        first = rest.amax(1, keepdim=True)
    else:
        first = torch.full_like(tokens[:, :1], math.log(logits.shape[2]), dtype=torch.float32)
    return torch.cat([first, rest], dim=1)


def chance(seed: int, *parts: Tensor) -> Tensor:
    """Numbers in [0, 1) that look random, the same for the same whole numbers; parts broadcast."""
    *firsts, last = parts
    mixed = torch.full((), seed + 1, dtype=torch.int32, device=last.device)
    for part in firsts:
        mixed = _stirred(mixed * 0x2545F491 + part.int())
    # The last part is the one that makes it large, so what is done to all of it is little.
    mixed = _stirred(mixed + _stirred(last.int() + 0x632BE5AB))
    return mixed.bitwise_and_((1 << 24) - 1).float().div_(1 << 24)


def _stirred(numbers: Tensor) -> Tensor:
    """Appleby's finaliser of MurmurHash3, in place; whole numbers of 32 bits wrap around."""
    for shift, factor in ((16, -0x7A143595), (13, -0x3D4D51CB), (16, 1)):
        kept = (1 << 32 - shift) - 1
        numbers.bitwise_xor_((numbers >> shift).bitwise_and_(kept))
        if factor != 1:
            numbers.mul_(factor)
    return numbers
