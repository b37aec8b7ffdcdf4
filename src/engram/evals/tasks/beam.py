"""BEAM: user-assistant chats of a hundred thousand tokens and more, ten abilities asked.

Source: Tavakoli et al., BEAM, github.com/mohammadtavakoli78/BEAM.
Differs: reads the flattened form, a chat a line; plan markers at the end of messages are cut off.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from engram.errors import InvalidInput
from engram.evals.files import pick, read_lines, stamp
from engram.evals.hearing import user_turns
from engram.evals.roles import Episode, Probe, Session, Turn

_PLAN = re.compile(r"\s*->->[\s\d,NA/]*\)?\s*$")
_ANSWERS = ("answer", "ideal_answer", "ideal_response", "ideal_summary", "expected_compliance")
_FIELDS = {"chat_id", "messages", "probing_questions"}
_DATE = "%B-%d-%Y"
_DAY = 86_400.0  # seconds


@dataclass(frozen=True, slots=True)
class Beam:
    """The chats of one file, or of every ``beam_*.jsonl.xz`` of a folder.

    Attributes:
        data: the file or the folder.
        assistant_turns: show both sides of the chat; without, only what users say is heard, and
            only what they said is evidence.
    """

    data: Path
    assistant_turns: bool = True
    name: str = "beam"

    def episodes(self) -> Iterator[Episode]:
        """Yield one episode a chat, with its questions by ability."""
        for path in pick(self.data, "beam_*.jsonl.xz", "beam_*.jsonl"):
            for chat in read_lines(path):
                if not isinstance(chat, dict) or not chat.keys() >= _FIELDS:
                    raise InvalidInput(
                        f"a line of BEAM must be a chat with {sorted(_FIELDS)}, {str(path)!r} has "
                        "another; docs/evaluations.md says how to flatten the published chats"
                    )
                episode = _episode(chat)
                yield episode if self.assistant_turns else user_turns(episode)


def _episode(chat: Mapping[str, Any]) -> Episode:
    by_session = groupby(chat["messages"], key=lambda message: message["session"])
    sessions = tuple(_session(number, list(messages)) for number, messages in by_session)
    home = {turn.id: session.id for session in sessions for turn in session.turns}
    asked = max((session.at or 0.0 for session in sessions), default=0.0) + _DAY
    probes = tuple(
        _probe(f"{chat['chat_id']}:{ability}:{index}", ability, entry, home, asked)
        for ability, entries in chat["probing_questions"].items()
        for index, entry in enumerate(entries)
    )
    return Episode(chat["chat_id"], sessions, probes)


def _session(number: int, messages: Sequence[Mapping[str, Any]]) -> Session:
    anchor = next((m["time_anchor"] for m in messages if m["time_anchor"]), None)
    at = stamp(anchor, _DATE) if anchor else None
    turns = tuple(
        Turn(
            id=str(message["id"]),
            text=_PLAN.sub("", message["content"]),
            role=message["role"],
            at=None if at is None else at + second,
        )
        for second, message in enumerate(messages)
    )
    return Session(f"S{number}", turns, at)


def _probe(
    probe_id: str, ability: str, entry: Mapping[str, Any], home: Mapping[str, str], at: float
) -> Probe:
    named = (str(leaf) for leaf in _leaves(entry.get("source_chat_ids")))
    evidence = tuple(dict.fromkeys(turn for turn in named if turn in home))
    return Probe(
        id=probe_id,
        question=entry["question"],
        answer=next((str(entry[key]) for key in _ANSWERS if key in entry), ""),
        category=ability,
        evidence=evidence,
        evidence_sessions=tuple(dict.fromkeys(home[turn] for turn in evidence)),
        at=at,
        answerable=ability != "abstention",
    )


def _leaves(tree: Any) -> Iterator[Any]:
    """Yield the ids of a list, of a dict of lists, or of deeper nests, in order."""
    if isinstance(tree, Mapping):
        tree = list(tree.values())
    if isinstance(tree, list):
        for branch in tree:
            yield from _leaves(branch)
    elif tree is not None:
        yield tree
