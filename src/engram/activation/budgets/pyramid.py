"""Lower layers, whose attention is spread wide, keep more than higher ones.

Source: Cai et al. 2024, "PyramidKV: Dynamic KV Cache Compression based on Pyramidal Information
    Funneling", arXiv:2406.02069, section 4.2.
Differs: the counts of all layers sum up to the budget exactly; no part is set aside for a window,
    which scorers protect by themselves.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from engram.activation.roles import Place
from engram.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Pyramid:
    """Counts fall evenly from the first layer to the last.

    Attributes:
        beta: the last layer keeps the mean divided by this; at least 1, which is uniform.
    """

    beta: float = 20.0

    def __post_init__(self) -> None:
        """Refuse a pyramid that stands on its head."""
        if not self.beta >= 1:
            raise InvalidInput(f"beta must be at least 1, got {self.beta!r}")

    def share(self, total: Tensor, seen: Tensor, place: Place) -> Tensor:
        """Return (B,) what this layer keeps."""
        low = (total.double() / self.beta).clamp(min=1)
        low = torch.maximum(low, 2 * total.double() - seen)  # no layer gets more than there is
        return _until(total, low, place.layer + 1, place) - _until(total, low, place.layer, place)

    def split(self, scores: Tensor, total: Tensor) -> Tensor:
        """Return (B, G) counts, the same for every head."""
        return total[:, None].expand(scores.shape[:2])


def _until(total: Tensor, low: Tensor, layer: int, place: Place) -> Tensor:
    """What all layers below one keep, rounded, so that the parts sum up to the whole."""
    if place.layers == 1:
        return total * layer
    step = 2 * (total - low) / (place.layers - 1)
    exact = layer * (2 * total - low) - step * layer * (layer - 1) / 2
    return exact.round().long()
