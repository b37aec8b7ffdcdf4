"""Recency: the fewer turns ago something was said, the likelier it matters.

Source: Wang et al. 2023, SCM, arXiv:2304.13343, section 2.2: the rank of a turn is its recency plus
    its relevance.
Differs: the recency is written out, exp(-rate * turns ago), where the paper leaves it open and the
    published code leaves it out.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engram.plaintext.roles import Floats, Route, View


@dataclass(frozen=True, slots=True)
class Recency:
    """Fades by turns, not by hours: a memory that nobody talked to has forgotten nothing.

    Attributes:
        rate: what a turn costs; above 0.
        reach: turns after which a row is worth nothing.
    """

    relative: ClassVar[bool] = False
    rate: float = 0.05
    reach: int = 60

    def search(self, route: Route, view: View) -> Floats:
        """Return 1 for the last raw row that was said, less for each before it, 0 out of reach."""
        columns = view.columns
        rows = np.flatnonzero(view.live & columns.of_kind("raw"))
        said = np.where(np.isnan(columns.event), columns.known_from, columns.event)[rows]
        ago = np.empty(len(rows))
        ago[np.lexsort((rows, said))[::-1]] = np.arange(len(rows))
        scores: Floats = np.zeros(len(view.live), dtype=np.float32)
        scores[rows] = np.where(ago < self.reach, np.exp(-self.rate * ago), 0)
        return scores
