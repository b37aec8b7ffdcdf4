"""An entry whose key is short is looked at often.

Source: Devoto et al. 2024, "A Simple and Effective L2 Norm-Based Strategy for KV Cache
    Compression", EMNLP 2024, arXiv:2406.11430.
Differs: nothing known.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from engram.activation.roles import LayerCache, Need


@dataclass(frozen=True, slots=True)
class KeyNorm:
    """Rates an entry by minus the Euclidean norm of its key."""

    needs: ClassVar[frozenset[Need]] = frozenset()

    def score(self, layer: LayerCache) -> Tensor:
        """Return (B, G, P) ratings, at most 0."""
        return -layer.keys.float().norm(dim=-1)
