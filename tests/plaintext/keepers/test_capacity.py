"""Capacity: a tier that is full archives its oldest, a share at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from engram import Memory
from engram.plaintext.keepers.capacity import Capacity
from engram.plaintext.roles import Edit, EditPlan, Scope

NOW = 1_767_603_600.0
THINGS = "kayak loom sail boat lamp harp kiln".split()


def opened(texts: Sequence[str]) -> Memory:
    """A memos memory to which this was said, with two items at hand."""
    memory = Memory.open(
        ":memory:", preset="memos", embedder="none", durability="off", clock=lambda: NOW
    )
    for at, text in enumerate(texts):
        memory.add({"content": text, "role": "user", "time": NOW - 1e5 + at})
    with memory.store.read(Scope()) as view:
        view.narrow(NOW, None, None, None)
        rows = np.flatnonzero(view.live & view.columns.of_kind("item"))
        found = view.records(rows)
        edits = []
        for item in sorted(found, key=lambda each: each.event_time or 0)[:-2]:
            tags = tuple(tag for tag in item.tags if tag != "memory:working")
            about = {**item.fields, "head": item.fields["home"]}
            edits.append(Edit(replace(item, tags=tags, fields=about), basis=item.version))
    with memory.store.write(NOW, method="test") as transaction:
        transaction.apply(EditPlan(tuple(edits)))
    return memory


def archived(memory: Memory, tiers: Mapping[str, int], most: float = 1.0) -> list[str]:
    """What would be archived."""
    with memory.store.read(Scope()) as view:
        view.narrow(NOW, None, None, None)
        plan = Capacity(tiers, most).keep(NOW, view)
    assert all(edit.record.state == "archived" for edit in plan.edits)
    return [edit.record.text for edit in plan.edits]


def test_the_oldest_of_a_tier_make_room() -> None:
    """Those at hand do not count; a tier that is not full loses nothing."""
    texts = [f"The {thing} was sold." for thing in THINGS]
    with opened(texts) as memory:
        assert archived(memory, {"long-term": 3}) == texts[:2]
        assert archived(memory, {"long-term": 5}) == []
        assert archived(memory, {"user": 0}) == []


def test_tiers_are_counted_apart() -> None:
    """What somebody tells of themselves is user memory."""
    told = ["I live in Oslo.", "My cat is called Momo.", "I love tea.", *THINGS[:2]]
    with opened([*told[:3], "The kayak was sold.", "The loom was sold."]) as memory:
        assert archived(memory, {"user": 1, "long-term": 0})[-1:] == ["My cat is called Momo."]


def test_a_run_archives_at_most_a_share() -> None:
    """Rounded up, so that it goes on."""
    texts = [f"The {thing} was sold." for thing in THINGS]
    with opened(texts) as memory:
        assert archived(memory, {"long-term": 0}, most=0.3) == texts[:2]
        assert archived(memory, {"long-term": 0}, most=0.0) == []


def test_frozen_items_stay_and_messages_are_untouched() -> None:
    """The next oldest goes; what was said is there."""
    texts = [f"The {thing} was sold." for thing in THINGS]
    with opened(texts) as memory:
        with memory.store.write(NOW, method="test") as transaction:
            (first,) = [
                each
                for each in memory.get_all(filters={"kind": "item"})["results"]
                if each["memory"] == texts[0]
            ]
            held = transaction.view(Scope()).get(first["id"])
            assert held is not None
            transaction.apply(EditPlan((Edit(replace(held, frozen=True), basis=held.version),)))

        assert archived(memory, {"long-term": 4}) == texts[1:2]


def test_nothing_is_nothing_to_archive() -> None:
    """An empty memory, and one with room."""
    with opened([]) as memory:
        assert archived(memory, {"long-term": 0, "user": 0}) == []
