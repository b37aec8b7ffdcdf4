"""Phrases: rows where two words of the query stand together, as they do in the query.

Source: Metzler and Croft 2005, "A Markov Random Field Model for Term Dependencies", the sequential
    dependence model's ordered pairs.
Differs: pairs are of content words, with the grammar between them left out; a pair counts once.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engram.plaintext.columns import above_zero
from engram.plaintext.roles import Floats, Route, Rows, View
from engram.plaintext.text.words import terms


@dataclass(frozen=True, slots=True)
class Phrases:
    """Sums over the query's word pairs how rare each is.

    Attributes:
        most: pairs that count at most; long queries would drown everything else.
    """

    relative: ClassVar[bool] = False
    most: int = 32

    def search(self, route: Route, view: View) -> Floats:
        """Return for each row the information in its pairs; 1 for a pair that stands once only."""
        live = view.live
        scores: Floats = np.zeros(len(live), dtype=np.float32)
        every = max(2, view.count)
        for pair, (where, _) in view.postings(self._pairs(route)).items():
            if len(where):
                rare = np.log1p(every / max(1, view.holding(pair))) / np.log1p(every)
                scores[where] += np.float32(rare)
        return scores * live

    def propose(self, route: Route, view: View, most: int) -> Rows:
        """Return the rows with the rarest pairs."""
        return above_zero(self.search(route, view), most)

    def _pairs(self, route: Route) -> list[str]:
        return list(dict.fromkeys(terms(route.content, query=True).pairs))[: self.most]
