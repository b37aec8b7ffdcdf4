"""CAIM: a controller, retrieval by topic and time, and thinking again after the talk.

Three parts work together. The controller decides whether a query needs the long-term memory.
Retrieval picks the topics of the query from a fixed ontology, takes what is filed under them, and
keeps what fits the context and the time. Post-thinking turns what was said into thoughts, files
each under a topic, and goes over them: what says the same is held once, what is outdated archived.

What differs: the ontology is the house's own, two dozen topics with a few dozen words each, and a
text in which none of these words stands goes to the topic that its embedding lies nearest to.
Topics boost and never gate, for a thought that is filed wrongly must be found all the same. What is
outdated keeps the time at which it ended, so that the past can still be asked for. What was said
outside the period that a query names stands behind everything that was said in it.

```python
from engram import Memory

memory = Memory.open(":memory:", preset="caim")
for text in ["My tooth hurts.", "We hiked up to the glacier.", "I bought a violin bow."]:
    memory.add({"name": "Ana", "role": "user", "content": text})
for thought in memory.get_all(filters={"kind": "thought"})["results"]:
    print(thought["tags"][0], "|", thought["memory"])
```

```text
health | My tooth hurts.
nature | We hiked up to the glacier.
music | I bought a violin bow.
```
"""

import random
from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from engram.adapters.embedders import embedder
from engram.evals.claims.figures import Figure
from engram.memory import Memory
from engram.plaintext.indexes.tags import Tags
from engram.plaintext.roles import Floats, Route, Scope, View
from engram.plaintext.text.times import seconds

_DAY = 86_400.0
_START = 1_704_067_200.0  # 2024-01-01T00:00:00Z
_NAMES = "Marta Tom Ingrid Paul Yuki Nadia Oscar Priya Felix Helen".split()
_ASKED, _DEPTH, _TOPICS = 100, 5, 2

_DIARY: Mapping[str, Sequence[tuple[str, str]]] = {
    "work": (
        ("My boss asked {} to present the quarterly report.", "Who presents the report with {}?"),
        ("The deadline moved, so {} takes over my project.", "Which project does {} take over?"),
        ("{} got the promotion that I had hoped for.", "What did {} get at the office?"),
        ("I had a meeting with {} about the contract.", "What was the meeting with {} about?"),
        ("{} handed in a resignation today.", "Did {} leave the company?"),
    ),
    "music": (
        ("I practised a suite on the cello with {}.", "What did I practise on the cello with {}?"),
        ("{} has two tickets for the opera.", "What are the tickets of {} for?"),
        ("{} joined our choir as a second alto.", "What does {} sing in the choir?"),
        ("{} lent me a record of old jazz.", "Which record did {} lend me?"),
        ("The strings of the violin of {} snapped on stage.", "What happened to the violin of {}?"),
    ),
    "food": (
        ("{} taught me to bake rye bread.", "What did I learn to bake from {}?"),
        ("We had mushroom soup at the place of {}.", "Which soup did we eat with {}?"),
        ("{} burned the lasagne again.", "Which dish did {} burn?"),
        ("I tried the goat cheese that {} makes.", "What kind of cheese does {} make?"),
        ("{} booked a table at the Peruvian restaurant.", "Which restaurant did {} book?"),
    ),
    "health": (
        ("{} went with me to the dentist, the tooth had to go.", "Who was at the dentist, {}?"),
        ("The knee of {} needs surgery in spring.", "Why does {} need surgery?"),
        ("{} is in bed with a fever and a cough.", "What illness does {} have?"),
        ("The doctor told {} to sleep more.", "What did the doctor tell {}?"),
        ("{} found out about an allergy to nuts.", "What is {} allergic to?"),
    ),
    "sport": (
        ("{} ran the half marathon in under two hours.", "How fast was {} in the marathon?"),
        ("I lost at tennis to {} in three sets.", "How did the tennis match with {} end?"),
        ("{} signed up for rowing training at dawn.", "What training does {} do at dawn?"),
        ("{} scored twice in the football final.", "How often did {} score in the final?"),
        ("{} showed me the climbing gym by the harbour.", "Where does {} go climbing?"),
    ),
    "travel": (
        ("{} flies to Lisbon for a week.", "Where does {} fly to?"),
        ("The suitcase of {} got lost at the airport.", "What happened to the luggage of {}?"),
        ("{} needs a new passport before the trip.", "What does {} need before the journey?"),
        ("We booked a hostel in Kyoto with {}.", "Where is the hostel that we booked with {}?"),
        ("{} sent a postcard from a ferry in Greece.", "Where was {} on vacation by ferry?"),
    ),
    "pets": (
        ("The beagle of {} ate a slipper.", "What did the dog of {} eat?"),
        ("{} adopted two kittens from the shelter.", "How many kittens did {} adopt?"),
        ("The parrot of {} learned to whistle.", "What can the parrot of {} do?"),
        ("{} asked me to feed the rabbits.", "Which animals of {} do I feed?"),
        ("The vet put the hamster of {} on a diet.", "What did the vet do with the hamster of {}?"),
    ),
    "books": (
        ("{} gave me a novel about whalers.", "What is the novel from {} about?"),
        ("The poetry of {} got into a magazine.", "Where was the poem of {} printed?"),
        ("{} forgot to return four library books.", "How many library books does {} still have?"),
        ("I read the memoir that {} recommended.", "Which book did {} recommend to read?"),
        ("{} finished the first chapter of a thriller.", "How far is {} with the manuscript?"),
    ),
    "money": (
        ("{} paid off the student loan.", "Which debt did {} pay off?"),
        ("I lent {} two hundred until payday.", "How much money did I lend {}?"),
        ("{} put the savings into an index fund.", "How did {} invest the savings?"),
        ("The mortgage of {} got too expensive.", "What is too expensive for {}?"),
        ("{} got a tax refund after all.", "What did {} get back from the tax office?"),
    ),
    "nature": (
        ("{} and I hiked around the mountain lake.", "Where did I hike with {}?"),
        ("{} saw an osprey over the river.", "Which bird did {} see?"),
        ("We camped in the birch forest with {}.", "In which forest did we camp with {}?"),
        ("{} planted an apple tree.", "Which tree did {} plant?"),
        ("A storm surprised {} on the beach.", "What weather surprised {} at the sea?"),
    ),
}  # fmt: skip


class _Entry(NamedTuple):
    """One day of the diary, and a question that only it answers."""

    text: str
    question: str
    at: float


def claim() -> list[Figure]:
    """A topic's share of a diary answers no worse than all of it, and time and review are kept."""
    diary = _diary()
    now = _START + 500 * _DAY
    with (
        Memory.open(":memory:", preset="caim", durability="off", clock=lambda: now) as memory,
        Memory.open(":memory:", preset="hybrid", durability="off", clock=lambda: now) as hybrid,
    ):
        for each in (memory, hybrid):
            each.add([{"name": "Ana", "content": e.text, "time": e.at} for e in diary], infer=False)
        figures = [*_by_topic(memory, diary), _beside(memory, hybrid, diary), _last_week(memory)]
        _, again = (memory.tend()["changed"].get("review", 0) for _ in range(2))
        needless = memory.search("What is 17 times 23?")["results"]
    first, second = _twice()
    return [
        *figures,
        _figure("changes by a second review of the diary", "0", again, ok=again == 0),
        _figure(
            "changes by a review of a talk with repeated and outdated thoughts, and by a second",
            "some, 0",
            f"{first}, {second}",
            ok=first > 0 and second == 0,
        ),
        _figure("results for a sum that needs no memory", "0", len(needless), ok=not needless),
    ]


def _figure(what: str, published: str, measured: float | str, *, ok: bool) -> Figure:
    return {"what": what, "published": published, "measured": measured, "ok": ok}


def _diary() -> list[_Entry]:
    """500 entries on ten topics, one a day, in an order that the seed gives."""
    told = [pair for pairs in _DIARY.values() for pair in pairs]
    entries = [
        (text.format(who), asked.format(who)) for (text, asked), who in product(told, _NAMES)
    ]
    random.Random(11).shuffle(entries)
    return [_Entry(*entry, _START + at * _DAY) for at, entry in enumerate(entries)]


def _asked(diary: Sequence[_Entry]) -> list[_Entry]:
    return random.Random(12).sample(list(diary), _ASKED)


def _found(memory: Memory, diary: Sequence[_Entry]) -> float:
    """Share of the questions whose entry is the best result, or what that rests on."""
    hits = 0
    for entry in _asked(diary):
        for result in memory.search(entry.question, top_k=1)["results"]:
            shown = [result["memory"], *(source["memory"] for source in result["sources"])]
            hits += entry.text in shown
    return hits / _ASKED


def _beside(memory: Memory, hybrid: Memory, diary: Sequence[_Entry]) -> Figure:
    ours, theirs = _found(memory, diary), _found(hybrid, diary)
    return _figure(
        "recall@1 of the preset, and of hybrid, which has no topics",
        "topics boost",
        f"{ours:.3f}, {theirs:.3f}",
        ok=ours > theirs,
    )


def _by_topic(memory: Memory, diary: Sequence[_Entry]) -> list[Figure]:
    plain, filed, share = _recalls(memory, diary)
    under = f"recall@{_DEPTH} over the thoughts under {_TOPICS} topics"
    return [
        _figure(f"recall@{_DEPTH} over all thoughts", "-", round(plain, 3), ok=True),
        _figure(under, "no less", round(filed, 3), ok=filed >= plain),
        _figure(
            "share of the thoughts that was looked at", "< 0.25", round(share, 3), ok=share < 0.25
        ),
    ]


def _recalls(memory: Memory, diary: Sequence[_Entry]) -> tuple[float, float, float]:
    """Recall by cosine over all thoughts, over those under a topic, and what share these are."""
    encoder = embedder(None)
    assert encoder is not None
    tags = Tags(topics=_TOPICS, embedder=encoder)
    hits, shares = [0, 0], []
    asked = _asked(diary)
    vectors = encoder.embed([entry.question for entry in asked])
    with memory.store.read(Scope()) as view:
        view.narrow(memory.clock(), None, None, None)
        thoughts = view.live & view.columns.of_kind("thought")
        for entry, vector in zip(asked, vectors, strict=True):
            route = Route(entry.question, entry.question, memory.clock(), vector=vector)
            all_alike = (1 + view.columns.vectors @ vector) * thoughts
            filed = tags.search(route, view) * thoughts
            hits[0] += _finds(entry, all_alike, view)
            hits[1] += _finds(entry, filed, view)
            shares.append(np.count_nonzero(filed) / np.count_nonzero(thoughts))
    return hits[0] / _ASKED, hits[1] / _ASKED, float(np.mean(shares))


def _finds(entry: _Entry, scores: Floats, view: View) -> bool:
    best = np.argsort(-scores, kind="stable")[:_DEPTH]
    return any(found.text == entry.text for found in view.records(best[scores[best] > 0]))


def _last_week(memory: Memory) -> Figure:
    """Results with a score for a query about last week, and how many were said in another."""
    monday = 500 - 500 % 7 - 7  # the diary begins on a Monday, and this is asked on its 500th day
    begin, end = _START + monday * _DAY, _START + (monday + 7) * _DAY
    found = memory.search("What happened last week?", top_k=50, threshold=0.01)["results"]
    outside = sum(not begin <= seconds(result["event_time"]) < end for result in found)
    return _figure(
        "results for last week, and of these said in another week",
        "some, 0",
        f"{len(found)}, {outside}",
        ok=bool(found) and outside == 0,
    )


def _twice() -> tuple[int, int]:
    """Changes by the first and by the second review of a talk in which things were repeated."""
    said = (
        "I live in Bergen.",
        "I love my violin.",
        "I love my violin!",
        "I moved to Oslo.",
    )
    now = _START + 30 * _DAY
    with Memory.open(":memory:", preset="caim", durability="off", clock=lambda: now) as memory:
        memory.add(
            [
                {"name": "Ana", "content": text, "time": _START + day * _DAY}
                for day, text in enumerate(said)
            ]
        )
        first, second = (memory.tend()["changed"].get("review", 0) for _ in range(2))
    return first, second
