"""engram itself, through its public API, in a store that is thrown away.

Source: this package.
Differs: nothing; the subject sees what any caller sees.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from engram.evals.roles import Found, Session, Stored, Turn
from engram.evals.text import tokens
from engram.memory import Memory
from engram.ports import Embedder

_USER = "evaluation"


class Engram:
    """A memory of one preset. Its clock is the conversation's, so the past is the past.

    Results are read back as the turns that they rest on, in rank order; the first mention
    counts. A result that rests on several turns is paid for once.

    Args:
        preset: see ``Memory.open``.
        embedder: see ``Memory.open``; pass an object to load its model once for many episodes.
        model: see ``Memory.open``.
    """

    ranked = True

    def __init__(
        self,
        preset: str = "hybrid",
        embedder: str | Embedder | None = None,
        model: str | None = "none",
    ) -> None:
        self.name = f"engram {preset}"
        self._now = 0.0
        with ExitStack() as opened:
            folder = opened.enter_context(TemporaryDirectory(prefix="engram-evaluation-"))
            self._folder = Path(folder)
            self._memory = opened.enter_context(
                Memory.open(
                    self._folder / "memory.db",
                    preset=preset,
                    embedder=embedder,
                    model=model,
                    clock=self._clock,
                )
            )
            self.embedder = str(self._memory.stats()["embedder"] or "none")
            self._opened = opened.pop_all()

    def _clock(self) -> float:
        return self._now

    def observe(self, session: Session) -> None:
        """Add the turns as one conversation, dated, with their ids as metadata."""
        self._now = max([self._now, *(turn.at for turn in session.turns if turn.at is not None)])
        messages = [_message(turn) for turn in session.turns]
        self._memory.add(messages, user_id=_USER, run_id=session.id)

    def settle(self) -> None:
        """Finish what was left for later, and search once: a first search reads what it needs."""
        self._memory.tend()
        self._memory.search("anything", user_id=_USER, top_k=1)

    def stored(self) -> Stored:
        """Count records of every kind and state, and the bytes of every file of the store."""
        files = [path for path in self._folder.rglob("*") if path.is_file()]
        records = self._memory.stats(user_id=_USER)["records"]
        calls = sum(spent["calls"] for spent in self._memory.stats()["spending"])
        size = sum(path.stat().st_size for path in files)
        return Stored(sum(records.values()), size, calls)

    def retrieve(self, question: str, k: int, at: float | None) -> Found:
        """Search for k results and return the turns that they rest on, at most k."""
        self._now = max(self._now, at or 0.0)
        answer = self._memory.search(question, user_id=_USER, top_k=k)
        costs: dict[str, int] = {}
        texts: dict[str, str] = {}
        for result in answer["results"]:
            fresh = [turn for turn in _turns(result) if turn not in costs]
            costs.update(dict.fromkeys(fresh, 0))
            texts.update(dict.fromkeys(fresh, result["memory"]))
            if costs:
                costs[fresh[0] if fresh else next(reversed(costs))] += tokens(_shown(result))
        turns = tuple(costs)[:k]
        return Found(
            turns=turns,
            costs=tuple(costs[turn] for turn in turns),
            confidence=answer["confidence"],
            abstain=answer["abstain"],
            texts=tuple(texts[turn] for turn in turns),
        )

    def close(self) -> None:
        """Close the store and delete its folder."""
        self._opened.close()


def _message(turn: Turn) -> dict[str, Any]:
    told = {"role": turn.role, "content": turn.text, "metadata": {"turn": turn.id}}
    optional = {"name": turn.speaker or None, "time": turn.at}
    return told | {key: value for key, value in optional.items() if value is not None}


def _turns(result: Mapping[str, Any]) -> Iterator[str]:
    for source in result["sources"] or (result,):
        if "turn" in source["metadata"]:
            yield source["metadata"]["turn"]


def _shown(result: Mapping[str, Any]) -> str:
    """What a prompt would hold: the memory, with the speaker where it is verbatim."""
    speaker = result["sources"][0]["speaker"] if result["sources"] else None
    return f"{speaker}: {result['memory']}" if speaker else result["memory"]
