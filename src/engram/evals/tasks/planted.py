"""Synthetic twins: planted facts in made chatter, in the shape of a benchmark that is not there.

Source: the categories of LoCoMo (ACL 2024) and LongMemEval (ICLR 2025); the text is made here.
Differs: adds a changed fact to LoCoMo's categories; evidence is known for every question.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from engram.errors import InvalidInput
from engram.evals.chatter import (
    ADVICE,
    AGO,
    COUNTRY_OF,
    EVENTS,
    KIN,
    NAMES,
    PREFERENCES,
    RELATIONS,
    TRIP_ASKED,
    TRIP_SAID,
    TRIPS,
    Relation,
    reply,
    small_talk,
)
from engram.evals.hearing import user_turns
from engram.evals.roles import Episode, Probe, Session, Turn

Twin: TypeAlias = Literal["beam", "lihua", "locomo", "longmemeval", "memorybank-probes"]
_START = datetime(2024, 1, 8, 10, tzinfo=UTC).timestamp()
_DAY = 86_400.0  # seconds
_ABSENT, _CHANGED = 2, 5  # of the relations, drawn at random: so many are not told, these change
_PAIRS = ("lihua", "locomo")  # two people talk; in the others a user and an assistant
_LABELS: Mapping[Twin, Mapping[str, str]] = {
    "beam": {
        "aggregate": "multi_session_reasoning",
        "hop": "multi_session_reasoning",
        "when": "temporal_reasoning",
        "single": "information_extraction",
        "absent": "abstention",
        "update": "knowledge_update",
        "preference": "preference_following",
        "told": "information_extraction",
    },
    "lihua": {
        "aggregate": "Multi",
        "hop": "Multi",
        "when": "Single",
        "world": "Single",
        "single": "Single",
        "absent": "Null",
        "update": "Single",
    },
    "locomo": {
        "aggregate": "1 multi-hop",
        "hop": "1 multi-hop",
        "when": "2 temporal",
        "world": "3 open-domain",
        "single": "4 single-hop",
        "absent": "5 adversarial",
        "update": "update",
    },
    "longmemeval": {
        "aggregate": "multi-session",
        "hop": "multi-session",
        "when": "temporal-reasoning",
        "single": "single-session-user",
        "absent": "single-session-user",
        "update": "knowledge-update",
        "preference": "single-session-preference",
        "told": "single-session-assistant",
    },
    "memorybank-probes": {
        "aggregate": "names no day",
        "hop": "names no day",
        "when": "names no day",
        "single": "names no day",
        "absent": "names no day",
        "update": "names no day",
        "preference": "names no day",
        "told": "names no day",
        "day": "names a day",
    },
}
_FIRST_PERSON = (
    ("does {who}", "do I"),
    ("is {who}", "am I"),
    ("has {who}", "have I"),
    ("did {who}", "did I"),
)


@dataclass(frozen=True, slots=True)
class Planted:
    """Conversations with known answers.

    Attributes:
        twin_of: ``locomo`` and ``lihua`` are chats of two people, the others of a user and an
            assistant. Of ``lihua`` only the session that holds the evidence is named.
        count: episodes.
        sessions: sittings an episode, at least 4.
        chatter: turns of small talk a session, beside the planted ones.
        seed: the same seed makes the same episodes.
        assistant_turns: show both sides; without, only what users say is heard.
    """

    twin_of: Twin = "locomo"
    count: int = 2
    sessions: int = 16
    chatter: int = 12
    seed: int = 0
    assistant_turns: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be made."""
        if self.twin_of not in _LABELS:
            raise InvalidInput(f"twin_of must be one of {sorted(_LABELS)}, got {self.twin_of!r}")
        if self.count < 1 or self.sessions < 4 or self.chatter < 0:
            raise InvalidInput(
                "count must be at least 1, sessions at least 4 and chatter at least 0, got "
                f"{self.count!r}, {self.sessions!r} and {self.chatter!r}"
            )

    @property
    def name(self) -> str:
        """The name of the twin, marked as synthetic."""
        heard = "" if self.assistant_turns else "-user"
        return f"{self.twin_of}{heard} (synthetic twin)"

    def episodes(self) -> Iterator[Episode]:
        """Make the episodes, each from a seed of its own."""
        for index in range(self.count):
            episode = _episode(self, index)
            yield episode if self.assistant_turns else user_turns(episode)


@dataclass(frozen=True, slots=True)
class _Line:
    """Something to be said in a session, by speaker 0 or 1."""

    session: int
    speaker: int
    text: str


@dataclass(frozen=True, slots=True)
class _Ask:
    """A question over lines. The answer to ``when`` is in days, relative to the first line."""

    kind: str
    question: str
    answer: str
    lines: tuple[int, ...]


@dataclass(slots=True)
class _Script:
    """What will be said and asked. ``pair`` are the speakers' names, empty where they have none."""

    rng: random.Random
    sessions: int
    pair: tuple[str, str]
    lines: list[_Line] = field(default_factory=list)
    asks: list[_Ask] = field(default_factory=list)

    def say(self, speaker: int, text: str, session: int | None = None) -> int:
        """Plant a line, anywhere if no session is named, and return its number."""
        where = self.rng.randrange(self.sessions) if session is None else session
        self.lines.append(_Line(where, speaker, text))
        return len(self.lines) - 1

    def ask(self, kind: str, question: str, answer: str, *lines: int) -> None:
        """Plan a question over lines."""
        self.asks.append(_Ask(kind, question, answer, lines))

    def of(self, template: str, speaker: int, kin: str = "") -> str:
        """Ask of a speaker, or of a relative: users of an assistant say I and my."""
        name = self.pair[speaker]
        if name and kin:
            return template.format(who=f"{name}'s {kin}")
        if kin:
            return template.format(who=f"my {kin}")
        for third, first in () if name else _FIRST_PERSON:
            template = template.replace(third, first)
        return template.format(who=name)


def _episode(settings: Planted, index: int) -> Episode:
    rng = random.Random(f"{settings.seed}:{settings.twin_of}:{index}")
    names = rng.sample(NAMES, len(NAMES))
    pair = (names[0], names[1]) if settings.twin_of in _PAIRS else ("", "")
    script = _Script(rng, settings.sessions, pair)
    voices = (0, 1) if settings.twin_of in _PAIRS else (0,)
    _plant_relations(script, voices)
    _plant_strangers(script, names[2:], voices)
    _plant_events(script, voices)
    _plant_trips(script, voices)
    if settings.twin_of not in _PAIRS:
        _plant_assistance(script, dated="day" in _LABELS[settings.twin_of])
    return _perform(script, settings, f"{settings.twin_of}-{settings.seed}-{index}")


def _plant_relations(script: _Script, voices: Sequence[int]) -> None:
    """Single facts, changed facts, and questions about what only the other one said."""
    for place, relation in enumerate(script.rng.sample(RELATIONS, len(RELATIONS))):
        if place < _ABSENT:
            _plant_absent(script, relation, voices)
            continue
        values = script.rng.sample(relation.values, 2 * len(voices))
        for voice in voices:
            old, new = values[2 * voice : 2 * voice + 2]
            _plant_own(script, relation, voice, (old, new if place >= _CHANGED else ""))


def _plant_absent(script: _Script, relation: Relation, voices: Sequence[int]) -> None:
    """Of two speakers only one tells it, and the other is asked for; of one, nobody tells it."""
    asked, *others = script.rng.sample(voices, len(voices))
    lines = [_tell(script, relation, other, relation.values[0]) for other in others]
    script.ask("absent", script.of(relation.asked, asked), "", *lines)


def _tell(script: _Script, relation: Relation, voice: int, value: str) -> int:
    early = script.rng.randrange(script.sessions // 2)
    return script.say(voice, script.rng.choice(relation.own).format(v=value), early)


def _plant_own(script: _Script, relation: Relation, voice: int, said: tuple[str, str]) -> None:
    """Plant an old value and, where there is one, the new one that replaces it."""
    value, newer = said
    line, kind = _tell(script, relation, voice, value), "single"
    if newer:
        late = script.rng.randrange(script.sessions // 2, script.sessions)
        line, kind = script.say(voice, relation.changed.format(v=newer), late), "update"
        value = newer
    script.ask(kind, script.of(relation.asked, voice), value, line)
    if relation.key == "home" and script.pair[voice]:
        question = script.of("Which country does {who} live in now?", voice)
        script.ask("world", question, COUNTRY_OF[value], line)


def _plant_strangers(script: _Script, names: Sequence[str], voices: Sequence[int]) -> None:
    """Relatives: the name in one turn, the fact in another; also the distractors of all else."""
    kin = script.rng.sample(KIN, len(KIN))
    for place, name in enumerate(names[: len(kin)]):
        voice = voices[place % len(voices)]
        named = script.say(voice, f"My {kin[place]} is called {name}, did I ever say?")
        *told, absent = script.rng.sample(RELATIONS, 4)
        for relation in told:
            value = script.rng.choice(relation.values)
            fact = script.say(voice, relation.other.format(who=name, v=value))
            script.ask("single", relation.asked.format(who=name), value, fact)
            question = script.of(relation.asked, voice, kin[place])
            script.ask("hop", question, value, named, fact)
        script.ask("absent", absent.asked.format(who=name), "")


def _plant_events(script: _Script, voices: Sequence[int]) -> None:
    for place, (did, do) in enumerate(script.rng.sample(EVENTS, 6)):
        voice = voices[place % len(voices)]
        phrase, days = script.rng.choice(sorted(AGO.items()))
        line = script.say(voice, f"{phrase} I {did}.")
        question = script.of(f"When did {{who}} {do}?", voice)
        script.ask("when", question, f"-{days}", line)


def _plant_trips(script: _Script, voices: Sequence[int]) -> None:
    places = script.rng.sample(TRIPS, 3 * len(voices))
    for voice in voices:
        gone = places[3 * voice : 3 * voice + 3]
        when = sorted(script.rng.sample(range(script.sessions), 3))
        lines = [
            script.say(voice, script.rng.choice(TRIP_SAID).format(v=place), session)
            for place, session in zip(gone, when, strict=True)
        ]
        script.ask("aggregate", script.of(TRIP_ASKED, voice), ", ".join(gone), *lines)


def _plant_assistance(script: _Script, *, dated: bool) -> None:
    """What only a chat with an assistant has: preferences, and things that it said."""
    for _, said, wish in PREFERENCES:
        line = script.say(0, said)
        script.ask("preference", f"Can you suggest {wish}?", said, line)
    for wish, noun, titles in ADVICE:
        title = script.rng.choice(titles)
        line = script.say(1, f"For {wish}, try {title}.")
        script.ask("told", f"Which {noun} did you recommend to me?", title, line)
        if dated:
            script.ask(
                "day", f"What did you recommend to me on {{day}}, which {noun}?", title, line
            )


def _perform(script: _Script, settings: Planted, label: str) -> Episode:
    """Mix the lines with small talk, session by session, and number the turns."""
    told: dict[int, Turn] = {}
    sessions, at = [], _START
    for number in range(settings.sessions):
        planted = [(i, line) for i, line in enumerate(script.lines) if line.session == number]
        filler = [(-1, _filler(script, settings, i % 2)) for i in range(settings.chatter)]
        mixed = script.rng.sample(planted + filler, len(planted) + len(filler))
        turns = []
        for second, (i, line) in enumerate(mixed):
            turn = _turn(script, line, f"D{number + 1}:{second + 1}", at + second)
            turns.append(turn)
            told[i] = turn
        sessions.append(Session(f"D{number + 1}", tuple(turns), at))
        at += script.rng.randint(2, 9) * _DAY
    probes = tuple(
        _probe(f"{label}:{i}", settings.twin_of, ask, (told, at))
        for i, ask in enumerate(script.asks)
    )
    return Episode(label, tuple(sessions), probes)


def _filler(script: _Script, settings: Planted, speaker: int) -> _Line:
    talk = reply if settings.twin_of not in _PAIRS and speaker == 1 else small_talk
    return _Line(-1, speaker, talk(script.rng))


def _turn(script: _Script, line: _Line, turn_id: str, at: float) -> Turn:
    role = "assistant" if line.speaker else "user"
    return Turn(turn_id, line.text, role, script.pair[line.speaker], at)


def _probe(probe_id: str, twin: Twin, ask: _Ask, told: tuple[Mapping[int, Turn], float]) -> Probe:
    """Name the turns that the lines became. ``told`` are these, and the time of asking."""
    turns, now = told
    evidence = [turns[line] for line in ask.lines]
    question, answer = ask.question, ask.answer
    if ask.kind == "day":
        said = datetime.fromtimestamp(evidence[0].at or 0.0, UTC)
        question = question.format(day=f"{said:%B} {said.day}")
    if ask.kind == "when":
        day = datetime.fromtimestamp((evidence[0].at or 0.0) + int(answer) * _DAY, UTC)
        answer = f"{day.day} {day:%B %Y}"
    return Probe(
        id=f"{probe_id}_abs" if ask.kind == "absent" else probe_id,
        question=question,
        answer=answer,
        category=_LABELS[twin][ask.kind],
        evidence=() if twin == "lihua" else tuple(turn.id for turn in evidence),
        evidence_sessions=tuple(dict.fromkeys(turn.id.partition(":")[0] for turn in evidence)),
        at=now,
        answerable=ask.kind != "absent",
    )
