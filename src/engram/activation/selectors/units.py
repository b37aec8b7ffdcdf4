"""A far block is known by the keys of its tokens that were looked at most while they were near.

Source: Xiao et al. 2024, "InfLLM: Training-Free Long-Context Extrapolation for LLMs with an
    Efficient Context Memory", NeurIPS 2024, arXiv:2402.04617, section 3.2.
Differs: a block can be known by the bounds of its keys instead (Tang et al. 2024, Quest, ICML 2024,
    arXiv:2406.10774, section 3.3), which miss no key that stands out in a block of others.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from engram.errors import InvalidInput

Match = Literal["mean", "bound"]


@dataclass(frozen=True, slots=True)
class Units:
    """Takes the blocks whose keys have the largest product with the queries.

    Attributes:
        n_init: tokens at the start that always stay.
        n_local: tokens of the window, in which all is seen.
        block_size: tokens of a block.
        topk: blocks that are attended to, one choice for all heads of a layer.
        repr_topk: tokens of a block whose keys stand for it, chosen by each head.
        exec_block: queries that share a choice, at most ``n_local``.
        match: ``mean``, the mean query times the mean of the keys that stand for a block, as the
            paper has it; ``bound``, the most that queries can find in it: channel by channel, the
            least and the largest number among all its keys.
    """

    n_init: int = 128
    n_local: int = 4096
    block_size: int = 128
    topk: int = 16
    repr_topk: int = 4
    exec_block: int = 512
    match: Match = "mean"

    def __post_init__(self) -> None:
        """Refuse sizes that cannot be."""
        counts = self.n_local, self.block_size, self.topk, self.repr_topk, self.exec_block
        if min(*counts, self.n_init + 1) < 1 or self.match not in ("mean", "bound"):
            raise InvalidInput(
                f"n_local, block_size, topk, repr_topk and exec_block must be at least 1, n_init "
                f"at least 0 and match 'mean' or 'bound', got {counts!r}, {self.n_init!r} and "
                f"{self.match!r}"
            )
        if self.repr_topk > self.block_size or self.exec_block > self.n_local:
            raise InvalidInput(
                f"repr_topk must be at most block_size and exec_block at most n_local, got "
                f"{self.repr_topk!r} of {self.block_size!r} and {self.exec_block!r} of "
                f"{self.n_local!r}"
            )

    def units(self, keys: Tensor, mass: Tensor) -> Tensor:
        """Return (N, H D), the mean keys of each query head, or (N, 2 G D), the bounds of all."""
        if self.match == "bound":
            return torch.stack([keys.amin(2), keys.amax(2)], dim=1).flatten(1)
        best = mass.topk(self.repr_topk, dim=-1).indices  # (N, H, R)
        shared = keys.repeat_interleave(mass.shape[1] // keys.shape[1], dim=1)
        at = best[..., None].expand(-1, -1, -1, keys.shape[-1])
        return shared.gather(2, at).float().mean(2).flatten(1)

    def select(self, queries: Tensor, units: Tensor) -> Tensor:
        """Return the numbers of the blocks that are worth most, ascending."""
        if len(units) <= self.topk:
            return torch.arange(len(units))
        asks = queries.float()
        if self.match == "mean":
            asks = asks.mean(1).flatten()
        else:  # what is below 0 is largest with the lower bound, what is above with the upper
            shape = units.shape[1] // (2 * asks.shape[2]), -1, asks.shape[2]
            sides = asks.clamp(max=0), asks.clamp(min=0)
            asks = torch.cat([side.sum(1).view(shape).sum(1).flatten() for side in sides])
        worth = units @ asks.to(units.device)
        return worth.topk(self.topk).indices.sort().values
