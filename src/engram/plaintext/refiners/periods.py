"""What was said outside the time that a query names falls behind all that was said in it.

Source: Westhäußer et al. 2025, CAIM, arXiv:2505.13044, section 3.2: retrieved entries are filtered
    by the time that the query asks for.
Differs: they get a score of 0 and stand last, so that a caller with a threshold never sees them and
    one without has something to fall back on; where nothing was said in that time, nothing changes.
"""

from dataclasses import dataclass

import numpy as np

from engram.plaintext.roles import Floats, Route, View


@dataclass(frozen=True, slots=True)
class Periods:
    """Takes the score of rows outside the periods of the query.

    Attributes:
        later: days after a period in which it is still talked about.
    """

    later: float = 0.0

    def refine(self, route: Route, scores: Floats, view: View) -> Floats:
        """Scale by whether a row was said in time; rows of an unknown time were not."""
        said = view.columns.event
        inside = np.zeros(len(scores), dtype=bool)
        for period in route.periods:
            inside |= (said >= period.start) & (said < period.end + self.later * 86_400.0)
        if not np.any(inside & view.live & (scores > 0)):
            return scores
        return np.where(inside, scores, np.minimum(scores, np.float32(0)))
