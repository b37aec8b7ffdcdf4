"""Words: rows that share rare words with the query, their neighbours in the conversation helping.

Source: Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond", 3.4;
    borrowing counts from neighbours as in Tao et al. 2006, "Language Model Information Retrieval
    with Document Expansion".
Differs: a turn borrows from the turns around it, not from similar texts: a question and its answer
    share few words, so a turn that asks lends more. Statistics are those of the rows that may be
    recalled, so what is hidden or belongs to another scope changes no score.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from engram.plaintext.columns import above_zero
from engram.plaintext.roles import Floats, Mask, Route, Rows, View
from engram.plaintext.text.words import terms
from engram.plaintext.turns import GAP

KERNEL: Mapping[int, float] = {-3: 0.25, -2: 0.25, -1: 0.35, 0: 1.0, 1: 0.45, 2: 0.25, 3: 0.25}
"""Share of a turn's words that count for the turn so many places later: most for the next, which
may answer it."""


@dataclass(frozen=True, slots=True)
class Lexical:
    """BM25 over turns and what stands around them.

    Attributes:
        k1: how fast repetition of a word saturates; above 0.
        b: how much long rows are held back; 0 to 1.
        kernel: places later -> share of a turn's counts lent there; at most ``GAP`` places.
        answer: how much more a turn that asks lends to the turn after it; at least 0.
    """

    relative: ClassVar[bool] = True
    k1: float = 0.9
    b: float = 0.9
    kernel: Mapping[int, float] = field(default_factory=lambda: KERNEL)
    answer: float = 0.5

    def search(self, route: Route, view: View) -> Floats:
        """Return the rows' BM25 as a share of the information in the query's words."""
        turns, live = view.columns.turns, view.live
        known = self._known(view.full)
        eager, norm = turns.pick(known.eager), turns.pick(known.norm)
        total: Floats = np.zeros(turns.size, dtype=np.float32)
        asked = 0.0
        for term, (where, tf) in view.postings(_terms(route)).items():
            idf = known.idf(view.holding(term))
            asked += float(idf)
            held = live[where]
            if held.any():
                lent = self._lend(turns.slot[where[held]], tf[held], eager)
                total += lent * ((1 + self.k1) * idf) / (lent + norm)
        return turns.gather(total, len(live)) * live / max(asked, 1e-6)

    def propose(self, route: Route, view: View, most: int) -> Rows:
        """Return the rows that are best by their own words; neighbours lend nothing."""
        known, slot = self._known(view), view.columns.turns.slot
        total: Floats = np.zeros(len(view.live), dtype=np.float32)
        for where, tf in view.postings(_terms(route)).values():
            held = view.live[where]
            where, tf = where[held], tf[held]
            total[where] += tf * known.idf(len(where)) / (tf + known.norm[slot[where]])
        return above_zero(total, most)

    def _known(self, view: View) -> "_Known":
        """What follows from the live rows alone, kept for the next search: most see the same."""
        live = view.live & (view.columns.length > 0)
        held = view.columns.remembered(repr(self), dict[bytes, _Known])
        key = live.tobytes()
        found = held.get(key) or _Known(int(np.count_nonzero(live)), *self._normed(live, view))
        if key not in held:
            held.clear()
            held[key] = found
        return found

    def _normed(self, live: Mask, view: View) -> tuple[Floats, Floats]:
        turns, columns = view.columns.turns, view.columns
        eager = 1 + np.float32(self.answer) * turns.spread(columns.asks.astype(np.float32))
        # What was made of turns has no neighbours to lend it words, and must not pass for short.
        alone = np.where(columns.of_kind("raw"), 1, sum(self.kernel.values())).astype(np.float32)
        words = turns.spread(columns.length * alone * live)
        length = self._lend(np.arange(turns.size), words, eager)
        heard = turns.spread(live.astype(np.float32)) > 0
        mean = max(float(np.mean(length, where=heard)), 1e-6) if live.any() else 1.0
        # Where nothing was said and b is 1 the norm would be 0, and so would what it divides.
        return eager, np.maximum(self.k1 * (1 - self.b + self.b / mean * length), 1e-6)

    def _lend(self, slots: Rows, counts: Floats, eager: Floats) -> Floats:
        """Counts of distinct slots, and what these lend to the slots around them."""
        out = np.zeros(len(eager) + 2 * GAP, dtype=np.float32)
        for shift, share in self.kernel.items():
            assert abs(shift) <= GAP
            lent = counts * eager[slots] if shift == 1 else counts
            out[slots + (GAP + shift)] += np.float32(share) * lent
        return out[GAP:-GAP]


@dataclass(frozen=True, slots=True)
class _Known:
    """What follows from the rows that are searched.

    Attributes:
        count: how many there are.
        eager: (size,) how much more each turn lends to the next.
        norm: (size,) what holds back long turns; above 0.
    """

    count: int
    eager: Floats
    norm: Floats

    def idf(self, holding: int) -> np.float32:
        """The information in a word that so many rows hold."""
        return np.float32(np.log1p((self.count - holding + 0.5) / (holding + 0.5)))


def _terms(route: Route) -> list[str]:
    found = terms(route.content, query=True)
    return list(dict.fromkeys(found.content or found.stems))
