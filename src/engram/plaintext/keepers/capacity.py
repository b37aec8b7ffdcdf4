"""A tier that is full archives what has been in it longest.

Source: Li et al. 2025, MemOS, arXiv:2507.03724, and the repository MemTensor/MemOS (version 2):
    long-term memory holds 1,500 items and user memory 480; the oldest make room.
Differs: archived in place of deleted, at most a share of a tier in one run; items at hand and
    frozen ones stay, and what was said is kept whatever becomes of its item.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from engram.plaintext.roles import Edit, EditPlan, State, View
from engram.plaintext.text.tiers import LONG_TERM, USER, standing_in

MOST: Mapping[str, int] = {LONG_TERM: 1_500, USER: 480}
"""Items of each tier."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """Archives what is over the capacity of its tier.

    Attributes:
        tiers: tier -> most items.
        most: share of a tier that one run may archive; 0 to 1.
    """

    tiers: Mapping[str, int] = field(default_factory=lambda: MOST)
    most: float = 0.05

    def keep(self, now: float, view: View) -> EditPlan:
        """Archive the oldest of each tier that is too full."""
        edits = []
        for tier, room in sorted(self.tiers.items()):
            items = standing_in(view, tier)
            over = min(len(items) - room, math.ceil(self.most * len(items)))
            old = [item for item in items if not item.frozen][: max(0, over)]
            edits += [Edit(replace(item, state=State.ARCHIVED), basis=item.version) for item in old]
        return EditPlan(tuple(edits), "capacity", "the oldest of a tier that is full")
