"""What a few sentences about people, rooms and things leave true: who is where with what.

Source: the simulated world of Weston et al. 2015, Towards AI-Complete Question Answering (bAbI),
    arXiv:1502.05698, section 3.
Differs: reads the sentences back; what was not said is not known.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

_WHO = r"(?P<who>[A-Za-z]+(?: and [A-Za-z]+)*)"
_OPENING = re.compile(r"^(?:After that|Afterwards|Following that|Then),? ", re.I)
_WHEN = re.compile(r"\b(yesterday|this morning|this afternoon|this evening)\b", re.I)
_MOVED = re.compile(rf"^{_WHO} (?:went|travelled|journeyed|moved)(?: back)? to the (?P<where>\w+)")
_IN = re.compile(rf"^{_WHO} is in the (?P<where>\w+)")
_EITHER = re.compile(rf"^{_WHO} is either in the (?P<where>\w+) or the (?P<other>\w+)")
_NOT_IN = re.compile(rf"^{_WHO} is (?:no longer|not) in the (?P<where>\w+)")
_TOOK = re.compile(rf"^{_WHO} (?:got|grabbed|took|picked up) the (?P<what>\w+)")
_LEFT = re.compile(rf"^{_WHO} (?:dropped|discarded|left|put down) the (?P<what>\w+)")
_GAVE = re.compile(rf"^{_WHO} (?:gave|passed|handed) the (?P<what>\w+) to (?P<whom>\w+)")
_DAY = ("yesterday", "this morning", "this afternoon", "this evening")


class Gift(NamedTuple):
    """Who gave what to whom."""

    giver: str
    thing: str
    taker: str


@dataclass(slots=True)
class World:
    """What is known after the sentences.

    Attributes:
        places: where somebody may be: one room, or two, or none where that is unknown.
        absent: rooms in which somebody is known not to be.
        held: what somebody carries, in the order in which it was taken.
        trail: the rooms in which a thing has been, in order.
        gifts: in order.
        days: part of the day -> where somebody was then.
    """

    places: dict[str, tuple[str, ...]] = field(default_factory=dict)
    absent: dict[str, set[str]] = field(default_factory=dict)
    held: dict[str, list[str]] = field(default_factory=dict)
    trail: dict[str, list[str]] = field(default_factory=dict)
    gifts: list[Gift] = field(default_factory=list)
    days: dict[str, dict[str, str]] = field(default_factory=dict)

    def carrier(self, thing: str) -> str:
        """Who carries it; nobody: empty."""
        return next((who for who, held in self.held.items() if thing in held), "")

    def where(self, name: str) -> tuple[str, ...]:
        """The rooms in which a person or a thing may be."""
        if holder := self.carrier(name):
            return self.places.get(holder, ())
        return self.places.get(name) or tuple(self.trail.get(name, ())[-1:])


def witnessed(sentences: Sequence[str]) -> World:
    """Follow sentences in order; those about other things are passed over."""
    world, last = World(), ""
    for sentence in sentences:
        day = _WHEN.search(sentence)
        plain = " ".join(_WHEN.sub("", _OPENING.sub("", sentence)).split()).strip(" .,")
        for pattern, happen in _HAPPENINGS:
            if found := pattern.match(plain):
                last = last if found["who"].lower() in ("he", "she", "they") else found["who"]
                for who in last.split(" and "):
                    happen(world, who, found)
                    if day and "where" in found.groupdict():
                        world.days.setdefault(who, {})[day[0].lower()] = found["where"]
                break
    return world


def before(world: World, name: str, place: str) -> str:
    """Where a person or a thing was before it was in a room; empty where that is unknown."""
    told = world.days.get(name, {})
    trail = [told[day] for day in _DAY if day in told] or world.trail.get(name, [])
    at = max((at for at, room in enumerate(trail) if room == place), default=0)
    return trail[at - 1] if at else ""


def _moved(world: World, who: str, found: re.Match[str]) -> None:
    world.places[who] = (found["where"],)
    world.absent.pop(who, None)
    for thing in world.held.get(who, ()):
        _seen(world, thing, found["where"])


def _either(world: World, who: str, found: re.Match[str]) -> None:
    world.places[who] = (found["where"], found["other"])
    world.absent.pop(who, None)


def _not_in(world: World, who: str, found: re.Match[str]) -> None:
    world.places.pop(who, None)
    world.absent[who] = {found["where"]}


def _took(world: World, who: str, found: re.Match[str]) -> None:
    if holder := world.carrier(found["what"]):
        world.held[holder].remove(found["what"])
    world.held.setdefault(who, []).append(found["what"])
    for room in world.places.get(who, ())[:1]:
        _seen(world, found["what"], room)


def _left(world: World, who: str, found: re.Match[str]) -> None:
    if found["what"] in world.held.get(who, ()):
        world.held[who].remove(found["what"])
    for room in world.places.get(who, ())[:1]:
        _seen(world, found["what"], room)


def _gave(world: World, who: str, found: re.Match[str]) -> None:
    world.gifts.append(Gift(who, found["what"], found["whom"]))
    if found["what"] in world.held.get(who, ()):
        world.held[who].remove(found["what"])
    world.held.setdefault(found["whom"], []).append(found["what"])


def _seen(world: World, thing: str, room: str) -> None:
    trail = world.trail.setdefault(thing, [])
    if trail[-1:] != [room]:
        trail.append(room)


_HAPPENINGS = (
    (_EITHER, _either),
    (_NOT_IN, _not_in),
    (_IN, _moved),
    (_MOVED, _moved),
    (_TOOK, _took),
    (_LEFT, _left),
    (_GAVE, _gave),
)
