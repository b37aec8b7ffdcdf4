"""Walk: from the best rated views of conversations along what is associated, then to their turns.

Source: Xu et al. 2025, MemGAS, arXiv:2505.19549: the best nodes of all granularities are the seeds
    of a personalised PageRank that follows a link with probability 0.1; a session is worth the sum
    of its nodes; what bears on the question is then filtered out of the best sessions.
Differs: a session's worth is added to those of its turns whose own words or vectors bear on the
    query, by a cutoff against its best turn, where the paper asks a language model. The nodes
    themselves are not results. A node without links sends the walk back to its beginning.
"""

from dataclasses import dataclass

import numpy as np

from engram.plaintext.roles import Floats, Route, Rows, View
from engram.plaintext.text.graphs import pagerank
from engram.plaintext.text.sittings import LEVELS, sittings


@dataclass(frozen=True, slots=True)
class Walk:
    """Adds to turns what their conversation is worth.

    Attributes:
        seeds: nodes that the walk may begin at: the best.
        follow: chance to go on along a link; 0 is no graph.
        share: what the turns of the very best conversation gain.
        cutoff: share of the score of its conversation's best turn that a turn must have to gain.
    """

    seeds: int = 15
    follow: float = 0.1
    share: float = 0.25
    cutoff: float = 0.3

    def refine(self, route: Route, scores: Floats, view: View) -> Floats:
        """Raise live turns, and put the nodes to 0."""
        columns = view.columns
        nodes = np.flatnonzero(view.live & columns.of_kind(*LEVELS))
        if not len(nodes):
            return scores
        refined = scores.copy()
        refined[nodes] = 0
        sitting = sittings(columns)
        size = int(sitting.max(initial=-1)) + 1
        worth = np.bincount(sitting[nodes], self._shares(scores, nodes, view), minlength=size)
        turns = np.flatnonzero(view.live & columns.of_kind("raw") & (sitting >= 0))
        best = np.zeros(size, dtype=np.float32)
        np.maximum.at(best, sitting[turns], scores[turns])
        bears = scores[turns] >= self.cutoff * best[sitting[turns]]
        top = worth.max(initial=0.0)
        if top > 0:
            gain = np.float32(self.share) * worth[sitting[turns]] / top
            refined[turns] += (gain * bears).astype(np.float32)
        return refined

    def _shares(self, scores: Floats, nodes: Rows, view: View) -> Floats:
        """(nodes,) how much of the walk each node gets."""
        restart = np.maximum(scores[nodes], 0)
        weakest = np.argsort(-restart, kind="stable")[self.seeds :]
        restart[weakest] = 0
        place = np.full(len(scores), -1, dtype=np.int64)
        place[nodes] = np.arange(len(nodes))
        out, into = (place[ends] for ends in view.edges())
        inside = (out >= 0) & (into >= 0)
        out, into = out[inside], into[inside]
        both = np.concatenate([out, into]), np.concatenate([into, out])
        return pagerank(both, restart, self.follow)
