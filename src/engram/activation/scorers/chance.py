"""Entries are kept by lot: the baseline that every score has to beat.

Source: Jegou et al. 2024, "kvpress", github.com/NVIDIA/kvpress, random press.
Differs: an entry's lot is drawn once, by its position, so that what is kept is a fair sample at any
    time, and the same whatever else is in the batch.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from engram.activation.rating import chance
from engram.activation.roles import LayerCache, Need


@dataclass(frozen=True, slots=True)
class Chance:
    """Rates an entry by a number that is drawn for it.

    Attributes:
        seed: of the draw.
    """

    seed: int = 0
    needs: ClassVar[frozenset[Need]] = frozenset()

    def score(self, layer: LayerCache) -> Tensor:
        """Return (B, G, P) numbers, at least 0 and below 1."""
        heads = torch.arange(layer.keys.shape[1], device=layer.keys.device)[:, None]
        layers = torch.full_like(heads, layer.place.layer)
        return chance(self.seed, layers, heads, layer.positions)
