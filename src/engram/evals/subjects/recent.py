"""Two baselines that do not search: the last k turns, and everything.

Source: the context window itself, as every chat program uses it.
Differs: nothing known.
"""

from engram.evals.roles import Found, Session, Stored, Turn
from engram.evals.text import tokens


class _Transcript:
    """The turns in order, as they were said."""

    embedder = "none"

    def __init__(self) -> None:
        self._turns: list[tuple[Turn, int]] = []

    def observe(self, session: Session) -> None:
        """Keep the turns."""
        self._turns.extend((turn, tokens(turn.shown)) for turn in session.turns)

    def settle(self) -> None:
        """Keep the order of time, whatever came first."""
        self._turns.sort(key=_when)

    def stored(self) -> Stored:
        """Count turns, and the bytes of their texts."""
        return Stored(len(self._turns), sum(len(turn.text.encode()) for turn, _ in self._turns))

    def close(self) -> None:
        """Forget everything."""
        self._turns.clear()


class LastTurns(_Transcript):
    """The last k turns, whatever is asked: what a short window remembers."""

    name = "last-n"
    ranked = True

    def retrieve(self, question: str, k: int, at: float | None) -> Found:  # noqa: ARG002
        """Return the last k turns, the latest first."""
        return _found(self._turns[: -k - 1 : -1])


class FullContext(_Transcript):
    """Every turn, whatever is asked: the ceiling of recall and of cost."""

    name = "full-context"
    ranked = False

    def retrieve(self, question: str, k: int, at: float | None) -> Found:  # noqa: ARG002
        """Return all turns in order; k is ignored."""
        return _found(self._turns)


def _when(kept: tuple[Turn, int]) -> float:
    return kept[0].at or 0.0


def _found(turns: list[tuple[Turn, int]]) -> Found:
    return Found(tuple(turn.id for turn, _ in turns), tuple(cost for _, cost in turns))
