"""Bridges: rows about a name that the best rows bring up and the query does not hold.

Source: Chen et al. 2023, QAMAT, arXiv:2204.04581, section 3.4 (QAMAT+: what the first round found
    augments the query of the second).
Differs: no model; only names are carried over, and the second round asks for rows about a name
    that hold what the row which brought it up leaves open of the query.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from engram.plaintext.columns import highest
from engram.plaintext.roles import Floats, Record, Route, Rows, View
from engram.plaintext.text.names import names
from engram.plaintext.text.words import terms

_LONG = 60.0  # words; in a row of that length one mention counts half


@dataclass(frozen=True, slots=True)
class Bridges:
    """Adds to rows that a name ties to one of the best rows.

    Attributes:
        share: what the best tied row gains.
        top: how many of the best rows are followed.
        opened: share of the gain that depends on how much of the open query a row holds; 0 to 1.
        common: share of the rows from which on a name is too common to tie anything; 0 to 1.
        most: names of one row that are followed.
    """

    share: float = 0.9
    top: int = 2
    opened: float = 0.6
    common: float = 0.02
    most: int = 24

    def refine(self, route: Route, scores: Floats, view: View) -> Floats:
        """Add the gains; scores stay as they are where no name leads anywhere."""
        heard = np.where(view.live, scores, 0.0).astype(np.float32)
        best = highest(heard, self.top)
        best = best[heard[best] > 0]
        if not len(best):
            return scores
        held = {record.id: record for record in view.records(best)}
        gain = np.zeros(len(scores), dtype=np.float32)
        for row in best:
            if record := held.get(view.columns.ids[row]):
                open_ = self._open(route, record, view)
                tied = self._tied(route, record, view) * (1 - self.opened + self.opened * open_)
                tied[row] = 0.0
                gain = np.maximum(gain, tied * heard[row] / heard[best[0]])
        top = float(gain.max())
        return scores + np.float32(self.share / top) * gain if top > 0 else scores

    def reach(self, route: Route, best: Rows, view: View, most: int) -> Rows:
        """Return the rows that hold a name of one of the best rows, of rare names first."""
        held = {record.id: record for record in view.records(best[: self.top])}
        found = [
            _holding(words, view)
            for record in held.values()
            for words in _names(route, record.text, self.most)
        ]
        found = [each for each in found if 1 < each[0] <= self._common(view)]
        rows = [rows for _, rows, _ in sorted(found, key=lambda each: each[0])]
        return np.unique(np.concatenate(rows)[:most]) if rows else np.zeros(0, dtype=np.int64)

    def _tied(self, route: Route, record: Record, view: View) -> Floats:
        """(N,) how much each row is about a name of the record; at most 1."""
        live, length, every = view.live, view.columns.length, max(2, view.count)
        tied = np.zeros(len(live), dtype=np.float32)
        for words in _names(route, record.text, self.most):
            holding, rows, counts = _holding(words, view)
            if 1 < holding <= self._common(view):
                counts, rows = counts[live[rows]], rows[live[rows]]
                rare = np.log1p(every / holding) / np.log1p(every)
                about = np.float32(rare) * counts / (counts + length[rows] / _LONG)
                tied[rows] = np.maximum(tied[rows], about)
        return tied

    def _common(self, view: View) -> float:
        """Rows from which on a name ties nothing."""
        return self.common * max(2, view.count) + 2

    def _open(self, route: Route, record: Record, view: View) -> Floats:
        """(N,) share of the query's information that each row holds and the record does not."""
        there = set(terms(record.text).stems)
        wanted = [word for word in _content(route.content) if word not in there]
        every = max(2, view.count)
        found = np.zeros(len(view.live), dtype=np.float32)
        total = 0.0
        for word, (rows, _) in view.postings(wanted).items():
            rare = float(np.log1p(every / max(1, view.holding(word))))
            found[rows] += np.float32(rare)
            total += rare
        return found / max(total, 1e-6)


def _content(text: str) -> list[str]:
    return list(dict.fromkeys(terms(text, query=True).content))


def _names(route: Route, text: str, most: int) -> Iterator[tuple[str, ...]]:
    """The names in a text as index terms, without those that the query holds."""
    known = set(terms(route.query).stems)
    found = dict.fromkeys(tuple(terms(name.text).content) for name in names(text)[:most])
    return (words for words in found if words and not known.issuperset(words))


def _holding(words: tuple[str, ...], view: View) -> tuple[int, Rows, Floats]:
    """Rows that hold all words of a name one behind the other, and how often the first two.

    The number before them is how many live rows of the full view do.
    """
    wanted = [f"{a}_{b}" for a, b in pairwise(words)] or list(words)
    if len(wanted) == 1:
        return (view.holding(wanted[0]), *view.postings(wanted)[wanted[0]])
    everywhere, _ = _common(wanted, view.full)
    holding = int(np.count_nonzero(view.full.live[everywhere]))
    return (holding, *_common(wanted, view))


def _common(wanted: list[str], view: View) -> tuple[Rows, Floats]:
    """Rows that hold all terms, and how often the first."""
    postings = view.postings(wanted)
    rows, counts = postings[wanted[0]]
    for term in wanted[1:]:
        kept = np.isin(rows, postings[term][0], assume_unique=True)
        rows, counts = rows[kept], counts[kept]
    return rows, counts
