"""Tokens that the model did not expect are remembered, and less so with each turn of a talk.

Source: Yao et al. 2024, "SirLLM: Streaming Infinite Retentive LLM", ACL 2024, arXiv:2405.12528,
    section 3.
Differs: a token's surprise is that of the token itself, not of its repetition, as the published
    code has it; entries go whenever there are too many, not only when a turn begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from engram.activation.positions import Position
from engram.activation.rating import lifted, newest
from engram.activation.roles import LayerCache, Need
from engram.errors import InvalidInput

UNKNOWN = -1.0
"""The surprise of a token of which no logits were told yet."""


@dataclass(frozen=True, slots=True)
class Surprisal:
    """Rates an entry by minus the log of the probability that its token had.

    Attributes:
        n_sink: how many of the first tokens are always kept.
        recent: how many of the newest tokens are always kept.
        decay: what is left of a surprise at the next turn; above 0, at most 1.
    """

    n_sink: int = 4
    recent: int = 0
    decay: float = 0.7
    position: ClassVar[Position] = "compact"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.SURPRISAL})
    facts: ClassVar[Mapping[str, float]] = {"surprisal": UNKNOWN}

    def __post_init__(self) -> None:
        """Refuse a surprise that grows."""
        if not 0 < self.decay <= 1:
            raise InvalidInput(f"decay must be above 0 and at most 1, got {self.decay!r}")

    def score(self, layer: LayerCache) -> Tensor:
        """Return (B, G, P) surprises; sinks, and what is not told or new, are above all others."""
        told = layer.ledger["surprisal"]
        fresh = (told < 0) | newest(layer, self.recent)
        return lifted(lifted(told, layer, fresh), layer, layer.positions < self.n_sink)

    def turn(self, layer: LayerCache) -> Mapping[str, Tensor]:
        """Return the surprises as they are at the next turn."""
        told = layer.ledger["surprisal"]
        return {"surprisal": told.where(told < 0, told * self.decay)}
