"""Items: what is read out of messages, what gives way to what, and what is left when it goes."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engram import Memory, catalogue
from engram.plaintext.advice import Advisor
from engram.plaintext.enrichers.items import Items
from engram.plaintext.roles import Edit, EditPlan, Record, Scope
from engram.plaintext.store.store import Store
from engram.testing.ports import Buckets, Script

NOW = 1_767_603_600.0
WORDS = Buckets(dimension=512)
ATTIC = "Ana stores her telescope in the attic all winter."
CELLAR = "Ana stores her telescope in the cellar all winter."
LATE = "Momo chased a lizard over the fence."
FUSED = "Ana stores her telescope in the cellar all winter, not in the attic."


Opened = Callable[..., Memory]


@pytest.fixture
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """Opens a memos memory whose items are made with these settings."""
    memories: list[Memory] = []

    def open_(advisor: Advisor | None = None, **settings: Any) -> Memory:
        enricher = Items(embedder=WORDS, advisor=advisor, **settings)
        parts = {**catalogue.parts(catalogue.find("memos")), "enrichers": [enricher]}
        path = tmp_path_factory.mktemp("items") / "memory.db"
        store = Store(path, durability="off", embedder=(WORDS.name, WORDS.dimension))
        memories.append(Memory(store, parts, WORDS, lambda: NOW))
        return memories[-1]

    yield open_
    for memory in memories:
        memory.close()


def say(memory: Memory, *texts: str, name: str | None = "Ana", **ids: Any) -> list[str]:
    """Add messages one by one, an hour apart; the ids of the raw records."""
    said = len(memory.get_all(filters={"kind": "raw"})["results"])
    return [
        memory.add({"name": name, "content": text, "time": NOW - 1e5 + 3600 * (said + at)}, **ids)[
            "results"
        ][0]["id"]
        for at, text in enumerate(texts)
    ]


def items(memory: Memory) -> dict[str, Record]:
    """The items by their text, whatever their state."""
    with memory.store.read(Scope()) as view:
        mine = view.columns.of_kind("item") & (view.columns.known_to == np.inf)
        found = view.records(np.flatnonzero(mine))
    return {item.text: item for item in found}


def standing(memory: Memory) -> set[str]:
    """The texts of the items that are active."""
    return {text for text, item in items(memory).items() if item.state == "active"}


def conflict(text: str = FUSED, contradicted: tuple[int, ...] = (0,)) -> Script:
    """A model that finds near items contradicted."""
    answer = {"contradicted": list(contradicted), "repeated": [], "text": text}
    return Script({"conflict": answer})


def test_a_message_is_an_item_with_a_title_and_tags(opened: Opened) -> None:
    """Of its rarest words, without the speaker; a greeting says nothing to file."""
    memory = opened()
    (raw,) = say(memory, "Quentin Varga keeps bees.")
    say(memory, "Hi!")
    (item,) = items(memory).values()

    assert item.fields["title"] == "Quentin Varga keeps"
    assert item.tags == ("memory:long-term", "Quentin", "Varga", "keeps", "bees")
    assert [source.record for source in item.sources] == [raw]


def test_what_somebody_tells_of_themselves_is_user_memory(opened: Opened) -> None:
    """By the rules that read facts; a filter finds the tier."""
    memory = opened()
    say(memory, "I live in Oslo.", LATE)

    found = memory.get_all(filters={"tags": "memory:user"})["results"]

    assert [each["memory"] for each in found] == ["I live in Oslo."]


def test_an_item_follows_the_one_before_in_its_conversation(opened: Opened) -> None:
    """Conversations do not follow one another, in one batch or in several."""
    memory = opened()
    say(memory, ATTIC, LATE, run_id="one")
    say(memory, "The kayak costs ninety crowns.", run_id="two")
    found = items(memory)

    assert found[LATE].links == {found[ATTIC].id: "follows"}
    assert found["The kayak costs ninety crowns."].links == {}


def test_the_newer_of_one_slot_stands(opened: Opened) -> None:
    """However far the wordings are apart; the older is archived, and its edges are taken over."""
    memory = opened()
    say(memory, "I live in Bergen.", LATE, "I moved to Oslo.")
    found = items(memory)
    old, new = found["I live in Bergen."], found["I moved to Oslo."]

    assert standing(memory) == {LATE, "I moved to Oslo."}
    assert (old.state, old.superseded_by, old.links[new.id]) == ("archived", new.id, "merged_to")
    assert new.links == {found[LATE].id: "follows"}
    assert memory.get(new.sources[0].record)["state"] == "active"
    assert memory.check()["ok"]


def test_an_edge_that_led_to_what_gave_way_is_seen_from_the_other_end(opened: Opened) -> None:
    """What followed it is preceded by what stands in its place."""
    memory = opened()
    say(memory, "I live in Bergen.", LATE, "The kayak costs ninety crowns.", "I moved to Oslo.")
    found = items(memory)

    assert found["I moved to Oslo."].links[found[LATE].id] == "precedes"


def test_what_is_said_again_is_held_once(opened: Opened) -> None:
    """The newer wording stands when it says every word of the older."""
    memory = opened()
    say(memory, "The kayak costs ninety crowns.", "The kayak costs ninety crowns!")
    say(memory, ATTIC, CELLAR)

    assert standing(memory) == {"The kayak costs ninety crowns!", ATTIC, CELLAR}


@pytest.mark.parametrize("how", ["another speaker", "frozen", "a quota of none", "a later time"])
def test_an_item_stays_where_it_may_not_give_way(opened: Opened, how: str) -> None:
    """Whatever a model finds."""
    settings = {"most": 0.0} if how == "a quota of none" else {}
    memory = opened(conflict(), **settings)
    if how == "a later time":
        memory.add({"name": "Ana", "content": ATTIC, "time": NOW})
    else:
        say(memory, ATTIC)
    if how == "frozen":
        with memory.store.write(NOW, method="test") as transaction:
            old = items(memory)[ATTIC]
            edit = Edit(replace(old, frozen=True), basis=old.version)
            transaction.apply(EditPlan((edit,)))
    say(memory, CELLAR, name="Ben" if how == "another speaker" else "Ana")

    assert standing(memory) == {ATTIC, CELLAR}


def test_a_model_fuses_what_it_finds_contradicted(opened: Opened) -> None:
    """One stands, two are archived with an edge to it, and it rests on both messages."""
    memory = opened(conflict())
    old, _, new = say(memory, ATTIC, LATE, CELLAR)
    found = items(memory)
    fused = found[FUSED]

    assert standing(memory) == {FUSED, LATE}
    assert [found[text].links[fused.id] for text in (ATTIC, CELLAR)] == ["merged_to"] * 2
    assert {source.record for source in fused.sources} == {old, new}
    assert fused.links == {found[LATE].id: "follows"}


@pytest.mark.parametrize("gone", [0, 1])
def test_a_fused_item_goes_with_either_message(opened: Opened, gone: int) -> None:
    """No word of it is left, and what the other message says stands again."""
    memory = opened(conflict())
    raws = say(memory, ATTIC, CELLAR)

    memory.erase(raws[gone])

    left = (CELLAR, ATTIC)[gone]
    assert standing(memory) == {left}
    assert ("attic", "cellar")[gone].encode() not in Path(memory.path).read_bytes()
    assert memory.check()["ok"]


@pytest.mark.parametrize(
    "text",
    ["", "Nobody knows where anything is.", FUSED * 3, "Ana stores her telescope.", ATTIC],
)
def test_a_text_that_may_not_stand_leaves_the_newer_one(opened: Opened, text: str) -> None:
    """Empty, made up, longer than both or the old one again: fusing failed, so the newer wins."""
    memory = opened(conflict(text))
    say(memory, ATTIC, CELLAR)

    kept = {text} if text == "Ana stores her telescope." else {CELLAR}
    assert standing(memory) == kept


def test_independent_items_both_stand(opened: Opened) -> None:
    """A model that finds no conflict changes nothing, and sees the old one behind a number."""
    model = conflict("", ())
    memory = opened(model)
    say(memory, ATTIC, CELLAR)

    assert standing(memory) == {ATTIC, CELLAR}
    assert f"[0] {ATTIC}" in model.asked[-1].content


def test_a_model_writes_items(opened: Opened) -> None:
    """Those that the message bears out; a tag cannot name a tier."""
    said = {"title": "bees", "tags": ["bees", "memory:user"], "personal": True, "message": 0}
    made = [{**said, "text": text} for text in ("Quentin keeps bees.", "Zorro robs a bank.")]
    memory = opened(Script({"items": {"items": made}}))
    say(memory, "Well, Quentin now keeps bees, would you believe it?")
    (item,) = items(memory).values()

    assert item.text == "Quentin keeps bees."
    assert item.tags == ("memory:user", "bees")


def test_a_model_that_says_nothing_changes_nothing(opened: Opened) -> None:
    """The rules read then."""
    plain, advised = opened(), opened(Script({}))
    for memory in (plain, advised):
        say(memory, ATTIC, "I live in Oslo.", LATE)

    assert standing(plain) == standing(advised) == {ATTIC, "I live in Oslo.", LATE}


def test_a_message_that_is_rewritten_makes_another_item(opened: Opened) -> None:
    """What was read out of the old text is withdrawn."""
    memory = opened()
    (raw,) = say(memory, ATTIC)

    memory.update(raw, LATE)

    assert standing(memory) == {LATE}
