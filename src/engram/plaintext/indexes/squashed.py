"""Squashed words: BM25 through a sigmoid, whose middle moves with the length of the query.

Source: version 3 of the mem0 repository (2026), mem0ai/mem0: a keyword score beside a cosine, each
    between 0 and 1.
Differs: BM25 is that of the rows that may be recalled, over the house's stems; a row without a word
    of the query gets 0, where the sigmoid alone would give it a little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engram.plaintext.roles import Floats, Route, View
from engram.plaintext.text.words import terms

SHAPES: tuple[tuple[float, float, float], ...] = (
    (3, 5.0, 0.7),
    (6, 7.0, 0.6),
    (9, 9.0, 0.5),
    (15, 10.0, 0.5),
    (float("inf"), 12.0, 0.5),
)
"""Words of a query up to which a shape holds; the raw score that becomes a half; how steep."""


@dataclass(frozen=True, slots=True)
class Squashed:
    """BM25 between 0 and 1, without regard to the other rows.

    Attributes:
        k1: how fast repetition of a word saturates; above 0.
        b: how much long rows are held back; 0 to 1.
        shapes: see ``SHAPES``.
    """

    relative: ClassVar[bool] = False
    k1: float = 1.5
    b: float = 0.75
    shapes: Sequence[tuple[float, float, float]] = SHAPES

    def search(self, route: Route, view: View) -> Floats:
        """Return 0 for rows without a word of the query, up to 1 for those that say all of it."""
        found = terms(route.content, query=True)
        wanted = list(dict.fromkeys(found.content or found.stems))
        live = view.live & (view.columns.length > 0)
        count = max(1, int(live.sum()))
        mean = max(float(view.columns.length[live].sum()) / count, 1e-6)
        norm = self.k1 * (1 - self.b + self.b / mean * view.columns.length)
        raw = np.zeros(len(live), dtype=np.float32)
        for where, often in view.postings(wanted).values():
            where, often = where[live[where]], often[live[where]]
            idf = np.log1p((count - len(where) + 0.5) / (len(where) + 0.5))
            raw[where] += (idf * (self.k1 + 1) * often / (often + norm[where])).astype(np.float32)
        return np.where(raw > 0, self.squash(raw, len(wanted)), 0).astype(np.float32)

    def squash(self, raw: Floats, words: int) -> Floats:
        """Raw scores of a query of so many words, between 0 and 1."""
        middle, steep = next((m, s) for most, m, s in self.shapes if words <= most)
        squashed: Floats = 1 / (1 + np.exp(-steep * (raw - np.float32(middle))))
        return squashed
