"""Speakers: rows said by somebody whom the query names.

Source: the house's own measurement on LoCoMo (Maharana et al. 2024, arXiv:2402.17753): a question
    about a person is mostly answered by that person's own words, which rarely hold their name.
Differs: not a published method.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engram.plaintext.roles import Floats, Route, Rows, View
from engram.plaintext.text.words import terms

ASKING = frozenset(terms("ask question wonder inquire request invite suggest propose offer").stems)


@dataclass(frozen=True, slots=True)
class Speakers:
    """Marks the rows of the named speakers.

    Attributes:
        question: what a turn that ends in a question loses, for it seldom holds an answer; 0 to
            1. Nothing is lost when the query itself is about asking.
    """

    relative: ClassVar[bool] = False
    question: float = 0.3

    def search(self, route: Route, view: View) -> Floats:
        """Return 1 for rows of a speaker whom the query names, less for questions, 0 for others."""
        columns = view.columns
        said = columns.said_by(route.people).astype(np.float32)
        if route.people and ASKING.isdisjoint(terms(route.content).stems):
            said[columns.asks] *= np.float32(1 - self.question)
        return said

    def propose(self, route: Route, view: View, most: int) -> Rows:
        """Return nothing: whose words count is no reason to look at all that they said."""
        return np.zeros(0, dtype=np.int64)
