"""Signals: a sum of several signals as a share of what those that exist could give at most.

Source: version 3 of the mem0 repository (2026), mem0ai/mem0: cosine, squashed BM25 and entity share
    are added and divided by 1, 2, 1.5 or 2.5, by which of them exist.
Differs: a signal exists where it could speak for some live row at all; without vectors the cosine
    does not.
"""

from dataclasses import dataclass

import numpy as np

from engram.plaintext.roles import Floats, Route, View
from engram.plaintext.text.entities import asked_of, naming
from engram.plaintext.text.words import terms


@dataclass(frozen=True, slots=True)
class Signals:
    """Divides by the most that the signals of a query can come to.

    Attributes:
        meaning, words, entities: the most that each gives.
    """

    meaning: float = 1.0
    words: float = 1.0
    entities: float = 0.5

    def refine(self, route: Route, scores: Floats, view: View) -> Floats:
        """Return shares; scores that the three signals made end between 0 and 1."""
        vectors = route.vector is not None and bool((view.live & view.columns.embedded).any())
        most = (
            self.meaning * vectors
            + self.words * _stands(route.content, view)
            + self.entities * any(len(naming(name, view)) for name in asked_of(route))
        )
        return scores / np.float32(most or 1.0)


def _stands(text: str, view: View) -> bool:
    """Whether a word of a text stands in some live row."""
    found = terms(text, query=True)
    wanted = view.postings(found.content or found.stems)
    return any(view.live[where].any() for where, _ in wanted.values())
