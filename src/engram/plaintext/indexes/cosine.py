"""Plain meaning: the cosine between a row and the query, as it is, from a threshold on.

Source: Karpukhin et al. 2020, "Dense Passage Retrieval", arXiv:2004.04906, equation 1; the
    threshold is that of version 3 of the mem0 repository (2026).
Differs: exact; below the threshold this channel says nothing, and others may still propose the row.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engram.plaintext.roles import Floats, Route, View


@dataclass(frozen=True, slots=True)
class Cosine:
    """Rates rows by their vectors alone.

    Attributes:
        least: cosine from which a row is proposed; 0 to 1.
    """

    relative: ClassVar[bool] = False
    least: float = 0.1

    def search(self, route: Route, view: View) -> Floats:
        """Return the rows' cosines, 0 below the threshold."""
        live = view.live & view.columns.embedded
        if route.vector is None:
            return np.zeros(len(live), dtype=np.float32)
        similar: Floats = view.columns.vectors @ route.vector
        return np.where(live & (similar >= self.least), similar, 0).astype(np.float32)
