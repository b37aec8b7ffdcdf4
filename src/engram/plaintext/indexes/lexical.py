"""Words: rows that share rare words with the query, their neighbours in the conversation helping.

Source: Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond", 3.4;
    borrowing counts from neighbours as in Tao et al. 2006, "Language Model Information Retrieval
    with Document Expansion".
Differs: a turn borrows from the turns around it, not from similar texts: a question and its answer
    share few words. Statistics are those of the rows that may be recalled, so what is hidden or
    belongs to another scope changes no score.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from engram.plaintext.roles import Floats, Route, View
from engram.plaintext.text.words import terms
from engram.plaintext.turns import GAP

KERNEL: Mapping[int, float] = {-3: 0.2, -2: 0.2, -1: 0.25, 0: 1.0, 1: 0.35, 2: 0.2, 3: 0.2}
"""Share of a turn's words that count for the turn so many places later: most for the next, which
may answer it."""


@dataclass(frozen=True, slots=True)
class Lexical:
    """BM25 over turns and what stands around them.

    Attributes:
        k1: how fast repetition of a word saturates; above 0.
        b: how much long rows are held back; 0 to 1.
        kernel: places later -> share of a turn's counts lent there; at most ``GAP`` places.
    """

    relative: ClassVar[bool] = True
    k1: float = 0.9
    b: float = 0.6
    kernel: Mapping[int, float] = field(default_factory=lambda: KERNEL)

    def search(self, route: Route, view: View) -> Floats:
        """Return the rows' BM25 as a share of the information in the query's words."""
        wanted = _terms(route)
        turns, columns = view.columns.turns, view.columns
        live = view.live & (columns.length > 0)
        count = int(live.sum())
        length = self._lend(turns.spread(columns.length * live))
        heard = turns.spread(live.astype(np.float32)) > 0
        mean = max(float(np.mean(length, where=heard)), 1e-6) if count else 1.0
        norm: Floats = self.k1 * (1 - self.b + self.b / mean * length)
        total: Floats = np.zeros(turns.size, dtype=np.float32)
        slot = np.zeros(len(live), dtype=np.int64)
        slot[turns.rows] = turns.slots
        asked = 0.0
        for where, tf in view.postings(wanted).values():
            held = live[where]
            where, tf = where[held], tf[held]
            idf = np.float32(np.log1p((count - len(where) + 0.5) / (len(where) + 0.5)))
            asked += float(idf)
            if len(where):
                lent = self._lend_few(slot[where], tf, turns.size)
                total += lent * ((1 + self.k1) * idf) / (lent + norm)
        return turns.gather(total, len(live)) * live / max(asked, 1e-6)

    def _lend(self, values: Floats) -> Floats:
        out = np.zeros_like(values)
        for shift, share in self.kernel.items():
            assert abs(shift) <= GAP
            if shift > 0:
                out[shift:] += np.float32(share) * values[:-shift]
            elif shift < 0:
                out[:shift] += np.float32(share) * values[-shift:]
            else:
                out += np.float32(share) * values
        return out

    def _lend_few(self, slots: np.ndarray, counts: Floats, size: int) -> Floats:
        out = np.zeros(size + 2 * GAP, dtype=np.float32)
        for shift, share in self.kernel.items():
            out[slots + (GAP + shift)] += np.float32(share) * counts  # slots are distinct
        return out[GAP:-GAP]


def _terms(route: Route) -> list[str]:
    found = terms(route.content, query=True)
    return list(dict.fromkeys(found.content or found.stems))
