"""The first few tokens, on which attention rests, and the newest ones are kept.

Source: Xiao et al. 2024, "Efficient Streaming Language Models with Attention Sinks", ICLR 2024,
    arXiv:2309.17453, section 3.2.
Differs: nothing known.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from engram.activation.positions import Position
from engram.activation.roles import LayerCache, Need


@dataclass(frozen=True, slots=True)
class Sinks:
    """Rates an entry by its position, and the first ones above all.

    Attributes:
        n_sink: how many of the first tokens are always kept.
    """

    n_sink: int = 4
    position: ClassVar[Position] = "compact"
    needs: ClassVar[frozenset[Need]] = frozenset()

    def score(self, layer: LayerCache) -> Tensor:
        """Return (B, G, P) positions, those of sinks raised above all others."""
        positions = layer.positions.float()
        return positions + (layer.positions < self.n_sink) * (layer.seen + 1).float()
