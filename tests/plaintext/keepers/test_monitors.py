"""Monitors: what was read lately is at hand, what is read often is advised for activation."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from engram import Memory, catalogue
from engram.plaintext.keepers.monitors import DAY, Monitors
from engram.plaintext.store.store import Store
from engram.testing.ports import Hand

START = "2026-01-05T09:00"
KEY, ASKED = "The spare key is under the blue flowerpot.", "Where is the spare key?"
OTHERS = [f"The {thing} was sold." for thing in "kayak loom sail boat".split()]


@contextmanager
def opened(tmp_path: Any, **settings: Any) -> Iterator[tuple[Memory, Hand]]:
    """A memos memory with these monitors and no other keeper, and its clock."""
    clock = Hand()
    clock.set(START)
    parts = catalogue.parts(catalogue.find("memos"))
    parts = {**parts, "keepers": [Monitors(**settings)]}
    store = Store(tmp_path / "memory.db", durability="off", embedder=None)
    with Memory(store, parts, None, clock) as memory:
        yield memory, clock


def say(memory: Memory, texts: Sequence[str]) -> None:
    """Add messages, one by one."""
    for text in texts:
        memory.add(text)


def read(memory: Memory, times: int = 1, tokens: int = 80) -> None:
    """Have the best answer packed into a prompt, alone."""
    for _ in range(times):
        assert len(memory.context(ASKED, tokens=tokens)["ids"]) == 1


def advice(memory: Memory, state: str = "generated") -> list[dict[str, Any]]:
    """The promotion records in a state."""
    found = memory.get_all(states=[state], filters={"kind": "promotion"})["results"]
    return [dict(each) for each in found]


def at_hand(memory: Memory) -> set[str]:
    """The texts of the items in working memory."""
    found = memory.get_all(filters={"tags": "memory:working"})["results"]
    return {each["memory"] for each in found}


def test_what_was_read_lately_is_at_hand(tmp_path: Any) -> None:
    """Until it was read too long ago; the most that there is room for."""
    with opened(tmp_path, most=2, uses=9) as (memory, clock):
        say(memory, [KEY, *OTHERS])
        read(memory)
        memory.tend()

        assert at_hand(memory) == {KEY, OTHERS[-1]}
        assert memory.tend()["changed"] == {}

        clock.at += 2 * DAY
        say(memory, ["The dog sleeps."])

        assert memory.tend()["changed"] == {"monitors": 1}
        assert at_hand(memory) == {OTHERS[-1], "The dog sleeps."}


def test_what_is_read_often_is_advised(tmp_path: Any) -> None:
    """It waits for approval, is never recalled, names items and holds no word of them."""
    with opened(tmp_path) as (memory, clock):
        say(memory, [KEY, *OTHERS])
        read(memory, 3)
        memory.tend()
        early = advice(memory)
        clock.at += 2 * DAY
        memory.tend()
        (one,) = advice(memory)
        (item,) = [
            each
            for each in memory.get_all(filters={"kind": "item"})["results"]
            if each["memory"] == KEY
        ]

        assert early == []
        assert one["fields"]["items"] == [item["id"]]
        assert one["memory"] == "Hold 1 memories, 42 characters, as activation memory."
        assert memory.search("activation memory")["results"] == []
        assert memory.check()["ok"]


@pytest.mark.parametrize(("uses", "days"), [(2, 2.0), (3, 0.5)])
def test_what_is_read_seldom_or_is_new_is_not_advised(
    tmp_path: Any, uses: int, days: float
) -> None:
    """Both the count and the time are settings."""
    with opened(tmp_path) as (memory, clock):
        say(memory, [KEY, *OTHERS])
        read(memory, uses)
        clock.at += days * DAY
        memory.tend()

        assert advice(memory) == []


def test_the_same_advice_is_given_once(tmp_path: Any) -> None:
    """More reading of the same changes nothing; nor is what was turned down advised again."""
    with opened(tmp_path) as (memory, clock):
        say(memory, [KEY, *OTHERS])
        read(memory, 3)
        clock.at += 2 * DAY
        memory.tend()
        (first,) = advice(memory)
        read(memory, 3)
        again = memory.tend()["changed"]
        memory.delete(first["id"])
        memory.tend()

        assert again == {}
        assert advice(memory) == []


def test_advice_follows_what_is_read(tmp_path: Any) -> None:
    """Other items, other advice; the one before is archived; it may come back."""
    with opened(tmp_path, promoted=1) as (memory, clock):
        say(memory, [KEY, *OTHERS])
        read(memory, 3)
        clock.at += 2 * DAY
        memory.tend()
        for _ in range(4):
            memory.context("the loom", tokens=60)
        memory.tend()
        (second,) = advice(memory)
        read(memory, 4)
        memory.tend()
        (third,) = advice(memory)

        assert len(advice(memory, "archived")) == 2
        assert second["fields"]["items"] != third["fields"]["items"]
        assert memory.check()["ok"]


def test_advice_ends_with_what_it_names(tmp_path: Any) -> None:
    """An erased message takes its item and all advice that rests on nothing else along."""
    with opened(tmp_path) as (memory, clock):
        say(memory, [KEY, *OTHERS])
        read(memory, 3)
        clock.at += 2 * DAY
        memory.tend()
        (raw,) = [
            each
            for each in memory.get_all(filters={"kind": "raw"})["results"]
            if each["memory"] == KEY
        ]
        memory.erase(raw["id"])
        memory.tend()

        assert advice(memory) + advice(memory, "archived") == []


def test_an_item_that_is_put_out_of_recall_is_advised_no_longer(tmp_path: Any) -> None:
    """The advice is laid down."""
    with opened(tmp_path) as (memory, clock):
        say(memory, [KEY, *OTHERS])
        read(memory, 3)
        clock.at += 2 * DAY
        memory.tend()
        (one,) = advice(memory)
        memory.delete(one["fields"]["items"][0])
        memory.tend()

        assert advice(memory) == []


def test_a_conversation_alone_is_not_advised(tmp_path: Any) -> None:
    """Activation memory is of all that is known."""
    with opened(tmp_path) as (memory, clock):
        memory.add(KEY, run_id="chat")
        read(memory, 3)
        clock.at += 2 * DAY
        memory.tend(run_id="chat")

        assert advice(memory) == []
