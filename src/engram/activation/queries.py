"""The newest queries of a layer, for scorers that read them."""

import torch
from torch import Tensor


class Asked:
    """The last ``window`` queries, and those of calls that are not settled.

    Each part is queries (B, H, Q, D), and (B, Q) which of them count.

    Args:
        window: how many outlive their call.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self.held: list[tuple[Tensor, Tensor]] = []  # what outlived its call, one part at most
        self.fresh: list[tuple[Tensor, Tensor]] = []

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors."""
        parts = [*self.held, *self.fresh]
        return sum(asked.nbytes + counts.nbytes for asked, counts in parts)

    def append(self, queries: Tensor, valid: Tensor | None) -> None:
        """Add the queries (B, H, Q, D) of a call; ``valid`` (B, Q) is False for padding."""
        if valid is None:
            valid = queries.new_ones(queries.shape[0], queries.shape[2], dtype=torch.bool)
        self.fresh.append((queries.detach(), valid))

    def view(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """All of them, and which count; where there are none, of the batch of ``like``."""
        parts = [*self.held, *self.fresh]
        if parts:
            return joined(parts)
        batch, groups, _, width = like.shape
        return like.new_zeros(batch, groups, 0, width), like.new_zeros(batch, 0, dtype=torch.bool)

    def settle(self) -> None:
        """Forget all but the newest."""
        if self.fresh and self._window:
            queries, counts = joined([*self.held, *self.fresh])
            last = slice(-self._window, None)
            self.held = [(queries[:, :, last].clone(), counts[:, last].clone())]
        self.fresh = []

    def drop(self, count: int) -> None:
        """Take back the newest ``count``."""
        for parts in (self.fresh, self.held):
            while count and parts:
                queries, counts = parts.pop()
                left = counts.shape[1] - count
                if left > 0:
                    parts.append((queries[:, :, :left], counts[:, :left]))
                count = max(0, -left)

    def rows(self, rows: Tensor) -> None:
        """Take rows of the batch."""
        self.held, self.fresh = (
            [
                (queries.index_select(0, rows), counts.index_select(0, rows))
                for queries, counts in parts
            ]
            for parts in (self.held, self.fresh)
        )

    def copy(self) -> "Asked":
        """Another that holds the same; nothing that is held is ever written to."""
        twin = Asked(self._window)
        twin.held, twin.fresh = list(self.held), list(self.fresh)
        return twin


def joined(parts: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """One part of all, in order."""
    if len(parts) == 1:
        return parts[0]
    queries, counts = zip(*parts, strict=True)
    return torch.cat(queries, dim=2), torch.cat(counts, dim=1)
