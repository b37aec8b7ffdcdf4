"""The policies of one layer, together, and what the cache has to gather for them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from engram.activation.positions import Position, check_position
from engram.activation.roles import (
    Budget,
    Codec,
    LayerCache,
    Need,
    Offload,
    Pager,
    Place,
    Scorer,
    Selector,
    Thinner,
)
from engram.errors import InvalidInput

MASS = "mass"
"""The fact that a selector needs: how much attention an entry got while it was near."""

Observe = Callable[[LayerCache, Tensor], Mapping[str, Tensor]]
Turn = Callable[[LayerCache], Mapping[str, Tensor]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """What to keep of a layer, and in what form.

    Attributes:
        pager: where whole entries lie.
        budget: how ``keep`` is shared out.
        scorer: what an entry is worth; None keeps all.
        keep: entries that a head keeps in the mean: a count, or a share of the tokens seen.
        slack: entries below ``keep`` that eviction goes down to after a few tokens, so that it
            comes more seldom; a prompt is cut to ``keep`` itself. None is a sixteenth of it.
        codec: the form of old entries; None leaves them.
        thinner: which channels old keys lose; None leaves them.
        selector: which far blocks are attended to; None has no far blocks.
        offload: where far blocks lie; goes with a selector.
        position: where entries are shown; with a selector its window.
    """

    pager: Pager
    budget: Budget
    scorer: Scorer | None = None
    keep: int | float | None = None
    slack: int | None = None
    codec: Codec | None = None
    thinner: Thinner | None = None
    selector: Selector | None = None
    offload: Offload | None = None
    position: Position = "absolute"

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        check_position(self.position)
        if (self.scorer is None) != (self.keep is None):
            raise InvalidInput(
                f"a budget goes with a scorer, got keep={self.keep!r} and scorer={self.scorer!r}; "
                f"name both or none"
            )
        if self.keep is not None:
            _check_keep(self.keep)
        if self.slack is not None and self.slack < 0:
            raise InvalidInput(f"slack must be at least 0, got {self.slack!r}")
        if self.thinner is not None and self.position != "absolute" and not self.thinner.paired:
            raise InvalidInput(
                f"keys that lost channels cannot be turned, got position={self.position!r}; drop "
                f"channels in pairs (paired=True) or use 'absolute'"
            )

        if self.selector is not None:
            self._check_selector(self.selector)

    def _check_selector(self, selector: Selector) -> None:
        """Refuse what does not go with far blocks."""
        if self.offload is None or self.position != selector.n_local:
            raise InvalidInput(
                f"a selector needs a place for far blocks, and its window of {selector.n_local!r} "
                f"as position, got {self.offload!r} and {self.position!r}; use a preset, and leave "
                f"position to it"
            )
        if self.scorer is not None or self.thinner is not None:
            other = self.scorer or self.thinner
            raise InvalidInput(
                f"a selector keeps every entry as it came, got {other!r} beside it; use one of the "
                f"two, or a codec for the far blocks"
            )
        if self.codec is not None and selector.block_size % self.codec.group_size:
            raise InvalidInput(
                f"far blocks are packed in whole groups, got blocks of {selector.block_size!r} "
                f"tokens and groups of {self.codec.group_size!r}; make one a multiple of the other"
            )

    @property
    def needs(self) -> frozenset[Need]:
        """What the scorer reads."""
        return frozenset() if self.scorer is None else self.scorer.needs

    @property
    def asks(self) -> bool:
        """Whether queries are needed, which only the model's attention has."""
        return bool(self.needs & {Need.QUERIES, Need.LOGITS}) or self.thinner is not None

    @property
    def listens(self) -> bool:
        """Whether the scorer is told of tokens by the caller, after their attention."""
        return Need.SURPRISAL in self.needs

    @property
    def window(self) -> int:
        """How many of the newest queries are kept for the next call."""
        windows = [getattr(each, "window", 0) for each in (self.scorer, self.thinner)]
        return max(windows) if self.asks else 0

    @property
    def facts(self) -> Mapping[str, float]:
        """Facts in the ledger, and what a fresh entry has there."""
        if self.selector is not None:
            return {MASS: 0.0}
        return getattr(self.scorer, "facts", {})

    @property
    def observe(self) -> Observe | None:
        """What the scorer makes of logits."""
        return getattr(self.scorer, "observe", None)

    @property
    def turn(self) -> Turn | None:
        """What the scorer makes of its facts when a turn begins."""
        return getattr(self.scorer, "turn", None)

    def total(self, told: Tensor, place: Place, spare: int = 0) -> Tensor:
        """(B,), how many entries a head of this layer keeps in the mean; at least 1.

        ``told`` (B, 1) is how many tokens each row was given; ``spare`` more are to come and find
        room.
        """
        told = told[:, 0].long()
        if self.keep is None:
            return told
        whole = isinstance(self.keep, int)
        total = torch.full_like(told, int(self.keep)) if whole else (told + spare) * self.keep
        total = torch.minimum((total.long() - spare).clamp(min=1), told)
        return self.budget.share(total, told, place).clamp(min=1)


def _check_keep(keep: int | float) -> None:
    bad = isinstance(keep, bool) or not isinstance(keep, int | float)
    if bad or not keep > 0 or (isinstance(keep, float) and keep > 1):
        raise InvalidInput(
            f"a budget must be tokens kept, at least 1, or a share kept, above 0 and up to 1.0, "
            f"got {keep!r}"
        )
