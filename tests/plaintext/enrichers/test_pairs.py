"""Pairs of question and answer: what is kept, what ends what, and what a model may add."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from engram import Memory, catalogue
from engram.plaintext.advice import Advisor, Question
from engram.plaintext.enrichers.pairs import Pairs
from engram.plaintext.roles import Edit, EditPlan, Scope
from engram.plaintext.store.store import Store

NOW = 1_767_603_600.0
DAY = 86_400.0
Opened = Callable[..., Memory]


@dataclass
class Script:
    """An advisor that gives these answers, one a question, then None; it keeps the questions."""

    answers: list[Mapping[str, Any] | None] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)

    def ask(self, question: Question) -> Mapping[str, Any] | None:
        """The next answer."""
        self.asked.append(question)
        return self.answers.pop(0) if self.answers else None


@pytest.fixture
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """Opens a qa-memory whose pairs are made with these settings; nothing embeds."""
    memories: list[Memory] = []

    def open_(advisor: Advisor | None = None, **settings: Any) -> Memory:
        enrichers = [Pairs(advisor=advisor, **settings)]
        parts = {**catalogue.parts(catalogue.find("qa-memory")), "enrichers": enrichers}
        path = tmp_path_factory.mktemp("pairs") / "memory.db"
        memories.append(Memory(Store(path, durability="off"), parts, None, lambda: NOW))
        return memories[-1]

    yield open_
    for memory in memories:
        memory.close()


def say(memory: Memory, *texts: str, start: float = 0.0, **ids: Any) -> list[str]:
    """Texts of Ana, a day apart; the ids of the raw records."""
    return [
        memory.add({"name": "Ana", "content": text, "time": start + at * DAY}, **ids)["results"][0][
            "id"
        ]
        for at, text in enumerate(texts)
    ]


def pairs(memory: Memory, *states: str) -> list[tuple[str, str, str]]:
    """Question, answer and state of the pairs."""
    found = memory.get_all(filters={"kind": "qa"}, states=states or ("active",))["results"]
    return sorted((p["fields"]["question"], p["fields"]["answer"], p["state"]) for p in found)


def again(memory: Memory) -> EditPlan:
    """What the enricher would do if it saw everything once more."""
    with memory.store.read(Scope()) as view:
        view.narrow(NOW, None, None, None)
        raws = view.records(np.flatnonzero(view.live & view.columns.of_kind("raw")))
        return Pairs().enrich(raws, NOW, view)


def test_a_pair_is_its_question_and_its_answer(opened: Opened) -> None:
    """It rests on the characters that answer."""
    memory = opened()
    (raw,) = say(memory, "Hello, I live in Bergen.")

    (found,) = memory.get_all(filters={"kind": "qa"})["results"]

    assert found["memory"] == "Where does Ana live? Bergen"
    with memory.store.read(Scope()) as view:
        record = view.get(found["id"])
        assert record is not None
        (source,) = record.sources
    assert source.record == raw
    assert "Hello, I live in Bergen."[source.start : source.end] == "Bergen"


def test_a_newer_answer_ends_the_older(opened: Opened) -> None:
    """Where one alone can hold; whatever the order in which they come in."""
    early, late = opened(), opened()
    say(early, "I live in Bergen.", "I live in Oslo.")
    say(late, "I live in Oslo.", start=DAY)
    say(late, "I live in Bergen.")

    expected = [("Where does Ana live?", "Bergen", "archived")]
    expected += [("Where does Ana live?", "Oslo", "active")]
    assert pairs(early, "active", "archived") == expected
    assert pairs(late, "active", "archived") == expected


def test_answers_that_can_hold_together_do(opened: Opened) -> None:
    """Two allergies are no contradiction."""
    memory = opened()
    say(memory, "I am allergic to nuts.", "I am allergic to shrimp.")

    assert [answer for _, answer, _ in pairs(memory)] == ["nuts", "shrimp"]


def test_what_is_told_again_is_held_once_and_goes_with_the_first_that_is_erased(
    opened: Opened,
) -> None:
    """It rests on both; an erase spares nothing that was made of what it takes."""
    memory = opened()
    first, second = say(memory, "I live in Bergen.", "By the way, I live in Bergen.")
    assert len(pairs(memory)) == 1

    memory.erase(first)

    assert pairs(memory, "active", "archived", "merged") == []
    assert memory.get(second)["memory"] == "By the way, I live in Bergen."


def test_conversations_keep_pairs_of_their_own(opened: Opened) -> None:
    """Who may see one conversation alone finds what was told there."""
    memory = opened()
    say(memory, "I live in Bergen.", run_id="one")
    say(memory, "I live in Bergen.", start=DAY, run_id="two")

    assert len(pairs(memory)) == 2


def test_the_same_messages_again_change_nothing(opened: Opened) -> None:
    """Not those that were ended or held once either."""
    memory = opened()
    say(memory, "I live in Oslo.", "I live in Oslo!", "I live in Bergen.", "I love tea.")

    assert again(memory).edits == ()


def test_tools_and_assistants_answer_nothing(opened: Opened) -> None:
    """They repeat what they were told, or make it up."""
    memory = opened()
    memory.add({"role": "assistant", "content": "The capital of Norland is Osk."})

    assert pairs(memory) == []


@pytest.mark.parametrize("most", [0, 1])
def test_a_message_gives_so_many_pairs_and_no_more(opened: Opened, most: int) -> None:
    """The first ones."""
    memory = opened(most=most)
    say(memory, "The capital of Norland is Osk. The capital of Sudland is Usk.")

    assert [answer for _, answer, _ in pairs(memory)] == ["Osk"][:most]


def test_a_model_asks_more_and_passes_the_same_filter(opened: Opened) -> None:
    """What it makes up, says itself or copies from nowhere is dropped; the rules go on."""
    offered = [
        ("What did Ana paint?", "the fence"),
        ("What did Ana paint?", "the roof"),
        ("Where did Bob paint the fence?", "behind the barn"),
        ("Did Ana paint the fence?", "the fence"),
        ("Where does Ana live?", "green"),
    ]
    script = Script([{"pairs": [{"of": 0, "question": q, "answer": a} for q, a in offered]}])
    memory = opened(script)
    say(memory, "I live in Bergen. Ana painted the fence.")

    assert [(q, a) for q, a, _ in pairs(memory)] == [
        ("What did Ana paint?", "the fence"),
        ("Where does Ana live?", "Bergen"),
    ]
    assert "Ana: I live in Bergen." in script.asked[0].content


@pytest.mark.parametrize("answer", [None, {"pairs": []}])
def test_a_model_that_says_nothing_leaves_it_to_the_rules(opened: Opened, answer: Any) -> None:
    """No usable answer is no pair less."""
    memory = opened(Script([answer]))
    say(memory, "I live in Bergen.")

    assert pairs(memory) == [("Where does Ana live?", "Bergen", "active")]


def test_a_frozen_pair_waits_for_nobody(opened: Opened) -> None:
    """A newer answer to a frozen pair waits for approval, and the pair stays as it is."""
    memory = opened()
    say(memory, "I live in Bergen.")
    with memory.store.read(Scope()) as view:
        view.narrow(NOW, None, None, None)
        (pair,) = view.records(np.flatnonzero(view.live & view.columns.of_kind("qa")))
    with memory.store.write(NOW, method="test") as transaction:
        transaction.apply(EditPlan((Edit(replace(pair, frozen=True), basis=pair.version),)))

    say(memory, "I live in Oslo.", start=DAY)

    assert pairs(memory, "active", "generated") == [
        ("Where does Ana live?", "Bergen", "active"),
        ("Where does Ana live?", "Oslo", "generated"),
    ]
