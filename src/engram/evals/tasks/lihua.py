"""LiHua-World: a year of one person's chats, a file each; evidence is a file, not a turn.

Source: Fan et al., MiniRAG, arXiv:2501.06713, dataset/LiHua-World.
Differs: evidence in other spellings is repaired, evidence that names no file is dropped.
"""

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engram.errors import InvalidInput
from engram.evals.files import read_json, stamp
from engram.evals.roles import Episode, Probe, Session, Turn

_STAMP = re.compile(r"(\d{8})_(\d{2}):?(\d{2})")
_SAID = re.compile(r"([A-Z][\w ]*?):\s*(.*)")
_DAY = 86_400.0  # seconds
_ARCHIVE, _QUESTIONS = "LiHuaWorld.zip", "query_set.json"


@dataclass(frozen=True, slots=True)
class LiHua:
    """The folder with ``LiHuaWorld.zip`` and ``query_set.json``. One episode."""

    data: Path
    name: str = "lihua"

    def episodes(self) -> Iterator[Episode]:
        """Yield the one episode: every chat, then every question."""
        sessions = tuple(sorted(_sessions(self.data / _ARCHIVE), key=lambda s: (s.at, s.id)))
        known = {session.id for session in sessions}
        asked = max(session.at or 0.0 for session in sessions) + _DAY
        queries = read_json(self.data / _QUESTIONS)
        probes = tuple(_probe(key, query, known, asked) for key, query in queries.items())
        lost = sum(p.answerable and not p.evidence_sessions for p in probes)
        note = f"{lost} questions name no existing file as evidence"
        yield Episode("lihua", sessions, probes, (note,) if lost else ())


def _sessions(archive: Path) -> Iterator[Session]:
    try:
        with zipfile.ZipFile(archive) as packed:
            for name in packed.namelist():
                if name.endswith(".txt"):
                    yield _session(packed.read(name).decode("utf-8"))
    except (OSError, zipfile.BadZipFile) as fault:
        raise InvalidInput(
            f"data must be a folder with {_ARCHIVE} and {_QUESTIONS}, got "
            f"{str(archive.parent)!r} ({fault}); see docs/evaluations.md for where to get it"
        ) from fault


def _session(text: str) -> Session:
    """Read one chat: its time, then a message a line; a line without a name goes on."""
    head, *lines = text.splitlines()
    session_id = _ids(head)[0]
    at = stamp(session_id, "%Y%m%d_%H%M")
    said: list[tuple[str, str]] = []
    for line in filter(str.strip, lines):
        match = _SAID.match(line)
        if match:
            said.append((match[1], match[2].strip()))
        elif said:
            said[-1] = (said[-1][0], f"{said[-1][1]}\n{line.strip()}")
    turns = tuple(
        Turn(
            id=f"{session_id}:{second}",
            text=words,
            role="user" if speaker == "LiHua" else "assistant",
            speaker=speaker,
            at=at + second,
        )
        for second, (speaker, words) in enumerate(said)
    )
    return Session(session_id, turns, at)


def _ids(text: str) -> list[str]:
    return [f"{match[1]}_{match[2]}{match[3]}" for match in _STAMP.finditer(text)]


def _probe(key: str, query: Mapping[str, str], known: set[str], at: float) -> Probe:
    named = dict.fromkeys(found for found in _ids(query["evidence"] or "") if found in known)
    return Probe(
        id=f"lihua:{key}",
        question=query["question"],
        answer=query["answer"],
        category=query["type"],
        evidence_sessions=tuple(named),
        at=at,
        answerable=query["type"] != "Null",
    )
