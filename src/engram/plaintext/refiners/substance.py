"""Substance: rows that say little, such as greetings and thanks, are held back.

Source: the house's own measurement on LoCoMo; close to the term-count prior of Kraaij, Westerveld
    and Hiemstra 2002, "The Importance of Prior Probabilities for Entry Page Search".
Differs: counts distinct content words and levels off early.
"""

from dataclasses import dataclass

import numpy as np

from engram.plaintext.roles import Floats, Route, Rows, View


@dataclass(frozen=True, slots=True)
class Substance:
    """Damps rows with few content words.

    Attributes:
        share: most of a score that can be lost; 0 to 1.
        enough: distinct content words from which a row loses nothing; above 0.
    """

    share: float = 0.4
    enough: int = 7

    def refine(self, route: Route, scores: Floats, view: View) -> Floats:
        """Scale the scores of rows with text; rows without, such as facts, keep theirs."""
        columns = view.columns
        steps = np.log1p(np.arange(self.enough + 1)) / np.log1p(self.enough)
        kept = (1 - self.share + self.share * steps).astype(np.float32)
        content = np.minimum(columns.content, self.enough).astype(np.intp)
        return scores * np.where(columns.length > 0, kept[content], np.float32(1))

    def reach(self, route: Route, best: Rows, view: View, most: int) -> Rows:
        """Return nothing: no row gains."""
        return np.zeros(0, dtype=np.int64)
