"""MemOS: items in tiers under a tree of topics, and a scheduler that keeps at hand what is needed.

Each message becomes an item with a title and tags, in user memory when it tells of the speaker, in
long-term memory otherwise. A new item is compared with the nearest: what it contradicts or says
again is archived, with an edge to what stands in its place, which takes over its edges. `tend`
groups the items as topics and concepts with a summary each. A scheduler reads what arrives: a
message is an addition, an answer, an update or a query; what was just said, and what the last
query needs, is in working memory, the tag `memory:working`. What is read often is advised for
activation memory, a record of kind `promotion`, and `memory.schedule` makes it: a model reads it
once, and its keys and values stand before each query that follows. A search joins words, vectors,
and the titles and tags of items, and ranks what they propose together.

What differs: messages are kept and searched beside their items. An item at hand is marked, where
the published code copies it. The log is the queue, so that the same log gives the same working
memory. Nothing is deleted, and one run changes at most a share of what is there. Without a model
nothing is reworded: the newer of two that cannot both stand wins, topics are named by the words
that tell them from others, and quote. Activation memory is for one model and ends with its text,
in the commit that changes it. Memory is not turned into weights here.

```python
from engram import Memory

memory = Memory.open(":memory:", preset="memos")
memory.add("I live in Bergen.")
memory.add("Our boat needs a mast.")
memory.add("I live in Oslo.")
for item in memory.get_all(states=["active", "archived"], filters={"kind": "item"})["results"]:
    print(item["memory"], item["state"], item["tags"][:2])
```

```text
I live in Bergen. archived ['memory:user', 'Bergen']
Our boat needs a mast. active ['memory:working', 'memory:long-term']
I live in Oslo. active ['memory:working', 'memory:user']
```
"""

import random
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from engram.evals.chatter import small_talk
from engram.evals.claims.attached import attachment
from engram.evals.claims.figures import Figure
from engram.evals.claims.opening import opened
from engram.memory import Memory
from engram.plaintext.advice import Question
from engram.plaintext.enrichers.working import Working
from engram.plaintext.roles import Record, Scope
from engram.plaintext.text.tiers import WORKING, tag_of

_DAY, _NOW = 86_400.0, 1_767_603_600.0
_SEED, _ITEMS, _CHATTER = 7, 25, 60
_SUBJECTS = (
    "hive honey queen swarm wax drone beekeeper nectar",
    "mast keel rudder harbour regatta sail anchor deck",
    "dough yeast oven flour crust loaf baker sourdough",
    "gambit rook bishop endgame checkmate pawn chessboard castling",
    "locomotive platform carriage railway station conductor timetable tunnel",
    "telescope nebula comet orbit galaxy eclipse astronomer planet",
    "violin sonata cello strings quartet orchestra melody concerto",
    "skis slope glacier snow avalanche chairlift piste skier",
)
_ASKED = (
    ("The spare key is under the blue flowerpot.", "Where is the spare key?"),
    ("Quentin Varga is allergic to walnuts.", "What is Quentin Varga allergic to?"),
    ("The kayak costs ninety crowns a day.", "How much does the kayak cost?"),
    ("Ingrid keeps her typewriter in the attic.", "Where does Ingrid keep her typewriter?"),
    ("The accordion was mended in Trondheim.", "Where was the accordion mended?"),
    ("Pavel collects stamps of lighthouses.", "What does Pavel collect?"),
)
_FORMER, _LATER, _NEWER = (
    "Ana stores her telescope in the attic all winter.",
    "Ana was late for work.",
    "Ana stores her telescope in the cellar all winter.",
)
_FUSED = "Ana stores her telescope in the cellar all winter, no longer in the attic."


class _Script:
    """Finds the first near item contradicted, and nothing else to say."""

    def ask(self, question: Question) -> Mapping[str, Any] | None:
        """An answer to questions about conflicts."""
        if question.purpose != "conflict":
            return None
        return {"contradicted": [0], "repeated": [], "text": _FUSED}


def claim() -> list[Figure]:
    """Conflicts are fused, topics are pure, the same log puts the same at hand, KV is attached."""
    return [*_conflict(), *_tree(), *_scheduler(), *_promotion(), *attachment()]


def _figure(what: str, published: str, measured: float | str, *, ok: bool) -> Figure:
    return {"what": what, "published": published, "measured": measured, "ok": ok}


def _clock() -> float:
    return _NOW


def _told(texts: Sequence[str], name: str = "Ana") -> list[dict[str, Any]]:
    """Messages a minute apart."""
    start = _NOW - _DAY
    return [
        {"role": "user", "name": name, "content": text, "time": start + 60 * at}
        for at, text in enumerate(texts)
    ]


def _records(memory: Memory, *kinds: str) -> list[Record]:
    """All records of some kinds as they now are, in whatever state."""
    with memory.store.read(Scope()) as view:
        columns = view.columns
        mine = columns.of_kind(*kinds) & (columns.known_to == np.inf)
        return view.records(np.flatnonzero(mine))


def _conflict() -> list[Figure]:
    with opened("memos", _clock, {}, _Script()) as memory:
        for message in _told([_FORMER, _LATER, _NEWER]):
            memory.add(message)
        items = {each.text: each for each in _records(memory, "item")}
    fused, late = items[_FUSED], items[_LATER]
    gone = [items[_FORMER], items[_NEWER]]
    stands = int(str(fused.state) == "active")
    archived = sum(str(each.state) == "archived" for each in gone)
    edges = sum(each.links.get(fused.id) == "merged_to" for each in gone)
    taken = int(late.id in fused.links)
    return [
        _figure(
            "two in conflict, fused: active, archived, edges to what stands, edges taken over",
            "1, 2, 2, 1",
            f"{stands}, {archived}, {edges}, {taken}",
            ok=(stands, archived, edges, taken) == (1, 2, 2, 1),
        )
    ]


def _tree() -> list[Figure]:
    """Items of well separated subjects, organised."""
    rng = random.Random(_SEED)
    drawn = [rng.sample([*combinations(words.split(), 5)], _ITEMS) for words in _SUBJECTS]
    texts = [f"The {', the '.join(words)}." for each in drawn for words in each]
    with opened("memos", _clock, {}) as memory:
        order = rng.sample(range(len(texts)), len(texts))
        memory.add(_told([texts[at] for at in order]))
        memory.tend()
        items = {each.id: each.text for each in _records(memory, "item")}
        parents = [each for each in _records(memory, "topic", "concept") if each.parents]
        parents = [each for each in parents if str(each.state) == "active"]
        again = memory.tend()["changed"].get("tree", 0)
    below = [[items[child] for child in each.parents if child in items] for each in parents]
    pure = sum(len({_subject(text) for text in leaf}) == 1 for leaf in below if leaf)
    above = [child for each in parents for child in each.parents]
    orphans = len(set(items) - set(above))
    rank = {each.id: each.kind == "topic" for each in parents}
    cycles = sum(rank.get(child, False) for child in above) + len(above) - len(set(above))
    leaves = sum(bool(leaf) for leaf in below)
    largest = max(map(len, below))
    return [
        _figure(
            f"pure leaf clusters, {len(items)} items of {len(_SUBJECTS)} subjects",
            "all",
            f"{pure} of {leaves}",
            ok=pure == leaves > 0,
        ),
        _figure("items without a parent", "0", orphans, ok=orphans == 0),
        _figure("edges to a topic, or to a child of another", "0", cycles, ok=cycles == 0),
        _figure("items of the largest cluster", "<= 20", largest, ok=largest <= 20),
        _figure("changes when it is organised again", "0", again, ok=again == 0),
    ]


def _subject(text: str) -> int:
    return next(at for at, words in enumerate(_SUBJECTS) if text.split()[1].strip(",.") in words)


def _talk() -> list[str]:
    """Things to know, then talk, then questions with more talk between them."""
    rng = random.Random(_SEED)
    lines = [fact for fact, _ in _ASKED] + [small_talk(rng) for _ in range(_CHATTER)]
    for _, query in _ASKED:
        lines += [query, small_talk(rng)]
    return list(dict.fromkeys(lines))


def _scheduler() -> list[Figure]:
    lines = _talk()
    one, _ = _heard(lines, len(lines))
    many, answered = _heard(lines, 1)
    before, after = (sum(each) for each in zip(*answered, strict=True))
    return [
        _figure(
            f"items at hand that differ when {len(lines)} messages come one by one",
            "0",
            len(one ^ many),
            ok=one == many and 0 < len(one) <= Working().most,
        ),
        _figure(
            f"of {len(_ASKED)} answers, at hand when the question was heard, and before",
            "more",
            f"{after}, {before}",
            ok=after == len(_ASKED) and before == 0,
        ),
    ]


def _heard(lines: Sequence[str], batch: int) -> tuple[set[str], list[tuple[bool, bool]]]:
    """What is at hand in the end, and whether each answer is, before its question and after."""
    answers = {query: fact for fact, query in _ASKED}
    messages, seen = _told(lines), list[tuple[bool, bool]]()
    with opened("memos", _clock, {}) as memory:
        for start in range(0, len(lines), batch):
            answer = answers.get(lines[start]) if batch == 1 else None
            before = answer in _at_hand(memory)
            memory.add(messages[start : start + batch])
            if answer is not None:
                seen.append((before, answer in _at_hand(memory)))
        return _at_hand(memory), seen


def _at_hand(memory: Memory) -> set[str]:
    found = memory.get_all(filters={"tags": tag_of(WORKING)})["results"]
    return {str(item["memory"]) for item in found}


def _promotion() -> list[Figure]:
    """Advice for activation memory after some reading, and after tending again."""
    at = [_NOW]
    with opened("memos", lambda: at[0], {}) as memory:
        memory.add(_told([fact for fact, _ in _ASKED]))
        for _ in range(3):
            memory.context(_ASKED[0][1])
        at[0] += 2 * _DAY
        memory.tend()
        first = [each for each in _records(memory, "promotion") if str(each.state) == "generated"]
        again = memory.tend()["changed"]
        said = memory.get_all(filters={"kind": "raw"})["results"]
    advised = sum(len(each.fields["items"]) for each in first)
    return [
        _figure(
            "items that are read often, advised for activation", ">= 1", advised, ok=advised > 0
        ),
        _figure(
            "changes at a second refresh of the same",
            "0",
            sum(again.values()),
            ok=not again,
        ),
        _figure("messages kept", str(len(_ASKED)), len(said), ok=len(said) == len(_ASKED)),
    ]
