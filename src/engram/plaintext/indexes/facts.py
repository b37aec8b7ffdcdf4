"""Facts: what fills the slot that the query asks for, such as where somebody lives.

Source: Miller et al. 2016, "Key-Value Memory Networks", arXiv:1606.03126, section 3: a triple is
    found by its head and relation and answers with its tail.
Differs: slots are matched exactly, by the router's reading of the query; nothing is learned.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engram.plaintext.roles import Floats, Route, Rows, View


@dataclass(frozen=True, slots=True)
class Facts:
    """Looks slots up.

    Attributes:
        older: what an older fact of the same slot loses to the next newer; 0 to 1.
    """

    relative: ClassVar[bool] = False
    older: float = 0.05

    def search(self, route: Route, view: View) -> Floats:
        """Return 1 for the newest fact in an asked slot, a little less for each older one."""
        scores: Floats = np.zeros(len(view.live), dtype=np.float32)
        columns = view.columns
        for head in route.heads if route.relation else ():
            held = [
                row
                for fact in view.facts(head, route.relation or "")
                for row in columns.versions(fact.id)
                if view.live[row]
            ]
            newest_first = sorted(held, key=lambda row: -columns.valid_from[row])
            for age, row in enumerate(newest_first):
                scores[row] = max(0.0, 1.0 - self.older * age)
        return scores

    def propose(self, route: Route, view: View, most: int) -> Rows:
        """Return the rows of the slot."""
        return np.flatnonzero(self.search(route, view) > 0)[-most:]
