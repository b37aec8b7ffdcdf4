"""Which entries stay: scores and counts as numbers of entries."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What stays of a layer of old blocks and a tail.

    Attributes:
        blocks: (B, G, N'), old blocks by number; None keeps all.
        tail: (B, G, T'), entries of the tail by number; None keeps all.
        index: (B, G, P'), the same as entries of the whole layer.
        valid: (B, G, P'), False for what only fills up a head; None where nothing does.
    """

    blocks: Tensor | None
    tail: Tensor | None
    index: Tensor
    valid: Tensor | None


def best(scores: Tensor, counts: Tensor) -> tuple[Tensor, Tensor | None]:
    """The best ``counts`` (B, G) of entries with scores (B, G, P), by number, ascending.

    Returns:
        (B, G, P'), P' being the largest count, and which of them are no filling, which comes first;
        None where none is. Of equal scores the later one stays.
    """
    width = int(counts.max()) if counts.numel() else 0
    order = scores.flip(-1).argsort(dim=-1, descending=True, stable=True)
    order = scores.shape[-1] - 1 - order[..., :width]
    there = torch.arange(width, device=scores.device) < counts[..., None]
    if bool(there.all()):
        return order.sort(dim=-1).values, None
    order = order.masked_fill(~there, -1).sort(dim=-1).values
    return order.clamp(min=0), there.flip(-1)


def plan(scores: Tensor, counts: Tensor, old: int, step: int) -> Kept:
    """What stays, ``counts`` (B, G) for each head.

    The first ``old`` entries go only in whole blocks of ``step``, each worth its best entry. They
    go first: the tail is touched where it alone is too much.
    """
    if not old:
        index, valid = best(scores, counts)
        return Kept(None, index, index, valid)
    tail = scores.shape[-1] - old
    worth = scores[..., :old].reshape(*scores.shape[:2], old // step, step).amax(-1)
    room = ((counts - tail).clamp(min=0) // step).clamp(max=old // step)
    blocks, filled = best(worth, room)
    steps = torch.arange(step, device=scores.device)
    index = (blocks[..., None] * step + steps).flatten(2)
    valid = None if filled is None else filled.repeat_interleave(step, dim=-1)
    rest, there = best(scores[..., old:], counts.clamp(max=tail))
    whole = rest.shape[-1] == tail and there is None
    if valid is not None or there is not None:
        sides = [
            scores.new_ones(part.shape, dtype=torch.bool) if known is None else known
            for part, known in ((index, valid), (rest, there))
        ]
        valid = torch.cat(sides, dim=-1)
    same = blocks.shape[-1] == old // step and filled is None
    index = torch.cat([index, rest + old], dim=-1)
    return Kept(None if same else blocks, None if whole else rest, index, valid)
