"""Self-Controlled Memory: asks whether memory is needed, and shows as much of it as there is room.

A controller stands between the user and the memory. It first decides whether a query needs the past
at all; where it does not, nothing is searched. What is found is rated by relevance and recency and
written in the order of time. When it does not fit the budget, the less relevant turns are shown in
a shorter form; the most relevant stays as it was said. So the input may be endless, but not the
context.

What differs: the paper asks a language model each of these questions; here cues in the wording and
likeness to what is held decide, and in doubt memory is searched. Shorter forms are extracted, for
long documents by a tree of summaries. Everything is shortened before anything is dropped, for the
pieces of one answer must stay together. The dialogue itself is in the caller's own prompt.

```python
from engram import Memory

memory = Memory.open(":memory:", preset="scm")
memory.add({"name": "Ana", "role": "user", "content": "My tooth hurts, I must see the dentist."})
for query in ["What is 17 times 23?", "Why does she go to the dentist?"]:
    found = memory.search(query, explain=True)
    print(query, found["query"]["needed"], len(found["results"]))
```

```text
What is 17 times 23? False 0
Why does she go to the dentist? True 1
```
"""

import random
from dataclasses import dataclass, field, replace
from typing import ClassVar

from engram import catalogue
from engram.adapters.embedders import embedder
from engram.evals.claims.figures import Figure
from engram.memory import Memory
from engram.plaintext.packers.forms import Forms
from engram.plaintext.read import Ask, Reader
from engram.plaintext.roles import Floats, Record, Route, Scope, View
from engram.plaintext.text.quoting import line
from engram.plaintext.text.shortening import hierarchical_summary
from engram.plaintext.text.tokens import estimated

_TALK = (
    "My tooth hurts, I must see the dentist.",
    "The dentist said that it must go.",
    "I booked two nights in Bergen for the music festival.",
    "Eva will water the plants while I am away.",
    "The train was late, so I missed the opening concert.",
    "I bought a red kayak from Tom.",
)
_NEEDS = (
    "What did the dentist say?",
    "Who waters my plants?",
    "Why did I miss the concert?",
    "And the kayak?",
    "What colour is it?",
    "Do you remember where we went in spring?",
    "How long is the stay in Bergen?",
    "Has Eva called back?",
    "music festival",
    "What was that about Tom?",
)
_GENERAL = (
    "What is the capital of France?",
    "What is 17 times 23?",
    "Write a haiku about autumn.",
    "How many legs does a spider have?",
    "Translate good morning into German.",
    "Explain how photosynthesis works.",
    "Convert 10 miles to kilometres.",
    "Name three prime numbers.",
    "Can you tell me a joke?",
    "What does HTTP stand for?",
)
_TURNS, _BUDGET, _PACKS, _CHUNKS = 10_000, 500, 200, 57
_WORDS = "boat rain lamp cat stone river cloud bread glass wind".split()


def claim() -> list[Figure]:
    """Never over budget, the best turn raw; endless input is answered from a bounded context."""
    over, lost, packs = _packed()
    passed, turned, searches = _gated()
    most, found = _endless()
    leaves, root = _tree()
    return [
        _figure(f"packs of {packs} over their budget", "0", over, ok=over == 0),
        _figure("packs in which the best turn fits alone and is not raw", "0", lost, ok=lost == 0),
        _figure(
            "queries that need the talk and are searched, of 10", "10", passed, ok=passed == 10
        ),
        _figure("general queries that are turned away, of 10", "most", turned, ok=turned >= 8),
        _figure("searches for those that were turned away", "0", searches, ok=searches == 0),
        _figure(
            f"most tokens of context while {_TURNS} turns come in",
            f"at most {_BUDGET}",
            most,
            ok=most <= _BUDGET,
        ),
        _figure("the turn before all these is in the context", "yes", found, ok=found == "yes"),
        _figure(
            f"leaves of a tree over {_CHUNKS} chunks, each once and in order",
            str(_CHUNKS),
            leaves,
            ok=leaves == _CHUNKS,
        ),
        _figure("tokens of its root", "at most 1500", root, ok=0 < root <= 1500),
    ]


def _figure(what: str, published: str, measured: float | str, *, ok: bool) -> Figure:
    return {"what": what, "published": published, "measured": measured, "ok": ok}


def _packed() -> tuple[int, int, int]:
    """Over budget, best not raw, and packs, over hits of any length and budgets of any size."""
    dice, packer, over, lost = random.Random(3), Forms(over=40, short=15), 0, 0
    for _ in range(_PACKS):
        hits = [
            Record(f"id-{at}", _speech(dice, dice.randint(0, 30)), event_time=dice.random() * 1e9)
            for at in range(dice.randint(1, 12))
        ]
        budget = dice.randint(30, 1_500)
        pack = packer.pack(hits, budget)
        fits = bool(replace(packer, over=10**9).pack(hits[:1], budget).ids)
        over += pack.tokens > budget
        lost += fits and line(hits[0]) not in pack.text.split("\n")
    return over, lost, _PACKS


def _speech(dice: random.Random, sentences: int) -> str:
    said = [" ".join(dice.choices(_WORDS, k=dice.randint(2, 9))) for _ in range(sentences)]
    return " ".join(f"{each.capitalize()}." for each in said)


@dataclass(frozen=True)
class _Counting:
    """A channel that counts how often it is asked."""

    relative: ClassVar[bool] = False
    asked: list[str] = field(default_factory=list)

    def search(self, route: Route, view: View) -> Floats:
        """Return 1 for every row."""
        self.asked.append(route.query)
        scores: Floats = view.live.astype("float32")
        return scores


def _gated() -> tuple[int, int, int]:
    """Queries searched of those that need it, turned away of the others, and searches of these."""
    counting, encoder = _Counting(), embedder(None)
    with Memory.open(":memory:", durability="off", clock=lambda: 1e9) as memory:
        memory.add([{"role": "user", "name": "Ana", "content": text} for text in _TALK])
        parts = catalogue.parts(catalogue.find("scm"), {"embedder": encoder})
        reader = Reader(
            memory.store,
            encoder,
            channels={"counting": (counting, 1.0)},
            **{name: parts[name] for name in ("router", "refiners", "packer", "confidence")},
        )
        needed = {
            query: reader.search(Ask(query, Scope(), 1e9)).route.needed
            for query in (*_NEEDS, *_GENERAL)
        }
    away = {query for query in _GENERAL if not needed[query]}
    return sum(needed[query] for query in _NEEDS), len(away), len(away.intersection(counting.asked))


def _endless() -> tuple[int, str]:
    """The largest context while turns come in, and whether it held the one that was asked for."""
    most, held = 0, True
    with Memory.open(
        ":memory:", preset="scm", embedder="none", durability="off", clock=lambda: 2e9
    ) as memory:
        memory.add({"name": "Ana", "content": "The key is under the blue pot.", "time": 1.0})
        for start in range(0, _TURNS, 2_500):
            said = [
                {
                    "content": f"Turn {start + at} of the {_WORDS[at % 10]}.",
                    "time": 60.0 * (start + at),
                }
                for at in range(1, 2_501)
            ]
            memory.add(said, run_id="endless")
            context = memory.context("Where did Ana leave the key?", tokens=_BUDGET)
            most, held = max(most, context["tokens"]), held and "blue pot" in context["text"]
    return most, "yes" if held else "no"


def _tree() -> tuple[int, int]:
    """Leaves that stand where their chunks stood, and the tokens of the root."""
    dice = random.Random(5)
    chunks = [f"Chunk {at}. {_speech(dice, 60)}" for at in range(_CHUNKS)]
    root = hierarchical_summary(chunks)
    leaves = sum(leaf == chunk for leaf, chunk in zip(root.leaves(), chunks, strict=False))
    return leaves, estimated(root.text)
