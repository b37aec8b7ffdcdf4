"""The tree: topics and concepts over items, and what becomes of them as items come and go."""

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engram import Memory, catalogue
from engram.plaintext.advice import Advisor
from engram.plaintext.keepers.tree import Tree
from engram.plaintext.roles import Record, Scope
from engram.plaintext.store.store import Store
from engram.testing.ports import Buckets, Script

NOW = 1_767_603_600.0
WORDS = Buckets(dimension=512)
BOATS, BREAD = "mast keel rudder harbour regatta anchor", "dough yeast oven flour crust loaf"
BEES = "hive honey queen swarm wax drone"


Opened = Callable[..., Memory]


@pytest.fixture
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """Opens a memos memory whose items are organised with these settings."""
    memories: list[Memory] = []

    def open_(advisor: Advisor | None = None, *, embedded: bool = True, **settings: Any) -> Memory:
        keeper = Tree(advisor=advisor, **{"candidates": 4, "near": 0.2} | settings)
        encoder = WORDS if embedded else None
        parts = catalogue.parts(catalogue.find("memos"), {"embedder": encoder})
        path = tmp_path_factory.mktemp("tree") / "memory.db"
        known = (WORDS.name, WORDS.dimension) if embedded else None
        store = Store(path, durability="off", embedder=known)
        memories.append(Memory(store, {**parts, "keepers": [keeper]}, encoder, lambda: NOW))
        return memories[-1]

    yield open_
    for memory in memories:
        memory.close()


def texts(words: str, count: int) -> list[str]:
    """Different sentences about one subject."""
    drawn = random.Random(3).sample([*combinations(words.split(), 4)], count)
    return [f"{', '.join(each)}." for each in drawn]


def say(memory: Memory, said: Sequence[str]) -> list[str]:
    """Add messages; the ids of the raw records."""
    messages = [{"name": "Ana", "content": text, "time": NOW - 1e5} for text in said]
    results = memory.add(messages)["results"]
    return [each["id"] for each in results if each["kind"] == "raw"]


def parents(memory: Memory, *kinds: str) -> list[Record]:
    """The parents that stand."""
    with memory.store.read(Scope()) as view:
        view.narrow(NOW, None, None, None)
        mine = view.live & view.columns.of_kind(*(kinds or ("topic", "concept")))
        return view.records(np.flatnonzero(mine))


def below(memory: Memory, parent: Record) -> set[str]:
    """The texts of the items under a parent."""
    found = set()
    for child in parent.parents:
        record = memory.get(child)
        if record["kind"] == "item":
            found.add(record["memory"])
        else:
            (under,) = [each for each in parents(memory) if each.id == child]
            found |= below(memory, under)
    return found


def test_items_of_one_subject_have_one_topic(opened: Opened) -> None:
    """Named by their words, quoting some, with an edge to each."""
    memory = opened()
    say(memory, [*texts(BOATS, 5), *texts(BREAD, 6)])
    memory.tend()
    bread, boats = parents(memory)

    assert below(memory, bread) == set(texts(BREAD, 6))
    assert below(memory, boats) == set(texts(BOATS, 5))
    assert boats.links == dict.fromkeys(boats.parents, "parent")
    assert set(boats.tags) <= set(BOATS.split())
    assert boats.text.startswith(f"{', '.join(boats.tags)}. Ana: ")
    assert memory.check()["ok"]


def test_a_large_topic_is_parted_into_concepts(opened: Opened) -> None:
    """None of which has more than so many items; every item is under one of them."""
    memory = opened(most=6)
    say(memory, [*texts(BOATS, 14), *texts(BREAD, 5), *texts(BEES, 5)])
    memory.tend()
    topic = max(parents(memory, "topic"), key=lambda each: len(below(memory, each)))
    concepts = parents(memory, "concept")

    assert below(memory, topic) == set(texts(BOATS, 14))
    assert {each.id for each in concepts} <= set(topic.parents)
    assert all(4 <= len(below(memory, each)) <= 6 for each in concepts)
    assert sum(len(below(memory, each)) for each in concepts) <= 14


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_items_have_no_tree(opened: Opened, count: int) -> None:
    """Nor have items that are near nothing, however many."""
    memory = opened()
    say(memory, texts(BOATS, count))
    say(memory, ["The kayak was sold.", "Momo hates rain.", "Quentin plays chess."])
    memory.tend()

    assert parents(memory) == []


def test_without_vectors_shared_words_make_topics(opened: Opened) -> None:
    """The rules need no embedder."""
    memory = opened(embedded=False)
    say(memory, [*texts(BOATS, 5), *texts(BREAD, 5)])
    memory.tend()

    found = [below(memory, each) for each in parents(memory)]
    assert sorted(map(sorted, found)) == sorted(map(sorted, (texts(BOATS, 5), texts(BREAD, 5))))


def test_organising_again_changes_nothing(opened: Opened) -> None:
    """Nor is a model asked again."""
    model = Script({})
    memory = opened(model, most=6)
    say(memory, [*texts(BOATS, 14), *texts(BREAD, 5)])
    memory.tend()
    asked = len(model.asked)

    assert memory.tend()["changed"] == {}
    assert len(model.asked) == asked > 0


def test_a_topic_grows_with_its_items(opened: Opened) -> None:
    """Another takes its place; the first is archived, and topics that are the same stay."""
    memory = opened()
    say(memory, [*texts(BOATS, 5), *texts(BREAD, 5)])
    memory.tend()
    before = {each.id for each in parents(memory)}
    say(memory, texts(BOATS, 7)[5:])
    memory.tend()
    after = {each.id for each in parents(memory)}

    assert len(before & after) == 1
    assert sorted(len(below(memory, each)) for each in parents(memory)) == [5, 7]


def test_one_run_replaces_at_most_a_share_of_the_topics(opened: Opened) -> None:
    """The others wait for the next run, and no item is under two topics meanwhile."""
    memory = opened(share=0.1)
    for words in (BOATS, BREAD, BEES):
        say(memory, texts(words, 5))
    memory.tend()
    first = {each.id for each in parents(memory)}
    for words in (BOATS, BREAD, BEES):
        say(memory, texts(words, 7)[5:])
    sizes = []
    for _ in range(4):
        memory.tend()
        sizes.append(sorted(len(below(memory, each)) for each in parents(memory)))

    assert len(first) == 3
    assert sizes == [[5, 5, 7], [5, 7, 7], [7, 7, 7], [7, 7, 7]]


def test_an_erased_message_takes_its_words_out_of_the_tree(opened: Opened) -> None:
    """At once where it is quoted, and the next run makes the topic anew without it."""
    memory = opened()
    raws = say(memory, [*texts(BOATS, 5), "mast, keel, rudder, xylophonquartz."])
    memory.tend()
    memory.erase(raws[-1])

    assert not any("xylophonquartz" in each.text for each in parents(memory))
    memory.tend()
    (topic,) = parents(memory)
    assert below(memory, topic) == set(texts(BOATS, 5))
    assert b"xylophonquartz" not in Path(memory.path).read_bytes()


def test_a_topic_that_was_turned_down_is_not_made_again(opened: Opened) -> None:
    """Until its items change."""
    model = Script({})
    memory = opened(model)
    say(memory, texts(BOATS, 5))
    memory.tend()
    (topic,) = parents(memory)
    memory.delete(topic.id)
    asked = len(model.asked)
    memory.tend()

    assert parents(memory) == []
    assert len(model.asked) == asked


def test_a_model_splits_by_theme_and_sums_up(opened: Opened) -> None:
    """Themes of four and more; an item is in the first theme that names it."""
    split = {"themes": [{"members": [0, 1, 2, 3]}, {"members": [3, 4, 5, 6, 7]}, {"members": [8]}]}
    words = {"title": "the boat", "text": "The boat has a mast, a keel and a rudder."}
    memory = opened(Script({"themes": split, "summary": words}), small=8)
    say(memory, [*texts(BOATS, 10), *texts(BREAD, 5), *texts(BEES, 5)])
    memory.tend()
    topic = max(parents(memory, "topic"), key=lambda each: len(below(memory, each)))
    concepts = parents(memory, "concept")

    assert sorted(len(each.parents) for each in concepts) == [4, 4]
    assert len(topic.parents) == 4
    assert {each.text for each in (topic, *concepts)} == {f"the boat. {words['text']}"}
    assert len(topic.sources) == 10


@pytest.mark.parametrize("text", ["Zorro robs a bank in Paris.", "The mast. " * 99])
def test_a_summary_that_is_made_up_or_long_is_not_taken(opened: Opened, text: str) -> None:
    """The rules write it."""
    plain = opened()
    advised = opened(Script({"summary": {"title": "boats", "text": text}}))
    for memory in (plain, advised):
        say(memory, texts(BOATS, 5))
        memory.tend()

    assert [each.text for each in parents(plain)] == [each.text for each in parents(advised)]


def test_a_conversation_alone_has_no_tree(opened: Opened) -> None:
    """It is of all that is known."""
    memory = opened()
    for text in texts(BOATS, 5):
        memory.add(text, run_id="chat")
    memory.tend(run_id="chat")

    assert parents(memory) == []
