"""Times: rows said in the time that the query is about, or told soon after.

Source: Wu et al. 2024, LongMemEval, arXiv:2410.10813, section 5.4 (time-aware query expansion).
Differs: a soft preference, never a filter; what happened on a day is often told in the week after.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engram.plaintext.roles import Floats, Route, Rows, View

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Times:
    """Rates rows by when they were said.

    Attributes:
        later: days after a single day in which it is still talked about.
        late: what rows of these days are worth; 0 to 1.
    """

    relative: ClassVar[bool] = False
    later: float = 7.0
    late: float = 0.8

    def search(self, route: Route, view: View) -> Floats:
        """Return 1 for rows inside a period of the query, less for rows soon after a day."""
        said = view.columns.event
        scores: Floats = np.zeros(len(said), dtype=np.float32)
        for period in route.periods:
            inside = (said >= period.start) & (said < period.end)
            scores[inside] = 1.0
            if period.end - period.start <= DAY:
                after = (said >= period.end) & (said < period.end + self.later * DAY)
                scores[after] = np.maximum(scores[after], self.late)
        return scores

    def propose(self, route: Route, view: View, most: int) -> Rows:
        """Return the rows of a short time; of a long one, others tell what matters in it."""
        rows = np.flatnonzero(view.live & (self.search(route, view) > 0)) if route.periods else ()
        return np.array(rows if len(rows) <= most else (), dtype=np.int64)
