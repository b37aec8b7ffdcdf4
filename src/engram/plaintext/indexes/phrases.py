"""Phrases: rows where two words of the query stand together, as they do in the query.

Source: Metzler and Croft 2005, "A Markov Random Field Model for Term Dependencies", the sequential
    dependence model's ordered pairs.
Differs: pairs are of content words, with the grammar between them left out; a pair counts once.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engram.plaintext.roles import Floats, Route, View
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
        pairs = list(dict.fromkeys(terms(route.content, query=True).pairs))[: self.most]
        every = max(2, int(live.sum()))
        for where, _ in view.postings(pairs).values():
            where = where[live[where]]
            if len(where):
                scores[where] += np.float32(np.log1p(every / len(where)) / np.log1p(every))
        return scores
