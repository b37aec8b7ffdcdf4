"""Conversations: rows of a conversation that holds a very good row are likelier to matter.

Source: the cluster hypothesis (van Rijsbergen 1979, "Information Retrieval", chapter 3), with
    conversations as clusters, as in LongMemEval's session retrieval (Wu et al. 2024, section 5.2).
Differs: the best row alone speaks for its conversation; it adds to the rows, it does not gate them.
"""

from dataclasses import dataclass

import numpy as np

from engram.plaintext.roles import Floats, Route, Rows, View


@dataclass(frozen=True, slots=True)
class Conversations:
    """Adds a share of the best row of each conversation to all its rows.

    Attributes:
        share: what the rows of the very best conversation gain.
    """

    share: float = 0.45

    def refine(self, route: Route, scores: Floats, view: View) -> Floats:
        """Add the conversation's worth to every live row of it."""
        turns = view.columns.turns
        if not len(turns.rows):
            return scores
        heard = np.where(view.live, scores, 0.0).astype(np.float32)
        best = np.maximum.reduceat(turns.spread(heard), turns.starts)
        top = float(best.max())
        if top <= 0:
            return scores
        worth = best[turns.conversation] * np.float32(self.share / top)
        return scores + turns.gather(worth, len(scores))

    def reach(self, route: Route, best: Rows, view: View, most: int) -> Rows:
        """Return the rows of the conversations of the best rows, as long as there is room."""
        turns = view.columns.turns
        ends = np.append(turns.starts, turns.size)
        found: list[Rows] = []
        for slot in turns.slot[best]:
            number = turns.conversation[slot] if slot >= 0 else -1
            first, last = np.searchsorted(turns.slots, ends[[number, number + 1]])
            if number >= 0 and last - first <= most:
                found.append(turns.rows[first:last])
                most -= last - first
        return np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
