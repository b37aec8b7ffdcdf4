"""Plain BM25 over lower-case words: no stems, no stop words, no context.

Source: Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009, section 3.
Differs: the inverse document frequency is kept above zero by adding one inside the logarithm.
"""

from collections import Counter, defaultdict

import numpy as np
from numpy.typing import NDArray

from engram.evals.roles import Found, Session, Stored, Turn
from engram.evals.text import tokens, words


class Bm25:
    """Ranks turns by Okapi BM25; turns that share no word with the question are not returned.

    Args:
        k1: how soon repeats of a word stop counting.
        b: how far a long turn is marked down, 0 to 1.
    """

    name = "bm25"
    embedder = "none"
    ranked = True

    def __init__(self, k1: float = 1.5, b: float = 0.75) -> None:
        self._k1, self._b = k1, b
        self._turns: list[Turn] = []
        self._postings: dict[str, tuple[NDArray[np.int64], NDArray[np.float32]]] = {}

    def observe(self, session: Session) -> None:
        """Keep the turns."""
        self._turns.extend(session.turns)

    def settle(self) -> None:
        """Build the postings: for each word, the turns that hold it and its weight in each."""
        counts = [Counter(words(turn.shown)) for turn in self._turns]
        lengths = np.array([count.total() for count in counts], dtype=np.float32)
        mean = max(1.0, float(lengths.sum()) / max(1, len(counts)))
        pull = self._k1 * (1 - self._b + self._b * lengths / mean)
        held: dict[str, list[int]] = defaultdict(list)
        for row, count in enumerate(counts):
            for word in count:
                held[word].append(row)
        for word, listed in held.items():
            rows = np.array(listed, dtype=np.int64)
            often = np.array([counts[row][word] for row in listed], dtype=np.float32)
            rarity = np.log1p((len(counts) - len(rows) + 0.5) / (len(rows) + 0.5))
            weight = rarity * often * (self._k1 + 1) / (often + pull[rows])
            self._postings[word] = (rows, weight.astype(np.float32))

    def stored(self) -> Stored:
        """Count turns, and the bytes of texts and postings."""
        size = sum(rows.nbytes + weight.nbytes for rows, weight in self._postings.values())
        return Stored(len(self._turns), size + sum(len(t.text.encode()) for t in self._turns))

    def retrieve(self, question: str, k: int, at: float | None) -> Found:  # noqa: ARG002
        """Return the k best turns, the earlier first among equals."""
        scores = np.zeros(len(self._turns), dtype=np.float32)
        for word in words(question):
            if word in self._postings:
                rows, weight = self._postings[word]
                scores[rows] += weight
        best = np.argsort(-scores, kind="stable")[:k]
        found = [self._turns[row] for row in best if scores[row] > 0]
        return Found(tuple(t.id for t in found), tuple(tokens(t.shown) for t in found))

    def close(self) -> None:
        """Forget everything."""
        self._turns.clear()
        self._postings.clear()
