"""Attention with noise on its logits tells which entries count when others are gone.

Source: Adnan et al. 2024, "Keyformer: KV Cache Reduction through Key Tokens Selection for Efficient
    Generative Inference", MLSys 2024, arXiv:2403.09054, algorithm 1.
Differs: rows of a batch have scores of their own; query heads that share a key head share its
    entries; the noise of a query and a key is drawn by their positions, so that it is the same
    whatever else is in the batch and at any chunking.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from engram.activation.attending import shares
from engram.activation.rating import by_group, chance, lifted, newest
from engram.activation.roles import LayerCache, Need
from engram.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Keyformer:
    """Rates an entry by the softmax that it got, over logits that are made random and flat.

    Attributes:
        recent: share of what is kept that the newest tokens have for themselves.
        tau_first, tau_last: what logits are divided by at the prompt, and ``steps`` tokens later.
        steps: of generation, over which the one becomes the other.
        noise: whether logits get noise of the Gumbel distribution.
        seed: of the noise.
    """

    recent: float = 0.3
    tau_first: float = 1.0
    tau_last: float = 2.0
    steps: int = 128
    noise: bool = True
    seed: int = 0
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LOGITS})
    facts: ClassVar[Mapping[str, float]] = {"mass": 0.0, "prompt": 0.0}

    def __post_init__(self) -> None:
        """Refuse what no softmax takes."""
        if min(self.tau_first, self.tau_last) <= 0 or self.steps < 1:
            got = self.tau_first, self.tau_last, self.steps
            raise InvalidInput(f"tau must be above 0 and steps at least 1, got {got!r}")

    def observe(self, layer: LayerCache, logits: Tensor) -> Mapping[str, Tensor]:
        """Return what each entry got, with these queries, and the length of the prompt."""
        heads, groups = logits.shape[1], layer.keys.shape[1]
        seen = logits > -torch.inf
        where = layer.positions.repeat_interleave(heads // groups, dim=1)[
            :, :, None
        ]  # (B, H, 1, P)
        at = where.masked_fill(~seen, 0).amax(-1, keepdim=True)  # (B, H, Q, 1), of each query
        known = layer.ledger["prompt"].amax((1, 2), keepdim=True)
        prompt = torch.where(known > 0, known, layer.seen.float())  # (B, 1, 1)
        late = ((at - prompt[..., None] + 1) / self.steps).clamp(0, 1)
        tau = self.tau_first + late * (self.tau_last - self.tau_first)
        bent = self._gumbel(layer, where, at).add(logits).div_(tau)
        got = by_group(shares(bent.masked_fill_(~seen, -torch.inf)).sum(2), groups)
        return {
            "mass": layer.ledger["mass"] + got,
            "prompt": prompt.expand(layer.keys.shape[:3]),
        }

    def score(self, layer: LayerCache) -> Tensor:
        """Return (B, G, P) sums of shares; the newest entries are above all others."""
        kept = (layer.total * self.recent).long()
        return lifted(layer.ledger["mass"], layer, newest(layer, kept))

    def _gumbel(self, layer: LayerCache, where: Tensor, at: Tensor) -> Tensor:
        """(B, H, Q, P), or nothing."""
        if not self.noise:
            return layer.keys.new_zeros(1)
        heads = torch.arange(where.shape[1], device=where.device)[:, None, None]
        layers = torch.full_like(heads, layer.place.layer)
        drawn = chance(self.seed, layers, heads, at, where)
        return drawn.add_(2**-25).log_().neg_().log_().neg_()
