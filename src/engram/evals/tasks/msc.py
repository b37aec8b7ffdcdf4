"""Multi-Session Chat: people meet again, and what each told of themselves is written down.

Source: Xu et al. 2022, Beyond Goldfish Memory, ACL 2022, arXiv:2107.07567, with the facts that
    people wrote for each turn.
Differs: a fact is looked up by its own words among the chats of many people, who get names; the
    paper trains a model to write facts and replies.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import Any, TypeAlias

from engram.errors import InvalidInput
from engram.evals.chatter import RELATIONS, small_talk
from engram.evals.files import pick, read_lines
from engram.evals.roles import Episode, Probe, Session, Turn

_FIRST = "Ana Ben Clara David Eva Finn Greta Hugo Ines Jonas Kari Lars Mona Nils Olga Per".split()
_LAST = "Berg Dahl Falk Gran Holm Juul Krog Lund Moe Nord Quist Rask Sand Vik Aas Brandt".split()
_NAMES = tuple(f"{first} {last}" for last, first in product(_LAST, _FIRST))
_MOST = len(_NAMES) // 2  # chats of two people each
_NOW, _DAY, _MINUTE = 1_700_000_000.0, 86_400.0, 60.0  # seconds
_AGO = re.compile(r"(\d+) (hour|day|week|month|year)s?")
_SECONDS = {"hour": 3_600.0, "day": _DAY, "week": 7 * _DAY, "month": 30 * _DAY, "year": 365 * _DAY}
_FACTS: Mapping[str, str] = {
    "home": "I live in {v}.",
    "job": "I work as a {v}.",
    "pet": "I have a {v}.",
    "instrument": "I play the {v}.",
    "allergy": "I am allergic to {v}.",
    "language": "I am learning {v}.",
    "sport": "I do {v}.",
    "car": "I own a {v}.",
}
_ASIDES = (
    "Somebody mentioned {v} on the radio today.",
    "I read a whole article about {v} and forgot it.",
    "Have you ever thought about {v}?",
    "My aunt cannot stop talking about {v}.",
)

Chat: TypeAlias = Mapping[str, Any]
Told: TypeAlias = tuple[str, str]  # turn, empty where only the session is known, and session


@dataclass(frozen=True, slots=True)
class Msc:
    """Facts of turns, or facts of whole sessions, as the file has them.

    Attributes:
        data: a file, or a folder with ``msc_personasummary*``: chats with a fact for a turn, which
            is the evidence. A file of ``msc_dialogue*`` has facts for a session instead.
        pool: chats that one memory hears, at most 128.
    """

    data: Path
    pool: int = 50
    name: str = "msc"

    def __post_init__(self) -> None:
        """Refuse more people than have names."""
        if not 1 <= self.pool <= _MOST:
            raise InvalidInput(f"pool must be 1 to {_MOST} chats, got {self.pool!r}")

    def episodes(self) -> Iterator[Episode]:
        """Yield one episode a pool of chats, in the order of the file."""
        for path in pick(self.data, "msc_personasummary*.jsonl.xz", "msc_personasummary*.jsonl"):
            chats, number = _chats(path), 0
            while pooled := list(islice(chats, self.pool)):
                yield _episode(f"{path.name.partition('.')[0]}:{number}", pooled)
                number += 1


def _chats(path: Path) -> Iterator[Chat]:
    for chat in read_lines(path):
        if not isinstance(chat, dict) or not isinstance(chat.get("dialog"), list):
            raise InvalidInput(
                f"a line of MSC must be a chat with its 'dialog', {str(path)!r} has another; "
                "pass a published session file of Multi-Session Chat"
            )
        yield chat


@dataclass(frozen=True, slots=True)
class MadeChats:
    """Chats of people who tell one thing after the other, in words that the facts do not share.

    Attributes:
        seed: the same seed makes the same chats.
        count: chats, all heard by one memory.
        chatter: turns of small talk a chat, beside those that tell something, and as many that
            only touch upon what others tell.
    """

    seed: int = 0
    count: int = 100
    chatter: int = 6
    name: str = "msc (synthetic twin)"

    def episodes(self) -> Iterator[Episode]:
        """Make one episode."""
        rng = random.Random(self.seed)
        yield _episode(f"msc-{self.seed}", [_made(rng, self.chatter) for _ in range(self.count)])


def _made(rng: random.Random, chatter: int) -> Chat:
    said = [{"text": small_talk(rng)} for _ in range(chatter)]
    said += [{"text": _touched(rng)} for _ in range(chatter)]
    for relation in rng.sample(RELATIONS, 4):
        value = rng.choice(relation.values)
        text = rng.choice(relation.own).format(v=value)
        fact = _FACTS[relation.key].format(v=value)
        said.insert(rng.randrange(len(said) + 1), {"text": text, "persona_text": fact})
    return {"dialog": said}


def _touched(rng: random.Random) -> str:
    """Name what somebody may tell of themselves, and tell nothing."""
    named = rng.choice(rng.choice(RELATIONS).values)
    return rng.choice(_ASIDES).format(v=named)


def _episode(label: str, chats: Sequence[Chat]) -> Episode:
    """A chat of two named people each; what several said in the same words is one question."""
    sessions: list[Session] = []
    told: dict[str, list[Told]] = {}
    for number, chat in enumerate(chats):
        pair = (_NAMES[2 * number], _NAMES[2 * number + 1])
        for place, talk in enumerate((*(chat.get("previous_dialogs") or ()), chat)):
            session = _session(f"S{number}-{place}", talk, pair)
            sessions.append(session)
            facts = _of_turns(talk, session) if talk is chat else _of_sessions(talk, session)
            for fact, where in facts:
                told.setdefault(fact, []).append(where)
    probes = tuple(
        Probe(
            id=f"{label}:{at}",
            question=fact,
            answer="",
            category="facts of turns" if where[0][0] else "facts of sessions",
            evidence=tuple(dict.fromkeys(turn for turn, _ in where if turn)),
            evidence_sessions=tuple(dict.fromkeys(session for _, session in where)),
            at=_NOW + _DAY,
        )
        for at, (fact, where) in enumerate(told.items())
    )
    return Episode(label, tuple(sorted(sessions, key=_when)), probes)


def _when(session: Session) -> tuple[float, str]:
    return session.at or 0.0, session.id


def _session(label: str, talk: Chat, pair: tuple[str, str]) -> Session:
    units = {unit: int(count) for count, unit in _AGO.findall(talk.get("time_back") or "")}
    at = _NOW - sum(count * _SECONDS[unit] for unit, count in units.items())
    turns = tuple(
        Turn(
            f"{label}:{place}",
            said["text"].strip(),
            ("user", "assistant")[place % 2],
            pair[place % 2],
            at + _MINUTE * place,
        )
        for place, said in enumerate(talk["dialog"])
        if said["text"].strip()
    )
    return Session(label, turns, at)


def _of_turns(talk: Chat, session: Session) -> Iterator[tuple[str, Told]]:
    """What somebody wrote down for a turn."""
    known = {turn.id for turn in session.turns}
    for place, said in enumerate(talk["dialog"]):
        turn = f"{session.id}:{place}"
        if turn in known and (fact := said.get("persona_text", "").strip()):
            yield fact, (turn, session.id)


def _of_sessions(talk: Chat, session: Session) -> Iterator[tuple[str, Told]]:
    """What a session was written down to have told of either person."""
    for facts in talk["personas"]:
        for fact in facts:
            yield fact.strip(), ("", session.id)
