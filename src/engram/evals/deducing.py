"""Answers to the questions of bAbI by rules, from sentences in order of time and nothing else.

Source: Weston et al. 2015, Towards AI-Complete Question Answering (bAbI), arXiv:1502.05698.
Differs: no reader is learned; what the sentences do not tell is answered with nothing.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from engram.evals.happenings import before, witnessed
from engram.evals.roles import Probe, Turn

Rule: TypeAlias = Callable[[re.Match[str], Sequence[str]], str]

_NUMBERS = ("none", "one", "two", "three", "four", "five")
_PLURALS = {"mice": "mouse", "wolves": "wolf"}
_WISHES = {"bored": "garden", "thirsty": "kitchen", "tired": "bedroom", "hungry": "kitchen"}
_GOT = {"football": "bored", "milk": "thirsty", "apple": "hungry", "pajamas": "tired"}
_WAYS = {"north": (0, 1), "south": (0, -1), "east": (1, 0), "west": (-1, 0)}
_SIDES = {"to the right of": (1, 0), "to the left of": (-1, 0), "above": (0, 1), "below": (0, -1)}
_OPPOSITE = {"north": "south", "south": "north", "east": "west", "west": "east"}

Step: TypeAlias = tuple[int, int]


def exactly(probe: Probe, turns: Sequence[Turn]) -> float:
    """Whether the rules, given these turns in order of time, answer as the data does."""
    told = [turn.text for turn in sorted(turns, key=_when)]
    return float(_parts(deduced(probe.question, told)) == _parts(probe.answer))


def _when(turn: Turn) -> float:
    return turn.at or 0.0


def _parts(answer: str) -> list[str]:
    """A list in any order, a way in its own."""
    parts = answer.lower().split(",")
    return parts if all(len(part) == 1 for part in parts) else sorted(parts)


def deduced(question: str, told: Sequence[str]) -> str:
    """The answer; empty where the sentences do not tell it.

    Args:
        question: in one of the forms of the twenty tasks.
        told: sentences, the oldest first.
    """
    for pattern, rule in _RULES:
        if found := pattern.match(question.strip()):
            return rule(found, told)
    return ""


def _where(found: re.Match[str], told: Sequence[str]) -> str:
    rooms = witnessed(told).where(found["name"])
    return rooms[0] if len(rooms) == 1 else ""


def _before(found: re.Match[str], told: Sequence[str]) -> str:
    return before(witnessed(told), found["name"], found["place"])


def _is_in(found: re.Match[str], told: Sequence[str]) -> str:
    world = witnessed(told)
    rooms = world.where(found["name"])
    if rooms:
        known = len(rooms) == 1 or found["place"] not in rooms
        return "maybe" if not known else "yes" if found["place"] in rooms else "no"
    return "no" if found["place"] in world.absent.get(found["name"], ()) else ""


def _how_many(found: re.Match[str], told: Sequence[str]) -> str:
    return _NUMBERS[min(len(_held(found["name"], told)), len(_NUMBERS) - 1)]


def _carried(found: re.Match[str], told: Sequence[str]) -> str:
    return ",".join(_held(found["name"], told)) or "nothing"


def _held(name: str, told: Sequence[str]) -> list[str]:
    return witnessed(told).held.get(name, [])


def _given(found: re.Match[str], told: Sequence[str]) -> str:
    """What the newest gift that fits the question says of the part that is asked for."""
    known = {part: said for part, said in found.groupdict().items() if said and part != "asked"}
    for gift in reversed(witnessed(told).gifts):
        parts = gift._asdict()
        if all(parts[part] == said for part, said in known.items()):
            return str(next(parts[part] for part in _ASKED[found["asked"]] if part not in known))
    return ""


_ASKED: Mapping[str, tuple[str, ...]] = {
    "What did": ("thing",),
    "Who gave": ("giver",),
    "Who received": ("taker",),
    "Who did": ("taker",),
}


def _beside(found: re.Match[str], told: Sequence[str]) -> str:
    """What is west of the kitchen, or what the kitchen is west of."""
    place = found["place"] or found["of"]
    way = found["way"] or _OPPOSITE.get(found["other"], "")
    return next((a for a, b, side in _sides(told) if (b, side) == (place, way)), "")


def _sides(told: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Every neighbour, seen from both: the first is on that side of the second."""
    for sentence in told:
        if found := re.match(r"The (\w+) is (\w+) of the (\w+)", sentence):
            yield found[1], found[3], found[2]
            yield found[3], found[1], _OPPOSITE.get(found[2], "")


def _afraid(found: re.Match[str], told: Sequence[str]) -> str:
    animal = _kinds(told).get(found["name"].lower(), "")
    said = " ".join(told)
    fears = re.findall(r"(\w+) are afraid of (\w+)", said)
    return next((_single(feared) for who, feared in fears if _single(who) == animal), "")


def _single(plural: str) -> str:
    name = plural.lower()
    return _PLURALS.get(name, name if name == "sheep" else name.removesuffix("s"))


def _kinds(told: Sequence[str]) -> dict[str, str]:
    found = (re.match(r"(\w+) is an? (\w+)", sentence) for sentence in told)
    return {match[1].lower(): match[2] for match in found if match}


def _colour(found: re.Match[str], told: Sequence[str]) -> str:
    """The colour of another of its kind, the one that was told last."""
    kinds = _kinds(told)
    said = [match for text in told if (match := re.match(r"(\w+) is (?!an? )(\w+)", text))]
    alike = [m[2] for m in said if kinds.get(m[1].lower()) == kinds.get(found["name"].lower(), "?")]
    return alike[-1] if alike else ""


def _side(found: re.Match[str], told: Sequence[str]) -> str:
    """Whether one figure lies on that side of another, over as many steps as there are."""
    links: dict[str, list[tuple[str, Step]]] = {}
    for sentence in told:
        if match := _FIGURES.match(sentence):
            x, y = _SIDES[match["side"]]
            links.setdefault(match["other"], []).append((match["name"], (x, y)))
            links.setdefault(match["name"], []).append((match["other"], (-x, -y)))
    spots = {found["other"]: (0, 0)}
    queue = deque(spots)
    while queue:
        here = queue.popleft()
        for name, (x, y) in links.get(here, ()):
            if name not in spots:
                spots[name] = (spots[here][0] + x, spots[here][1] + y)
                queue.append(name)
    if found["name"] not in spots:
        return ""
    (x, y), (ahead, above) = spots[found["name"]], _SIDES[found["side"]]
    return "yes" if x * ahead + y * above > 0 else "no"


def _bigger(found: re.Match[str], told: Sequence[str]) -> str:
    """Whether one thing is bigger than another, or fits into it: what fits is smaller."""
    larger: dict[str, set[str]] = {}
    for sentence in told:
        if match := re.match(r"The (?P<a>.+) fits inside the (?P<b>.+)\.", sentence):
            larger.setdefault(match["a"], set()).add(match["b"])
        if match := re.match(r"The (?P<b>.+) is bigger than the (?P<a>.+)\.", sentence):
            larger.setdefault(match["a"], set()).add(match["b"])
    small, big = found["small"] or found["less"], found["big"] or found["more"]
    told_so, other = _reaches(larger, small, big), _reaches(larger, big, small)
    return "yes" if told_so else "no" if other else ""


def _reaches(links: Mapping[str, set[str]], start: str, goal: str) -> bool:
    seen, queue = {start}, deque([start])
    while queue:
        for name in links.get(queue.popleft(), set()) - seen:
            seen.add(name)
            queue.append(name)
    return goal in seen and goal != start


def _way(found: re.Match[str], told: Sequence[str]) -> str:
    """The shortest way between two rooms, as letters of the compass."""
    ways = {found["start"]: ""}
    queue = deque(ways)
    steps = list(_sides(told))
    while queue:
        here = queue.popleft()
        for room, seen_from, side in steps:
            if seen_from == here and room not in ways:
                ways[room] = f"{ways[here]},{side[:1]}".strip(",")
                queue.append(room)
    return ways.get(found["goal"], "")


def _goes(found: re.Match[str], told: Sequence[str]) -> str:
    return _WISHES.get(_state(found["name"], told), "")


def _why(found: re.Match[str], told: Sequence[str]) -> str:
    """What somebody was like who went somewhere, or took what belongs to that."""
    state = _state(found["name"], told)
    return state if state in _WISHES else _GOT.get(found["thing"] or "", "")


def _state(name: str, told: Sequence[str]) -> str:
    said = [re.match(rf"{name} is (\w+)\.", sentence, re.I) for sentence in told]
    states = [match[1] for match in said if match]
    return states[-1] if states else ""


_FIGURES = re.compile(rf"The (?P<name>.+) is (?P<side>{'|'.join(_SIDES)}) the (?P<other>.+)\.")
_FORMS: tuple[tuple[str, Rule], ...] = (
    (r"Where (?:was|is) (?:the )?(?P<name>\w+) before the (?P<place>\w+)\?", _before),
    (r"Where is (?:the )?(?P<name>\w+)\?", _where),
    (r"Is (?P<name>\w+) in the (?P<place>\w+)\?", _is_in),
    (r"How many objects is (?P<name>\w+) carrying\?", _how_many),
    (r"What is (?P<name>\w+) carrying\?", _carried),
    (r"(?P<asked>What did) (?P<giver>\w+) give to (?P<taker>\w+)\?", _given),
    (r"(?P<asked>Who gave) the (?P<thing>\w+)(?: to (?P<taker>\w+))?\?", _given),
    (r"(?P<asked>Who received) the (?P<thing>\w+)\?", _given),
    (r"(?P<asked>Who did) (?P<giver>\w+) give the (?P<thing>\w+) to\?", _given),
    (r"What is (?P<name>\w+) afraid of\?", _afraid),
    (r"What colou?r is (?P<name>\w+)\?", _colour),
    (
        r"What is (?:the (?P<place>\w+) (?P<other>\w+) of|(?P<way>\w+) of the (?P<of>\w+))\?",
        _beside,
    ),
    (rf"Is the (?P<name>.+) (?P<side>{'|'.join(_SIDES)}) the (?P<other>.+)\?", _side),
    (
        r"(?:Does the (?P<small>.+) fit in the (?P<big>.+)"
        r"|Is the (?P<more>.+) bigger than the (?P<less>.+))\?",
        _bigger,
    ),
    (r"How do you go from the (?P<start>\w+) to the (?P<goal>\w+)\?", _way),
    (r"Where will (?P<name>\w+) go\?", _goes),
    (r"Why did (?P<name>\w+) (?:go to|get) the (?P<thing>\w+)\?", _why),
)
_RULES = tuple((re.compile(pattern), rule) for pattern, rule in _FORMS)
