"""Working memory: what was just said, what a query needs, and that the log alone decides it."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from engram import Memory, catalogue
from engram.evals.chatter import small_talk
from engram.plaintext.advice import Advisor
from engram.plaintext.enrichers.items import Items
from engram.plaintext.enrichers.working import Working
from engram.plaintext.store.store import Store
from engram.testing.ports import Buckets, Script

NOW = 1_767_603_600.0
WORDS = Buckets(dimension=512)
KEY, WHERE = "The spare key is under the blue flowerpot.", "Where is the spare key?"
OTHERS = [f"The {thing} was sold." for thing in "kayak loom sail boat lamp".split()]


def opened(path: Path, advisor: Advisor | None = None, **settings: Any) -> Memory:
    """A memos memory whose working memory is kept with these settings."""
    working = Working(advisor=advisor, **settings)
    parts = catalogue.parts(catalogue.find("memos"))
    parts = {**parts, "enrichers": [Items(embedder=WORDS), working]}
    store = Store(
        path / f"{len(list(path.iterdir()))}.db",
        durability="off",
        embedder=(WORDS.name, WORDS.dimension),
    )
    return Memory(store, parts, WORDS, lambda: NOW)


def say(memory: Memory, texts: Sequence[str], batch: int = 1) -> None:
    """Add messages, a minute apart, so many at a time."""
    said = len(memory.get_all(filters={"kind": "raw"}, limit=1000)["results"])
    messages = [
        {"name": "Ana", "content": text, "time": NOW - 1e5 + 60 * (said + at)}
        for at, text in enumerate(texts)
    ]
    for start in range(0, len(texts), batch):
        memory.add(messages[start : start + batch])


def at_hand(memory: Memory) -> list[str]:
    """The texts of the items in working memory."""
    found = memory.get_all(filters={"tags": "memory:working"}, limit=1000)["results"]
    return sorted(each["memory"] for each in found)


def test_what_was_just_said_is_at_hand(tmp_path: Path) -> None:
    """As many as there is room for; the oldest leave first."""
    with opened(tmp_path, most=3) as memory:
        say(memory, OTHERS)

        assert at_hand(memory) == sorted(OTHERS[-3:])
        assert memory.check()["ok"]


def test_a_query_brings_what_it_needs(tmp_path: Path) -> None:
    """In the place of what it does not need; the bare question itself is nothing to hold."""
    with opened(tmp_path, most=3) as memory:
        say(memory, [KEY, *OTHERS])
        before = at_hand(memory)
        say(memory, [WHERE])

        assert KEY not in before
        assert KEY in at_hand(memory)
        assert WHERE not in at_hand(memory)
        assert len(at_hand(memory)) == 3


def test_what_the_last_query_needs_outlives_what_was_said_before_it(tmp_path: Path) -> None:
    """Then what was said since comes first."""
    with opened(tmp_path, most=3) as memory:
        say(memory, [KEY, *OTHERS[:3], WHERE, OTHERS[3]])
        after_one = at_hand(memory)
        say(memory, ["The dog sleeps.", "The harp was tuned."])

        assert {KEY, OTHERS[3]} <= set(after_one)
        assert at_hand(memory) == sorted([OTHERS[3], "The dog sleeps.", "The harp was tuned."])


def test_a_query_that_is_covered_brings_nothing(tmp_path: Path) -> None:
    """Nothing is looked for where what is at hand says most of its words."""
    again = "The spare key is in the drawer of Pavel."
    with opened(tmp_path, most=3) as lazy, opened(tmp_path, most=3, covered=1.1) as eager:
        for memory in (lazy, eager):
            say(memory, [KEY, *OTHERS[:3], again, WHERE])

        assert KEY not in at_hand(lazy)
        assert KEY in at_hand(eager)


@pytest.mark.parametrize("batch", [3, 40, 63])
def test_the_same_log_gives_the_same_working_memory(tmp_path: Path, batch: int) -> None:
    """However it comes; queries and small talk between."""
    rng = random.Random(5)
    lines = [KEY, "Quentin keeps bees.", *(small_talk(rng) for _ in range(30)), WHERE]
    lines += ["What does Quentin keep?", *(small_talk(rng) for _ in range(8))]
    lines = list(dict.fromkeys(lines))
    with opened(tmp_path, most=6) as one, opened(tmp_path, most=6) as many:
        say(one, lines)
        say(many, lines, batch)

        assert at_hand(one) == at_hand(many)
        assert len(at_hand(one)) == 6


def test_an_item_at_hand_is_marked_and_not_copied(tmp_path: Path) -> None:
    """It keeps its id and its home tier, and is searched for among what is at hand."""
    with opened(tmp_path, most=2) as memory:
        say(memory, [KEY])
        (item,) = memory.get_all(filters={"kind": "item"})["results"]
        say(memory, OTHERS[:2])
        (found,) = memory.search("loom", filters={"tags": "memory:working"}, top_k=1)["results"]

        assert memory.get(item["id"])["tags"] == [t for t in item["tags"] if "working" not in t]
        assert item["tags"][:2] == ["memory:working", "memory:long-term"]
        assert found["memory"] == OTHERS[1]


def test_working_memory_survives_reopening(tmp_path: Path) -> None:
    """It is in the file, and goes on from there."""
    path = tmp_path / "memory.db"
    with Memory.open(path, preset="memos", clock=lambda: NOW, durability="off") as memory:
        say(memory, [KEY, *OTHERS])
        before = at_hand(memory)
    with Memory.open(path, preset="memos", clock=lambda: NOW) as memory:
        kept = at_hand(memory)
        say(memory, ["The dog sleeps."])

        assert kept == before
        assert at_hand(memory) == sorted([*before, "The dog sleeps."])


def test_the_log_tells_what_arrived(tmp_path: Path) -> None:
    """An answer is an assistant's, an update was said before."""
    with opened(tmp_path) as memory:
        memory.add(
            [
                {"role": "user", "content": KEY, "time": NOW},
                {"role": "user", "content": WHERE, "time": NOW + 1},
                {"role": "assistant", "content": "Under the flowerpot, Ana.", "time": NOW + 2},
            ]
        )
        first = memory.log(1)[0]
        raw = memory.get_all(filters={"kind": "raw"})["results"][0]["id"]
        memory.update(raw, "The spare key is with Pavel.")

        assert (first["method"], first["reason"]) == ("working", "1 add, 1 answer, 1 query")
        assert memory.log(1)[0]["reason"] == "1 update"
        assert at_hand(memory) == ["The spare key is with Pavel.", "Under the flowerpot, Ana."]


def test_a_model_says_what_is_missing_and_what_helps(tmp_path: Path) -> None:
    """It sees numbered texts; what helps comes first, so it stays when there is little room."""
    model = Script({"intent": {"missing": ["spare", "key"]}, "ranking": {"order": [2]}})
    with opened(tmp_path, model, most=1, found=2) as memory:
        say(memory, [KEY, *OTHERS, "And now?"])

        intent, ranking = model.asked
        third = ranking.content.splitlines()[-1]
        assert f"[0] {OTHERS[-1]}" in intent.content
        assert KEY in ranking.content
        assert at_hand(memory) == [third.removeprefix("[2] ")]


def test_a_model_that_is_content_brings_nothing(tmp_path: Path) -> None:
    """An empty list of what is missing is an answer, no answer is none."""
    content = Script({"intent": {"missing": []}})
    with (
        opened(tmp_path, content, most=3) as advised,
        opened(tmp_path, Script({}), most=3) as silent,
    ):
        for memory in (advised, silent):
            say(memory, [KEY, *OTHERS[:3], WHERE])

        assert KEY not in at_hand(advised)
        assert KEY in at_hand(silent)
