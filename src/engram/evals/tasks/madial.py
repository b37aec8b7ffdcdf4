"""MADial-Bench: which memory should be brought up now, though nobody asked for it?

Source: He et al., MADial-Bench, NAACL 2025, arXiv:2409.15240.
Differs: the question is the dialogue before the first test turn; later ones repeat the memory.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engram.evals.files import only, read_lines, stamp
from engram.evals.roles import Episode, Probe, Session, Turn

_MARK = re.compile(r"<[BE]OD>")
_DAY = 86_400.0  # seconds


@dataclass(frozen=True, slots=True)
class Madial:
    """The folder with the memories and dialogues of one language. One episode."""

    data: Path
    language: Literal["en", "zh"] = "en"
    name: str = "madial"

    def episodes(self) -> Iterator[Episode]:
        """Yield the one episode: every memory, oldest first, then every dialogue."""
        memories = _file(self.data, f"MADial-Bench-{self.language}-memory.json")
        told = {key: memory for line in read_lines(memories) for key, memory in line.items()}
        sessions = tuple(sorted((_session(key, memory) for key, memory in told.items()), key=_when))
        asked = max(session.at or 0.0 for session in sessions) + _DAY
        dialogues = read_lines(_file(self.data, f"MADial-Bench-{self.language}-dialogue.json"))
        probes = tuple(_probe(f"madial:{i}", d, asked) for i, d in enumerate(dialogues))
        yield Episode(f"madial-{self.language}", sessions, probes)


def _file(data: Path, name: str) -> Path:
    return only(data if data.is_dir() else data.parent, name)


def _session(key: str, memory: Mapping[str, str]) -> Session:
    at = stamp(memory["time"], "%Y-%m-%d")
    return Session(f"S{key}", (Turn(key, memory["event"], at=at),), at)


def _when(session: Session) -> tuple[float, str]:
    return session.at or 0.0, session.id


def _probe(probe_id: str, dialogue: Mapping[str, Any], at: float) -> Probe:
    before = dialogue["dialogue"][: dialogue["test-turn"][0]]
    said = [line.strip() for line in before if not _MARK.match(line)]
    evidence = tuple(str(memory) for memory in dialogue["relevant-id"])
    return Probe(
        id=probe_id,
        question="\n".join(said),
        answer="",
        category=f"{len(evidence)} relevant" if len(evidence) < 4 else "4 or more relevant",
        evidence=evidence,
        evidence_sessions=tuple(f"S{memory}" for memory in evidence),
        at=at,
    )
