"""Plain vectors: one for each turn, ranked by cosine, no index, no words.

Source: exact nearest neighbours; the textbook way of retrieval for a prompt.
Differs: nothing known.
"""

import numpy as np

from engram.evals.roles import Found, Session, Stored, Turn
from engram.evals.text import tokens
from engram.ports import Embedder, Vectors


class PlainVectors:
    """Ranks turns by the cosine of their vectors with the question's."""

    name = "vectors"
    ranked = True

    def __init__(self, model: Embedder) -> None:
        self._model = model
        self.embedder = model.name
        self._turns: list[Turn] = []
        self._heard: list[Vectors] = []
        self._vectors: Vectors = np.zeros((0, model.dimension), dtype=np.float32)

    def observe(self, session: Session) -> None:
        """Embed the turns of the session."""
        self._turns.extend(session.turns)
        self._heard.append(self._model.embed([turn.shown for turn in session.turns]))

    def settle(self) -> None:
        """Join the vectors of all sessions."""
        self._vectors = np.concatenate([self._vectors, *self._heard])
        self._heard.clear()

    def stored(self) -> Stored:
        """Count turns, and the bytes of texts and vectors."""
        text = sum(len(turn.text.encode()) for turn in self._turns)
        return Stored(len(self._turns), text + self._vectors.nbytes)

    def retrieve(self, question: str, k: int, at: float | None) -> Found:  # noqa: ARG002
        """Return the k nearest turns, the earlier first among equals."""
        scores = self._vectors @ self._model.embed([question])[0]  # (turns,)
        found = [self._turns[row] for row in np.argsort(-scores, kind="stable")[:k]]
        return Found(tuple(t.id for t in found), tuple(tokens(t.shown) for t in found))

    def close(self) -> None:
        """Forget everything."""
        self._turns.clear()
        self._vectors = self._vectors[:0]
