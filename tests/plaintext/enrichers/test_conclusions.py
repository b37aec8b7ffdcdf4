"""What follows from two facts, when the second is told."""

from collections.abc import Iterator
from itertools import permutations

import numpy as np
import pytest

from engram import Memory
from engram.plaintext.enrichers.conclusions import Conclusions
from engram.plaintext.roles import EditPlan, Record, Scope

NOW, DAY = 1_767_603_600.0, 86_400.0
PARTNER = "My husband, Otto Quill, is tall."
WORK = "Otto Quill works at Norbank."
SEAT = "Norbank is based in Zatara."
FOLLOWS = "Ana's partner, Otto Quill, works at Norbank."
ALSO = "The place where Otto Quill works, Norbank, lives in Zatara."


@pytest.fixture
def memory() -> Iterator[Memory]:
    """An empty second-me memory without an embedder."""
    with Memory.open(
        ":memory:", preset="second-me", embedder="none", durability="off", clock=lambda: NOW
    ) as opened:
        yield opened


def say(memory: Memory, *texts: str, start: float = 0.0) -> list[str]:
    """Texts of Ana, a day apart, one by one; the ids of the raw records."""
    said = [{"name": "Ana", "content": t, "time": start + at * DAY} for at, t in enumerate(texts)]
    return [memory.add(each)["results"][0]["id"] for each in said]


def concluded(memory: Memory, *states: str) -> set[str]:
    """The texts of conclusions."""
    found = memory.get_all(filters={"kind": "conclusion"}, states=states or ("active",))
    return {each["memory"] for each in found["results"]}


def enriched(memory: Memory, settings: Conclusions) -> EditPlan:
    """What would be concluded from all of it at once."""
    with memory.store.read(Scope()) as view:
        view.narrow(NOW, None, None, None)
        raws: list[Record] = view.records(np.flatnonzero(view.live & view.columns.of_kind("raw")))
        return settings.enrich(raws, NOW, view)


@pytest.mark.parametrize("order", list(permutations((PARTNER, WORK, SEAT))))
def test_two_facts_are_joined_in_whatever_order_they_come(
    memory: Memory, order: tuple[str, ...]
) -> None:
    """Each pair of which one ends with what the other is about; a slow search finds no more."""
    say(memory, *order)
    facts = memory.get_all(filters={"kind": "fact"})["results"]
    tails = [fact["fields"] for fact in facts]
    joined = sum(a["tail"].lower() == b["head"] for a in tails for b in tails)

    assert concluded(memory) == {FOLLOWS, ALSO}
    assert joined == 2


def test_a_conclusion_rests_on_both_messages_and_names_both_facts(memory: Memory) -> None:
    """So it can be checked, and found by whoever said it."""
    ids = say(memory, PARTNER, WORK)

    (found,) = memory.search("Where does the partner of Ana work?", top_k=1)["results"]

    assert found["memory"] == FOLLOWS
    assert {source["id"] for source in found["sources"]} == set(ids)
    assert found["fields"]["first"] == "Ana's partner is Otto Quill"
    assert found["fields"]["second"] == "Otto Quill works at Norbank"
    assert found["fields"]["answer"] == "Norbank"


def test_it_falls_when_one_of_its_facts_ends(memory: Memory) -> None:
    """And what follows from the new fact stands."""
    say(memory, PARTNER, WORK)
    say(memory, "Otto Quill works at Sudbank.", start=5 * DAY)

    assert concluded(memory) == {"Ana's partner, Otto Quill, works at Sudbank."}
    assert concluded(memory, "archived") == {FOLLOWS}


@pytest.mark.parametrize("which", [0, 1])
def test_it_is_erased_with_either_message(memory: Memory, which: int) -> None:
    """It holds words of both."""
    ids = say(memory, PARTNER, WORK)

    memory.erase(ids[which])

    assert concluded(memory, "active", "archived", "merged") == set()
    assert memory.check()["ok"]


def test_the_same_messages_again_conclude_nothing_more(memory: Memory) -> None:
    """Nor do unrelated ones."""
    say(memory, PARTNER, WORK, "I love tea.")

    assert enriched(memory, Conclusions()).edits == ()


@pytest.mark.parametrize("texts", [(), ("I love tea.",), (PARTNER, "Otto Quill is fun."), ("?",)])
def test_one_fact_alone_concludes_nothing(memory: Memory, texts: tuple[str, ...]) -> None:
    """Two are needed, and they must meet."""
    say(memory, *texts)

    assert concluded(memory) == set()


def test_a_fact_is_joined_with_no_more_than_the_most(memory: Memory) -> None:
    """A firm where many work would else be concluded from for ever."""
    say(memory, *(f"{name} Quill works at Norbank." for name in ("Ada", "Bea", "Cleo", "Dora")))
    memory.add({"name": "Ana", "content": SEAT, "time": 9 * DAY}, infer=True)
    assert len(concluded(memory)) == 4

    plan = enriched(memory, Conclusions(most=0))

    assert plan.edits == ()
