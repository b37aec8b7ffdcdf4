"""Heads of a layer share their entries: who has more that counts, keeps more.

Source: Feng et al. 2025, "Ada-KV: Optimizing KV Cache Eviction by Adaptive Budget Allocation for
    Efficient LLM Inference", NeurIPS 2025, arXiv:2407.11550, algorithm 1.
Differs: the part that each head is sure of is a share of the mean, as in kvpress.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from engram.activation.roles import Place
from engram.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Adaptive:
    """The best entries of all heads of a layer together.

    Attributes:
        safeguard: share of the mean that every head keeps in any case; 0 to 1, which is uniform.
    """

    safeguard: float = 0.2

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        if not 0 <= self.safeguard <= 1:
            raise InvalidInput(f"safeguard must be between 0 and 1, got {self.safeguard!r}")

    def share(self, total: Tensor, seen: Tensor, place: Place) -> Tensor:
        """Return the mean itself: layers are alike."""
        return total

    def split(self, scores: Tensor, total: Tensor) -> Tensor:
        """Return (B, G) counts, G times the total in all where there are as many entries."""
        batch, groups, tokens = scores.shape
        order = scores.argsort(dim=-1, descending=True, stable=True).argsort(dim=-1)
        safe = (total * self.safeguard).long().clamp(min=1)[:, None, None]
        flat = scores.masked_fill(order < safe, torch.inf).flatten(1)
        rank = flat.argsort(dim=-1, descending=True, stable=True).argsort(dim=-1)
        kept = (rank < (total * groups)[:, None]) & (flat > -torch.inf)
        return kept.view(batch, groups, tokens).sum(-1)
