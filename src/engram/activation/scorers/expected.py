"""Entries are kept that queries to come can be expected to look at.

Source: Devoto et al. 2025, "Expected Attention: KV Cache Compression by Estimating Attention from
    Future Queries Distribution", arXiv:2510.00636; Jegou et al. 2024, github.com/NVIDIA/kvpress.
Differs: queries are told by the cache, turned back to where no position is in them, and not made
    of hidden states; past the prompt the newest ``window`` of them tell. The newest entries have a
    part of what is kept, for eviction goes on while words are written.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from engram.activation.positions import Rotary
from engram.activation.rating import by_group, lifted, newest
from engram.activation.roles import LayerCache, Need
from engram.errors import InvalidInput

_STEP = 64  # future positions at a time


@dataclass(frozen=True, slots=True)
class Expected:
    """Rates an entry by the weight that a normal distribution of queries gives it, times its value.

    Attributes:
        ahead: over how many tokens to come the mean is taken.
        n_sink: how many of the first tokens are always kept, and not asked.
        window: how many queries are remembered from call to call.
        recent: share of what is kept that the newest tokens have for themselves.
        spread: whether the covariance of queries counts.
        norm: whether the length of the value counts.
        epsilon: added to a weight before it is multiplied with that length.
    """

    ahead: int = 512
    n_sink: int = 4
    window: int = 128
    recent: float = 0.25
    spread: bool = True
    norm: bool = True
    epsilon: float = 0.02
    needs: ClassVar[frozenset[Need]] = frozenset({Need.QUERIES})

    def score(self, layer: LayerCache) -> Tensor:
        """Return (B, G, P) expected weights, at least 0; sinks and the newest are on top."""
        if layer.rotary is None:
            raise InvalidInput("expected attention needs a model with rotary positions, got none")
        mean, spread = _moments(layer, layer.rotary, self.n_sink)
        turn = _mean_turn(layer, layer.rotary, self.ahead)  # (B, D, D)
        shared = mean.shape[1] // layer.keys.shape[1]
        keys = layer.keys.float().repeat_interleave(shared, dim=1)  # (B, H, P, D)
        mean = mean @ turn  # (B, H, D)
        logits = (keys @ mean[..., None])[..., 0] * layer.scale
        if self.spread:
            turned = turn[:, None].mT @ spread @ turn[:, None]
            logits = logits + ((keys @ turned) * keys).sum(-1) * layer.scale**2 / 2
        valid = layer.valid.repeat_interleave(shared, dim=1)
        logits = logits.masked_fill(~valid, torch.finfo(torch.float32).min)
        weights = by_group(logits.softmax(-1), layer.keys.shape[1])
        if self.norm:
            weights = (weights + self.epsilon) * layer.values.float().norm(dim=-1)
        chosen = (layer.positions < self.n_sink) | newest(layer, (layer.total * self.recent).long())
        return lifted(weights, layer, chosen)


def _moments(layer: LayerCache, rotary: Rotary, n_sink: int) -> tuple[Tensor, Tensor]:
    """Mean (B, H, D) and covariance (B, H, D, D) of queries without positions."""
    ahead = layer.asked.flip(-1).cumsum(-1).flip(-1)
    at = (layer.seen[:, :, 0] - ahead).clamp(min=0)  # (B, W)
    queries = rotary.unturn(layer.queries.float(), at[:, None])
    counted = layer.asked & (at >= n_sink)
    counted = torch.where(counted.any(-1, keepdim=True), counted, layer.asked)
    part = counted[:, None, :, None].float()
    count = part.sum(2)  # (B, 1, 1)
    mean = (queries * part).sum(2) / count
    centred = (queries - mean[:, :, None]) * part
    return mean, centred.mT @ centred / count[..., None]


def _mean_turn(layer: LayerCache, rotary: Rotary, ahead: int) -> Tensor:
    """(B, D, D), what turning a row vector to the next positions comes to in the mean."""
    width = layer.keys.shape[3]
    basis = torch.eye(width, device=layer.keys.device)[None, :, None]  # (1, D, 1, D)
    total = layer.seen.new_zeros(layer.keys.shape[0], width, width, dtype=torch.float32)
    for start in range(0, ahead, _STEP):
        steps = torch.arange(start, min(start + _STEP, ahead), device=layer.keys.device)
        at = layer.seen + steps  # (B, 1, n)
        states = basis.expand(len(total), width, steps.shape[0], width)
        total += rotary.turn(states, at).sum(2)
    return total / ahead
