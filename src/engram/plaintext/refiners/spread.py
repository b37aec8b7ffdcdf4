"""Spread: a pair that asks much the same as a better one and answers the same makes room.

Source: Carbonell and Goldstein 1998, "The Use of MMR", SIGIR, section 2: what is like something
    better counts less; for question-answer pairs, Lewis et al. 2021, PAQ, arXiv:2102.07033.
Differs: only pairs are compared, and only with pairs of the same answer: a better pair with another
    answer is no repetition but a contradiction, which somebody should see.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engram.plaintext.columns import highest
from engram.plaintext.roles import Floats, Record, Route, View
from engram.plaintext.text.words import same_text, terms

_NEAR = 0.85  # cosine of two pairs with one answer that say it in other words


@dataclass(frozen=True, slots=True)
class Spread:
    """Lowers the scores of pairs that repeat a better one.

    Attributes:
        same: share of words from which on two pairs of one answer are one; 0 to 1.
        share: of its score that the worse one loses; 0 to 1.
        top: how many of the best pairs are compared.
    """

    same: float = 0.6
    share: float = 0.8
    top: int = 64

    def refine(self, route: Route, scores: Floats, view: View) -> Floats:
        """Keep the best of each group of pairs, and of the messages that say no more than it."""
        rows = np.flatnonzero(view.live & view.columns.of_kind("qa") & (scores > 0))
        best = rows[highest(scores[rows], self.top)]
        held = {record.id: record for record in view.records(best)}
        kept: dict[str, list[int]] = {}
        repeated: list[int] = []
        said: dict[str, Record] = {}
        for row in best[[each in held for each in view.columns.ids[best]]].tolist():
            pair = held[view.columns.ids[row]]
            others = kept.setdefault(same_text(str(pair.fields.get("answer"))), [])
            again = any(self._alike(row, other, held, view) for other in others)
            (repeated if again else others).append(row)
            said |= {source.record: pair for source in pair.sources[0 if again else 1 :]}
        repeated += self._saying(said, view)
        after = scores.copy()
        after[repeated] *= np.float32(1 - self.share)
        return after

    def _alike(self, one: int, other: int, held: Mapping[str, Record], view: View) -> bool:
        columns = view.columns
        ours, theirs = (_words(held[columns.ids[row]]) for row in (one, other))
        shared = len(ours & theirs) / max(1, len(ours | theirs))
        return shared >= self.same or float(columns.vectors[one] @ columns.vectors[other]) >= _NEAR

    def _saying(self, said: Mapping[str, Record], view: View) -> list[int]:
        """Rows of messages that say little more than the pair that was made of each."""
        ids = view.columns.ids
        place = {ids[row]: row for row in np.flatnonzero(view.live) if ids[row] in said}
        rows = []
        for record, raw in view.current(place).items():
            words = set(terms(raw.text).content)
            told = set(terms(said[record].text).content)
            if len(words & told) >= self.same * len(words):
                rows.append(int(place[record]))
        return rows


def _words(pair: Record) -> set[str]:
    return set(terms(str(pair.fields.get("question"))).content)
