"""A query that can be answered without memory is not searched for.

Source: Wang et al. 2023, SCM, arXiv:2304.13343, section 2.3, the controller's first question; as
    the decision unit in Westhäußer et al. 2025, CAIM, arXiv:2505.13044, section 3.1.
Differs: cues in the wording and likeness to what is held, in place of a question to a model; in
    doubt memory is searched. The dialogue itself, their short-term memory, is the caller's.
"""

from dataclasses import dataclass, replace

import numpy as np

from engram.plaintext.roles import Mask, Route, Router, View
from engram.plaintext.text.cues import reaches_back
from engram.plaintext.text.words import terms
from engram.ports import Embedder


@dataclass(frozen=True, slots=True)
class Need:
    """Reads a query with another router, and says whether it needs memory at all.

    Attributes:
        reader: reads the query.
        alike: cosine around the mean from which something held may bear on the query.
        known: share of the information in the query's words that must be known for the same.
        embedder: for the likeness; without one the words alone tell.
    """

    reader: Router
    alike: float = 0.35
    known: float = 0.6
    embedder: Embedder | None = None

    def route(self, query: str, now: float, view: View) -> Route:
        """The reader's route, with ``needed`` False where no sign of a need was found."""
        route = self.reader.route(query, now, view)
        asks = bool(route.people or route.periods or reaches_back(query))
        needed = asks or self._is_known(route, view) or self._is_alike(route, view)
        return route if needed else replace(route, needed=False)

    def _is_known(self, route: Route, view: View) -> bool:
        """Whether the memory holds the words of the query; a query of signs alone says nothing."""
        live: Mask = view.live & (view.columns.length > 0)
        count, asked, held = int(live.sum()), 0.0, 0.0
        for rows, _ in view.postings(
            list(dict.fromkeys(terms(route.content, query=True).content))
        ).values():
            having = int(live[rows].sum())
            information = float(np.log1p((count - having + 0.5) / (having + 0.5)))
            asked += information
            held += information if having else 0.0
        return held >= self.known * asked > 0

    def _is_alike(self, route: Route, view: View) -> bool:
        columns = view.columns
        live = view.live & columns.embedded
        if self.embedder is None or not live.any():
            return False
        around = self.embedder.embed([route.content or route.query])[0] - columns.mean
        around /= max(float(np.linalg.norm(around)), 1e-9)
        alike = (columns.vectors @ around - columns.mean @ around) / columns.spread
        return float(alike.max(where=live, initial=0.0)) >= self.alike
