"""Four competencies of a memory that is told much, once, in chunks, and then asked many questions.

Source: Hu et al. 2025, Evaluating Memory in LLM Agents via Incremental Multi-Turn Interactions
    (MemoryAgentBench), arXiv:2507.05257, section 3: accurate retrieval, test-time learning,
    long-range understanding, conflict resolution (FactConsolidation).
Differs: synthetic twins, made here, whose answers can be read off without a model; the labels of
    long-range understanding are the order of events.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from engram.memory import Memory

Answers: TypeAlias = Callable[[Memory, str], str]
"""How an agent without a model answers a question out of a memory."""

USER = "bench"
_FIRST = "Ana Ben Clara David Eva Finn Greta Hugo Ines Jonas Kari Lars Mona Nils Olga Per".split()
_LAST = "Berg Dahl Falk Gran Holm Juul Krog Lund Moe Nord Quist Rask Sand Vik Aas Brandt".split()
_CITIES = "Oslo Bergen Paris Rome Lisbon Vienna Prague Dublin Madrid Athens Cairo Lima".split()
_FIRMS = "Equinor Telenor Siemens Nokia Spotify Philips Renault Airbus Bosch Ikea Shell".split()
_SLOTS: Mapping[str, tuple[str, str]] = {
    "lives": ("{who} lives in {what}.", "Where does {who} live?"),
    "works": ("{who} works at {what}.", "Where does {who} work?"),
    "partner": ("{who} is married to {what}.", "Who is {who} married to?"),
}
_OF = re.compile(r"^(?P<before>.*)the partner of (?P<who>[A-Z]\w+ [A-Z]\w+)(?P<after>.*)$")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the one right answer."""

    text: str
    answer: str


@dataclass(frozen=True, slots=True)
class Case:
    """What a memory is told, in order, and what it is asked then."""

    told: tuple[str, ...]
    questions: tuple[Question, ...]


def consolidation(people: int, changes: int, seed: int, *, hops: int = 1) -> Case:
    """Numbered facts, of which later ones contradict earlier ones; the larger number is newer.

    Args:
        people: how many there are facts about; at most 256.
        changes: how many facts are said anew with another value.
        seed: draws everything.
        hops: 1 asks for a fact, 2 for a fact of somebody's partner.
    """
    rng = random.Random(seed)
    names = [f"{first} {last}" for first, last in product(_FIRST, _LAST)]
    chosen = rng.sample(names, people)
    values = {"lives": _CITIES, "works": _FIRMS, "partner": chosen}
    held: dict[tuple[str, str], str] = {}
    said: list[str] = []

    def say(who: str, slot: str) -> None:
        free = [value for value in values[slot] if value not in (who, held.get((who, slot)))]
        held[who, slot] = rng.choice(free)
        said.append(_SLOTS[slot][0].format(who=who, what=held[who, slot]))

    for who, slot in rng.sample(list(product(chosen, _SLOTS)), len(chosen) * len(_SLOTS)):
        say(who, slot)
    for _ in range(changes):
        say(rng.choice(chosen), rng.choice(list(_SLOTS)))
    asked = _direct(held) if hops == 1 else _chained(held)
    return Case(tuple(said), tuple(asked))


def _direct(held: Mapping[tuple[str, str], str]) -> Iterator[Question]:
    for (who, slot), value in held.items():
        yield Question(_SLOTS[slot][1].format(who=who), value)


def _chained(held: Mapping[tuple[str, str], str]) -> Iterator[Question]:
    for who, slot in held:
        if slot != "partner":
            partner = held[who, "partner"]
            asked = _SLOTS[slot][1].format(who=f"the partner of {who}")
            yield Question(asked, held[partner, slot])


def needles(count: int, hay: int, seed: int) -> Case:
    """Numbers of things, hidden in sentences about other things."""
    rng = random.Random(seed)
    things = [f"{a} {b}" for a, b in product(_COLOURS, _THINGS)]
    hidden = rng.sample(things, count)
    numbers = {thing: str(rng.randrange(10_000, 100_000)) for thing in hidden}
    said = [f"The number of the {thing} is {number}." for thing, number in numbers.items()]
    said += [
        f"{rng.choice(_FIRST)} saw a {rng.choice(_COLOURS)} {rng.choice(_THINGS)} near the "
        f"{rng.choice(_THINGS)} and said nothing."
        for _ in range(hay)
    ]
    rng.shuffle(said)
    asked = [Question(f"What is the number of the {thing}?", numbers[thing]) for thing in hidden]
    return Case(tuple(said), tuple(asked))


_COLOURS = "red blue green amber violet silver copper ivory scarlet teal".split()
_THINGS = "lantern kettle anchor violin ladder compass teapot bicycle mirror basket".split()


def labels(classes: int, shots: int, seed: int) -> Case:
    """Examples of classes that mean nothing, each with its label; new ones are to be labelled."""
    rng = random.Random(seed)
    words = [f"{a}{b}{c}" for a, b, c in product("bdfglmnprst", "aeiou", "klmnrstx")]
    rng.shuffle(words)
    topics = [words[at * 12 : at * 12 + 12] for at in range(classes)]

    def example(at: int) -> str:
        return f"Please {' '.join(rng.sample(topics[at], 4))} for me"

    told = [f"{example(at)} label: {at + 10}" for at in range(classes) for _ in range(shots)]
    rng.shuffle(told)
    asked = [Question(example(at), f"label: {at + 10}") for at in range(classes) for _ in range(3)]
    return Case(tuple(told), tuple(asked))


def events(count: int, seed: int) -> Case:
    """Things that somebody did, one after the other; asked is which of two came first."""
    rng = random.Random(seed)
    deeds = [f"painted the {a} {b}" for a, b in product(_COLOURS, _THINGS)]
    done = rng.sample(deeds, count)
    told = tuple(f"Then Ana {deed}." for deed in done)
    asked = []
    for _ in range(count):
        first, second = sorted(rng.sample(range(count), 2))
        pair = [done[first], done[second]]
        shown = pair if rng.random() < 0.5 else pair[::-1]
        asked.append(Question(f"{shown[0]} | {shown[1]}", pair[0]))
    return Case(told, tuple(asked))


def accuracy(case: Case, answers: Answers, preset: str = "hybrid", chunk: int = 16) -> float:
    """Tell a new memory everything, in chunks, and return the share of right answers.

    Args:
        case: what is told and asked.
        answers: the agent.
        preset: of the memory.
        chunk: sentences that are told at once.
    """
    with Memory.open(":memory:", preset=preset, durability="off", clock=lambda: 1e9) as memory:
        for start in range(0, len(case.told), chunk):
            said = [
                {"role": "user", "content": text, "time": float(start + at)}
                for at, text in enumerate(case.told[start : start + chunk])
            ]
            memory.add(said, user_id=USER)
        memory.tend()
        right = [answers(memory, asked.text) == asked.answer for asked in case.questions]
    return sum(right) / len(right)


def look_up(memory: Memory, question: str) -> str:
    """What fills the slot that is asked for; a partner is looked up first."""
    if chained := _OF.match(question):
        partner = look_up(memory, f"Who is {chained['who']} married to?")
        question = f"{chained['before']}{partner}{chained['after']}"
    found = memory.search(question, user_id=USER, top_k=1)["results"]
    return str(found[0]["fields"].get("tail", "")) if found else ""


def read_off(memory: Memory, question: str) -> str:
    """The last word of the best sentence, which is how the twins' facts and needles end."""
    found = memory.search(question, user_id=USER, top_k=1)["results"]
    words = found[0]["memory"].rstrip(".").split() if found else [""]
    name = " ".join(words[-2:])
    return name if question.startswith("Who") else str(words[-1])


def vote(memory: Memory, question: str, neighbours: int = 10) -> str:
    """The label that most of the nearest examples have; of equals the nearer."""
    found = memory.search(question, user_id=USER, top_k=neighbours)["results"]
    said: Sequence[str] = [f"label: {hit['memory'].rpartition('label: ')[2]}" for hit in found]
    return Counter(said).most_common(1)[0][0] if said else ""


def earlier(memory: Memory, question: str) -> str:
    """Of two deeds, the one that was told at the earlier time."""
    first, second = question.split(" | ")
    return min((first, second), key=lambda deed: _when(memory, deed))


def _when(memory: Memory, deed: str) -> str:
    found = memory.search(deed, user_id=USER, top_k=1)["results"]
    return str(found[0]["event_time"]) if found else ""
