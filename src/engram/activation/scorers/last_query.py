"""The entry that the newest query looks at least is dropped, the same one in all heads.

Source: Oren et al. 2024, "Transformers are Multi-State RNNs", EMNLP 2024, arXiv:2401.06104,
    section 3.2, TOVA.
Differs: nothing known.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from engram.activation.rating import lifted, newest, window_weights
from engram.activation.roles import LayerCache, Need


@dataclass(frozen=True, slots=True)
class LastQuery:
    """Rates an entry by the attention of the newest query, in the mean over all heads."""

    window: ClassVar[int] = 1
    needs: ClassVar[frozenset[Need]] = frozenset({Need.QUERIES})

    def score(self, layer: LayerCache) -> Tensor:
        """Return (B, G, P) weights; the newest entry is above all others."""
        weights = window_weights(layer, 1)[:, :, 0].mean(1, keepdim=True)
        return lifted(weights.expand(layer.keys.shape[:3]), layer, newest(layer, 1))
