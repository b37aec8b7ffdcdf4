"""Entries that were looked at most so far are kept, and the newest ones.

Source: Zhang et al. 2023, "H2O: Heavy-Hitter Oracle for Efficient Generative Inference of Large
    Language Models", NeurIPS 2023, arXiv:2306.14048, algorithm 1.
Differs: query heads that share a key head share its entries, so their attention is summed up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from engram.activation.attending import shares
from engram.activation.rating import by_group, lifted, newest
from engram.activation.roles import LayerCache, Need


@dataclass(frozen=True, slots=True)
class HeavyHitters:
    """Rates an entry by all the attention that it got.

    Attributes:
        recent: share of what is kept that the newest tokens have for themselves.
    """

    recent: float = 0.5
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LOGITS})
    facts: ClassVar[Mapping[str, float]] = {"mass": 0.0}

    def observe(self, layer: LayerCache, logits: Tensor) -> Mapping[str, Tensor]:
        """Return the attention that each entry got, with that of these queries."""
        got = by_group(shares(logits).sum(2), layer.keys.shape[1])
        return {"mass": layer.ledger["mass"] + got}

    def score(self, layer: LayerCache) -> Tensor:
        """Return (B, G, P) sums of attention; the newest entries are above all others."""
        kept = (layer.total * self.recent).long()
        return lifted(layer.ledger["mass"], layer, newest(layer, kept))
