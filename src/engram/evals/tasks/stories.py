"""The twin of bAbI: long stories of a simulated world, with the sentences that answer.

Source: the world of Weston et al. 2015, bAbI, arXiv:1502.05698, section 3; made anew.
Differs: seven of the twenty kinds, and stories of sixty sentences, so that not all of them fit.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from engram.errors import InvalidInput
from engram.evals.roles import Episode, Probe, Session, Turn

_PEOPLE = ("Ruth", "Oskar", "Lena", "Karim", "Yuki", "Tomas")
_ROOMS = ("attic", "cellar", "library", "garage", "veranda", "pantry", "workshop")
_THINGS = ("lamp", "violin", "basket", "kettle", "ladder")
_GOES = ("went to", "moved to", "travelled to", "journeyed to", "went back to")
_NUMBERS = ("none", "one", "two", "three", "four", "five")
_START, _MINUTE = 1_700_000_000.0, 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Stories:
    """One episode a story.

    Attributes:
        seed: the same seed makes the same stories.
        count: stories.
        length: sentences of a story, at least 12.
    """

    seed: int = 0
    count: int = 12
    length: int = 60
    name: str = "babi (synthetic twin)"

    def __post_init__(self) -> None:
        """Refuse stories in which nothing can happen."""
        if self.count < 1 or self.length < 12:
            raise InvalidInput(
                "count must be at least 1 story and length at least 12 sentences, got "
                f"{self.count!r} and {self.length!r}"
            )

    def episodes(self) -> Iterator[Episode]:
        """Make the stories, each from a seed of its own."""
        for number in range(self.count):
            yield _told(random.Random(f"{self.seed}:{number}"), number, self.length)


@dataclass(slots=True)
class _Stage:
    """What is true now, and the number of the sentence that made it so."""

    rng: random.Random
    lines: list[str] = field(default_factory=list)
    rooms: dict[str, tuple[str, int]] = field(default_factory=dict)
    held: dict[str, tuple[str, int]] = field(default_factory=dict)
    lies: dict[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict)
    trail: dict[str, list[tuple[str, tuple[int, ...]]]] = field(default_factory=dict)
    touched: dict[str, dict[str, int]] = field(default_factory=dict)
    given: tuple[str, str, str, int] | None = None

    def say(self, text: str) -> int:
        """Tell a sentence and return its number, from 1."""
        self.lines.append(text)
        return len(self.lines)

    def go(self, who: str) -> None:
        """Somebody walks to another room, with what they carry."""
        here = self.rooms.get(who, ("", 0))[0]
        room = self.rng.choice([each for each in _ROOMS if each != here])
        at = self.say(f"{who} {self.rng.choice(_GOES)} the {room}.")
        self.rooms[who] = (room, at)
        for thing, (holder, taken) in self.held.items():
            if holder == who:
                self.trail.setdefault(thing, []).append((room, (taken, at)))

    def take(self, who: str) -> None:
        """Somebody picks up a thing that nobody carries, where it lies or for the first time."""
        room, came = self.rooms[who]
        free = [each for each in _THINGS if each not in self.held]
        near = [each for each in free if self.lies.get(each, (room,))[0] == room]
        if near:
            thing = self.rng.choice(near)
            at = self.say(f"{who} {self.rng.choice(('took', 'picked up', 'got'))} the {thing}.")
            self.held[thing] = (who, at)
            self.touched.setdefault(who, {})[thing] = at
            self._seen(thing, room, (at, came))

    def leave(self, who: str) -> None:
        """Somebody puts down a thing."""
        if own := [thing for thing, (holder, _) in self.held.items() if holder == who]:
            thing = self.rng.choice(own)
            at = self.say(f"{who} {self.rng.choice(('dropped', 'left', 'put down'))} the {thing}.")
            room, came = self.rooms[who]
            del self.held[thing]
            self.touched[who][thing] = at
            self.lies[thing] = (room, (at, came))
            self._seen(thing, room, (at, came))

    def give(self, who: str, whom: str) -> None:
        """Somebody hands a thing to somebody in the same room."""
        own = [thing for thing, (holder, _) in self.held.items() if holder == who]
        if own and whom != who and self.rooms[who][0] == self.rooms[whom][0]:
            thing = self.rng.choice(own)
            at = self.say(f"{who} gave the {thing} to {whom}.")
            self.held[thing] = (whom, at)
            self.touched[who][thing] = at
            self.touched.setdefault(whom, {})[thing] = at
            self.given = (who, thing, whom, at)

    def _seen(self, thing: str, room: str, lines: tuple[int, ...]) -> None:
        trail = self.trail.setdefault(thing, [])
        if not trail or trail[-1][0] != room:
            trail.append((room, lines))


def _told(rng: random.Random, number: int, length: int) -> Episode:
    stage = _Stage(rng)
    for who in _PEOPLE:
        stage.go(who)
    while len(stage.lines) < length:
        who = rng.choice(_PEOPLE)
        deed = rng.choice((stage.go, stage.go, stage.take, stage.take, stage.leave))
        deed(who)
        stage.give(who, rng.choice(_PEOPLE))
    turns = tuple(
        Turn(str(at), text, at=_START + _MINUTE * at) for at, text in enumerate(stage.lines, 1)
    )
    probes = tuple(
        Probe(
            id=f"story-{number}:{at}",
            question=question,
            answer=answer,
            category=kind,
            evidence=tuple(dict.fromkeys(map(str, lines))),
            evidence_sessions=("S1",),
            at=_START + _MINUTE * (len(turns) + 1),
        )
        for at, (kind, question, answer, lines) in enumerate(_asked(stage))
    )
    return Episode(f"story-{number}", (Session("S1", turns, _START),), probes)


def _asked(stage: _Stage) -> Iterator[tuple[str, str, str, tuple[int, ...]]]:
    """Kind, question, answer and the numbers of the sentences that answer it."""
    for who, (room, at) in stage.rooms.items():
        yield "01 where somebody is", f"Where is {who}?", room, (at,)
    who, (room, at) = stage.rng.choice(list(stage.rooms.items()))
    asked = stage.rng.choice((room, *_ROOMS))
    yield "06 yes or no", f"Is {who} in the {asked}?", "yes" if asked == room else "no", (at,)
    for thing, (holder, taken) in stage.held.items():
        room, came = stage.rooms[holder]
        yield "02 where a thing is", f"Where is the {thing}?", room, (taken, came)
    for thing, (room, lines) in stage.lies.items():
        if thing not in stage.held:
            yield "02 where a thing is", f"Where is the {thing}?", room, lines
    for thing, trail in stage.trail.items():
        rooms = [room for room, _ in trail]
        if len(trail) > 1 and rooms.count(rooms[-1]) == 1:
            question = f"Where was the {thing} before the {rooms[-1]}?"
            yield "03 where a thing was", question, rooms[-2], (*trail[-1][1], *trail[-2][1])
    for who, touched in stage.touched.items():
        own = sorted(thing for thing, (holder, _) in stage.held.items() if holder == who)
        lines = tuple(touched.values())
        yield "07 counting", f"How many objects is {who} carrying?", _NUMBERS[len(own)], lines
        yield "08 lists", f"What is {who} carrying?", ",".join(own) or "nothing", lines
    if stage.given:
        giver, thing, taker, at = stage.given
        yield "05 who gave", f"Who gave the {thing} to {taker}?", giver, (at,)
