"""The channels of old keys that say least to the newest queries are dropped.

Source: Xu et al. 2025, "ThinK: Thinner Key Cache by Query-Driven Pruning", ICLR 2025,
    arXiv:2407.21018, section 3.
Differs: the channels are really gone, not zeroed; query heads that share keys share their channels,
    as in kvpress, so that sharing still saves; channels can be dropped in the pairs that a rotary
    embedding turns together, so that the rest can be turned further.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from engram.errors import InvalidInput, ShapeError


@dataclass(frozen=True, slots=True)
class Thinned:
    """Keys of which the old ones have K channels left.

    Attributes:
        kept: (B, G, T - recent, K), the old keys.
        recent: (B, G, recent, D), the newest keys, whole.
        channels: (B, G, K), which channels the old ones have, ascending.
    """

    kept: Tensor
    recent: Tensor
    channels: Tensor

    @property
    def mask(self) -> Tensor:
        """(B, G, D), True for the channels that are kept."""
        b, g, _, d = self.recent.shape
        return self.channels.new_zeros(b, g, d, dtype=torch.bool).scatter(2, self.channels, True)

    @property
    def nbytes(self) -> int:
        """Bytes of the keys and of the channels' numbers."""
        return self.kept.nbytes + self.recent.nbytes + self.channels.nbytes

    def thin(self, keys: Tensor) -> Tensor:
        """Return the kept channels (B, G, T, K) of keys that grew old; the choice is settled."""
        return _gathered(keys, self.channels)

    def ask(self, queries: Tensor) -> Tensor:
        """Return the kept channels (B, H, Q, K) of queries, each head those of its keys."""
        shared = queries.shape[1] // self.channels.shape[1]
        return _gathered(queries, self.channels.repeat_interleave(shared, dim=1))

    def scores(self, queries: Tensor) -> Tensor:
        """Return queries (B, H, Q, D) times keys, (B, H, Q, T), oldest first, not scaled.

        The scale stays that of D, for what is dropped is taken to be nothing.
        """
        shared = queries.shape[1] // self.channels.shape[1]
        parts = ((self.ask(queries), self.kept), (queries, self.recent))
        products = [asked @ keys.repeat_interleave(shared, 1).mT for asked, keys in parts]
        return torch.cat(products, dim=-1)


@dataclass(frozen=True, slots=True)
class Channels:
    """Thins keys, once, when a prompt was read. Evict before it, pack after it.

    Attributes:
        ratio: share of the channels that is dropped; 0 to below 1.
        window: how many of the newest queries are asked what they need.
        recent: how many of the newest keys stay whole.
        paired: drop channel i with channel i + D / 2, as a rotary embedding pairs them.
    """

    ratio: float = 0.4
    window: int = 32
    recent: int = 32
    paired: bool = False

    def __post_init__(self) -> None:
        """Refuse what leaves no channel or asks no query."""
        if not 0 <= self.ratio < 1:
            raise InvalidInput(f"ratio must be at least 0 and below 1, got {self.ratio!r}")
        if self.window < 1 or self.recent < 0:
            got = self.window, self.recent
            raise InvalidInput(f"window must be at least 1 and recent at least 0, got {got!r}")

    def worth(self, queries: Tensor, keys: Tensor, valid: Tensor | None = None) -> Tensor:
        """Rate every channel by how much of all products it carries.

        The Frobenius norm of what a channel adds to queries times keys is that of an outer product,
        so its square is the energy of the channel in the queries times that in the keys.

        Args:
            queries: (B, H, W, D), the newest ones, rotated like the keys; the last ``window`` are
                asked, H is a multiple of G.
            keys: (B, G, T, D).
            valid: (B, T), False for padded tokens, which are neither asked nor counted.

        Returns:
            (B, G, D), at least 0: the squared norms, summed over the query heads of a key head.

        Raises:
            ShapeError: the shapes do not fit one another.
        """
        b, h, _, d = queries.shape
        g, t = keys.shape[1], keys.shape[2]
        if h % g or keys.shape[3] != d or keys.shape[0] != b:
            raise ShapeError(
                f"queries must be (B, H, W, D), H a multiple of G, beside keys (B, G, T, D), got "
                f"{tuple(queries.shape)} and {tuple(keys.shape)}"
            )
        asked = queries[:, :, -self.window :].float().square()
        held = keys.float().square()
        if valid is not None:
            newest = valid[:, t - asked.shape[2] :]
            asked = asked.masked_fill(~newest[:, None, :, None], 0)
            held = held.masked_fill(~valid[:, None, :, None], 0)
        return asked.sum(2).view(b, g, h // g, d).sum(2) * held.sum(2)

    def prune(self, queries: Tensor, keys: Tensor, valid: Tensor | None = None) -> Thinned:
        """Drop the channels of the old keys that are worth least; see ``worth``.

        Raises:
            ShapeError: the shapes do not fit, or D is odd and channels are paired.
        """
        worth = self.worth(queries, keys, valid)
        width, whole = keys.shape[3], max(0, keys.shape[2] - self.recent)
        if self.paired:
            if width % 2:
                raise ShapeError(f"paired channels need an even D, got D={width!r}")
            worth = worth.view(*worth.shape[:2], 2, width // 2).sum(2)
        held = worth.shape[2] - int(worth.shape[2] * self.ratio)
        channels = worth.topk(held, dim=2).indices
        if self.paired:
            channels = torch.cat([channels, channels + width // 2], dim=2)
        channels = channels.sort(dim=2).values
        kept = _gathered(keys[:, :, :whole], channels)
        return Thinned(kept, keys[:, :, whole:].clone(), channels)


def _gathered(rows: Tensor, channels: Tensor) -> Tensor:
    """Of rows (B, X, T, D) the channels (B, X, K) alone."""
    return rows.gather(3, channels.unsqueeze(2).expand(-1, -1, rows.shape[2], -1))
