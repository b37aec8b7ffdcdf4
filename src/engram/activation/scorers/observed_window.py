"""What the last queries of a prompt look at is what will be looked at.

Source: Li et al. 2024, "SnapKV: LLM Knows What You are Looking for Before Generation",
    NeurIPS 2024, arXiv:2404.14469, section 4.
Differs: the window moves on with what is generated, so that eviction can go on, too; it takes at
    most half of what is kept, so that a small budget is not the window alone.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import avg_pool1d

from engram.activation.rating import by_group, lifted, newest, window_weights
from engram.activation.roles import LayerCache, Need


@dataclass(frozen=True, slots=True)
class ObservedWindow:
    """Rates an entry by the mean attention of the last queries to it and its neighbours.

    Attributes:
        window: how many queries, and newest entries that are kept before all others; at most half
            of what is kept.
        kernel: over how many neighbours the attention is smoothed; odd.
    """

    window: int = 64
    kernel: int = 5
    needs: ClassVar[frozenset[Need]] = frozenset({Need.QUERIES})

    def score(self, layer: LayerCache) -> Tensor:
        """Return (B, G, P) means of weights; the newest are above all others."""
        count = (layer.total // 2).clamp(1, self.window)  # (B,)
        inside = newest(layer, count)
        weights = window_weights(layer, self.window)  # (B, H, W, P)
        ahead = torch.arange(weights.shape[2], 0, -1, device=weights.device)
        asks = layer.asked[:, -self.window :] & (ahead <= count[:, None])
        asks = asks[:, None, :, None].float()
        mean = weights.mul_(asks).sum(2) / asks.sum(2).clamp(min=1)
        past = by_group(mean, layer.keys.shape[1]).masked_fill(inside, 0.0)
        smooth = avg_pool1d(past, self.kernel, stride=1, padding=self.kernel // 2)
        return lifted(smooth, layer, inside)
