"""MemDaily: short Chinese diaries, a question each, in six kinds from simple to noisy.

Source: Zhang et al., MemSim, arXiv:2409.20163.
Differs: the choices of answers are not shown; evidence is scored.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from engram.evals.files import pick, read_lines, stamp
from engram.evals.roles import Episode, Probe, Session, Turn

_WEEKDAY = re.compile(r"\s*周.\s*")
_DATE = "%Y年%m月%d日 %H:%M"


@dataclass(frozen=True, slots=True)
class MemDaily:
    """The diaries of one file, or of every ``memdaily*.jsonl.xz`` of a folder."""

    data: Path
    name: str = "memdaily"

    def episodes(self) -> Iterator[Episode]:
        """Yield one episode a diary."""
        for path in pick(self.data, "memdaily*.jsonl.xz", "memdaily*.jsonl"):
            for diary in read_lines(path):
                yield _episode(diary)


def _episode(diary: Mapping[str, Any]) -> Episode:
    label = f"{diary['file']}:{diary['tid']}"
    turns = [_turn(message) for message in diary["message_list"]]
    by_day = groupby(turns, key=lambda turn: (turn.at or 0.0) // 86_400)
    sessions = tuple(
        Session(f"S{number}", tuple(said), day * 86_400)
        for number, (day, said) in enumerate(by_day, start=1)
    )
    home = {turn.id: session.id for session in sessions for turn in session.turns}
    probes = tuple(
        _probe(f"{label}:{question['qid']}", diary["file"], question, home)
        for question in diary["question_list"]
    )
    return Episode(label, sessions, probes)


def _turn(message: Mapping[str, Any]) -> Turn:
    return Turn(str(message["mid"]), message["message"], at=_time(message["time"]))


def _time(text: str) -> float:
    return stamp(_WEEKDAY.sub(" ", text), _DATE)


def _probe(probe_id: str, kind: str, question: Mapping[str, Any], home: Mapping[str, str]) -> Probe:
    evidence = tuple(str(mid) for mid in question["target_step_id"] if str(mid) in home)
    return Probe(
        id=probe_id,
        question=question["question"],
        answer=str(question["answer"]),
        category=kind.rpartition("_")[0],
        evidence=tuple(dict.fromkeys(evidence)),
        evidence_sessions=tuple(dict.fromkeys(home[turn] for turn in evidence)),
        at=_time(question["time"]),
    )
