"""Linked: what is linked with a good hit is brought along, whatever the query says.

Source: Xu et al. 2025, A-MEM, arXiv:2502.12110, section 3.4: the notes that are linked with a
    retrieved note are retrieved with it.
Differs: a brought note is worth a share of its hit, so that it takes its place among the others
    instead of standing behind them. The published code cuts before it expands and so shows no
    linked note. Links are followed both ways, from the best rows only.
"""

from dataclasses import dataclass

import numpy as np

from engram.plaintext.columns import highest
from engram.plaintext.roles import Floats, Route, View


@dataclass(frozen=True, slots=True)
class Linked:
    """Raises what is linked with the best hits.

    Attributes:
        hits: how many of the best results are followed; results that rest on one raw record are
            one.
        share: of the hit's score that a row one link away gets at least; 0 to 1.
        hops: links that are followed one after the other.
    """

    hits: int = 10
    share: float = 0.6
    hops: int = 1

    def refine(self, route: Route, scores: Floats, view: View) -> Floats:
        """Raise linked rows to a share of the best row that leads to them; lower none."""
        sources, targets = view.edges()
        if not len(sources):
            return scores
        group = view.columns.group
        out, into = np.concatenate([sources, targets]), np.concatenate([targets, sources])
        worth = self._worth(scores, view)
        raised = scores.copy()
        for _ in range(self.hops):
            # A raw record and its note are one result: either may be the hit, the note has links.
            brought = np.float32(self.share) * worth[group[out]]
            after = worth.copy()
            np.maximum.at(after, group[into], brought)
            np.maximum.at(raised, into[brought > 0], brought[brought > 0])
            worth = after
        return raised

    def _worth(self, scores: Floats, view: View) -> Floats:
        """(groups,) score of the best row of each of the best results, 0 for all others."""
        group = view.columns.group
        rows = np.flatnonzero(view.live & (scores > 0))
        best = np.zeros(int(group.max(initial=-1)) + 1, dtype=np.float32)
        np.maximum.at(best, group[rows], scores[rows])
        kept = highest(best, self.hits)
        worth = np.zeros_like(best)
        worth[kept] = best[kept]
        return worth
