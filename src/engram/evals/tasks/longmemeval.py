"""LongMemEval: one question a history of fifty (S) or five hundred (M) user-assistant sessions.

Source: Wu et al., LongMemEval, ICLR 2025, arXiv:2410.10813.
Differs: session ids are replaced by positions, for those of evidence say so.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engram.errors import InvalidInput
from engram.evals.files import only, read_json, read_lines, stamp
from engram.evals.roles import Episode, Probe, Session, Turn

_WEEKDAY = re.compile(r"\s*\(\w+\)\s*")
_DATE = "%Y/%m/%d %H:%M"


@dataclass(frozen=True, slots=True)
class LongMemEval:
    """The histories of one file.

    Attributes:
        data: an official file (``longmemeval_s*.json``), or a folder that holds one or that
            splits the same fields into ``questions.json`` and ``haystacks.jsonl.gz``.
        assistant_turns: show both sides of the chat. The official protocol of retrieval shows
            the user's only, and leaves out questions whose answer the assistant gave.
    """

    data: Path
    assistant_turns: bool = False
    name: str = "longmemeval"

    def episodes(self) -> Iterator[Episode]:
        """Yield one episode a history, with every question asked of it."""
        for haystack, questions in _histories(self.data):
            yield self._episode(haystack, questions)

    def _episode(
        self, haystack: Mapping[str, Any], questions: Sequence[Mapping[str, Any]]
    ) -> Episode:
        dated = zip(
            haystack["haystack_dates"],
            haystack["haystack_session_ids"],
            haystack["haystack_sessions"],
            strict=True,
        )
        history = sorted(((_time(date), name, said) for date, name, said in dated), key=_when)
        read = [self._session(i, at, said) for i, (at, _, said) in enumerate(history, start=1)]
        sessions = tuple(session for session in read if session.turns)
        return Episode(
            id=str(haystack.get("haystack_id") or haystack["question_id"]),
            conversation=sessions,
            questions=tuple(self._probe(question, history) for question in questions),
        )

    def _session(self, number: int, at: float, said: Sequence[Mapping[str, Any]]) -> Session:
        turns = tuple(
            Turn(f"S{number}:{i}", turn["content"], turn["role"], at=at + i)
            for i, turn in enumerate(said, start=1)
            if self._visible(turn)
        )
        return Session(f"S{number}", turns, at)

    def _visible(self, turn: Mapping[str, Any]) -> bool:
        return bool(turn["content"].strip()) and (self.assistant_turns or turn["role"] == "user")

    def _probe(
        self, question: Mapping[str, Any], history: Sequence[tuple[float, str, Any]]
    ) -> Probe:
        answerable = "_abs" not in question["question_id"]
        gold = set(question["answer_session_ids"]) if answerable else set()
        sessions = [(i, said) for i, (_, name, said) in enumerate(history, 1) if name in gold]
        marked = [
            (f"S{number}:{i}", turn)
            for number, said in sessions
            for i, turn in enumerate(said, start=1)
            if turn.get("has_answer")
        ]
        evidence = tuple(turn_id for turn_id, turn in marked if self._visible(turn))
        hidden = bool(marked) and not evidence
        return Probe(
            id=question["question_id"],
            question=question["question"],
            answer=str(question["answer"]),
            category=question["question_type"],
            evidence=evidence,
            evidence_sessions=() if hidden else tuple(f"S{number}" for number, _ in sessions),
            at=_time(question["question_date"]),
            answerable=answerable,
        )


def _when(dated: tuple[float, str, Any]) -> float:
    return dated[0]


def _time(text: str) -> float:
    return stamp(_WEEKDAY.sub(" ", text), _DATE)


def _histories(data: Path) -> Iterator[tuple[Mapping[str, Any], list[Mapping[str, Any]]]]:
    if data.is_dir() and (data / "questions.json").is_file():
        questions = read_json(data / "questions.json")
        for haystack in read_lines(data / "haystacks.jsonl.gz"):
            own = [q for q in questions if q["haystack_id"] == haystack["haystack_id"]]
            if own:
                yield haystack, own
        return
    path = only(data, "longmemeval*.json")
    for record in read_json(path):
        if "haystack_sessions" not in record:
            raise InvalidInput(
                f"a LongMemEval record must have 'haystack_sessions', {str(path)!r} has one "
                "without; pass an official longmemeval_*.json file"
            )
        yield record, [record]
