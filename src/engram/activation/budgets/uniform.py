"""Every head of every layer keeps as many entries.

Source: Xiao et al. 2024, "Efficient Streaming Language Models with Attention Sinks", ICLR 2024,
    arXiv:2309.17453; Zhang et al. 2023, "H2O", NeurIPS 2023, arXiv:2306.14048.
Differs: nothing known.
"""

from dataclasses import dataclass

from torch import Tensor

from engram.activation.roles import Place


@dataclass(frozen=True, slots=True)
class Uniform:
    """The same for all."""

    def share(self, total: Tensor, seen: Tensor, place: Place) -> Tensor:
        """Return the mean itself."""
        return total

    def split(self, scores: Tensor, total: Tensor) -> Tensor:
        """Return (B, G) counts, the total for every head."""
        return total[:, None].expand(scores.shape[:2])
