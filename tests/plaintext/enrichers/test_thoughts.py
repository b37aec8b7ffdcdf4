"""Thoughts are inserted, forgotten and merged by what they are about, in whatever order."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram.memory import Memory
from engram.plaintext.advice import Question
from engram.plaintext.enrichers.thoughts import Thoughts, settled
from engram.plaintext.roles import Record, Scope, State, View

Look = Callable[..., AbstractContextManager[View]]
NOW = 1_700_000_000.0
DAY = 86_400.0
Told = Sequence[tuple[str, int]]


class Scripted:
    """An advisor that says what it is told to say, and keeps what it was asked."""

    def __init__(self, *answers: Mapping[str, Any] | None) -> None:
        self.answers = list(answers)
        self.asked: list[Question] = []

    def ask(self, question: Question) -> Mapping[str, Any] | None:
        self.asked.append(question)
        return self.answers.pop(0)


def slot(told: Told, *, functional: bool) -> list[Record]:
    """Thoughts of one slot: tails, and the days from which they hold."""
    return [
        Record(
            str(uuid.UUID(int=number + 1)),
            tail,
            kind="thought",
            fields={"tail": tail, "functional": functional},
            valid_from=day * DAY,
        )
        for number, (tail, day) in enumerate(told)
    ]


def one_after_the_other(told: Told) -> list[tuple[str, float, float | None]]:
    """Tail, begin and end of each interval of a functional slot, told in the order of time."""
    spans = sorted(((tail.lower(), day) for tail, day in told), key=lambda span: span[::-1])
    firsts = [span for at, span in enumerate(spans) if at == 0 or spans[at - 1][0] != span[0]]
    ends = [day * DAY for _, day in firsts[1:]]
    return [(tail, day * DAY, end) for (tail, day), end in zip(firsts, [*ends, None], strict=False)]


tellings = st.lists(
    st.tuples(st.sampled_from(["Oslo", "oslo", "Bergen", "Rome"]), st.integers(0, 9)), max_size=7
)


@given(tellings)
@example([("Oslo", 1), ("Bergen", 2), ("oslo", 3)])
def test_a_slot_for_one_thing_holds_them_one_after_the_other(told: Told) -> None:
    """The newest holds, each other ended when the next began, and repetitions stand behind."""
    images = settled(slot(told, functional=True))
    firsts = [each for each in images if each.state is State.ACTIVE or _next(each, images)]

    found = [(each.text.lower(), each.valid_from, each.valid_to) for each in firsts]

    assert found == one_after_the_other(told)
    assert len(images) == len(told)
    assert sum(each.state is State.ACTIVE for each in images) == min(1, len(told))


def _next(thought: Record, images: Sequence[Record]) -> bool:
    """Whether it was ended by another, and not merely stood for."""
    by = next(each for each in images if each.id == thought.superseded_by)
    return by.text.lower() != thought.text.lower()


@given(tellings)
def test_a_slot_for_many_things_holds_each_once(told: Told) -> None:
    """The first that says it stands for the others; nothing ends."""
    images = settled(slot(told, functional=False))

    active = [each.text.lower() for each in images if each.state is State.ACTIVE]
    assert sorted(active) == sorted({tail.lower() for tail, _ in told})
    assert all(each.valid_to is None for each in images)
    assert all(each.superseded_by for each in images if each.state is State.ARCHIVED)


@given(tellings, st.booleans(), st.randoms(use_true_random=False), st.integers(0, 7))
def test_merging_and_forgetting_take_any_order_and_settle_at_once(
    told: Told, functional: bool, dice: Any, first: int
) -> None:
    """Some now and the rest later, in any order, is all at once; and once more changes nothing."""
    thoughts = slot(told, functional=functional)
    mixed = dice.sample(thoughts, len(thoughts))

    at_once = {each.id: each for each in settled(thoughts)}
    later = settled([*settled(mixed[:first]), *mixed[first:]])

    assert {each.id: each for each in later} == at_once
    assert {each.id: each for each in settled(list(at_once.values()))} == at_once


def thoughts_of(memory: Memory) -> list[tuple[str, str, str]]:
    """Text, state and end of the thoughts in a memory."""
    kept = memory.get_all(states=["active", "archived"], filters={"kind": "thought"})["results"]
    return sorted((each["memory"], each["state"], str(each["valid_to"])[:10]) for each in kept)


SAID = ("I live in Bergen.", "I love tea.", "I moved to Oslo.", "I love tea!")


def tell(memory: Memory, order: Sequence[int]) -> None:
    """Add what Ana said on the first days of 1970, in an order."""
    for day in order:
        memory.add({"name": "Ana", "content": SAID[day], "time": day * DAY})


@pytest.mark.parametrize("order", list(permutations(range(4)))[::3])
def test_a_memory_thinks_the_same_in_whatever_order_it_is_told(order: Sequence[int]) -> None:
    """What is newer ends what is older, what was said twice is thought once."""
    with Memory.open(":memory:", preset="tim", embedder="none", durability="off") as memory:
        tell(memory, order)

        assert thoughts_of(memory) == [
            ("Ana likes tea", "active", "None"),
            ("Ana likes tea", "archived", "None"),
            ("Ana lives in Bergen", "archived", "1970-01-03"),
            ("Ana lives in Oslo", "active", "None"),
        ]
        assert memory.check()["ok"]


def test_the_past_can_still_be_asked_for() -> None:
    """To forget is to archive with an interval."""
    with Memory.open(":memory:", preset="tim", durability="off") as memory:
        tell(memory, range(4))

        then = memory.search("Where does Ana live?", as_of=1.5 * DAY)["results"]

    assert "Bergen" in then[0]["memory"]


def test_thinking_again_adds_nothing() -> None:
    """The ids follow from the message and the triple."""
    with Memory.open(":memory:", preset="tim", embedder="none", durability="off") as memory:
        tell(memory, range(4))
        with memory.store.read(Scope()) as view:
            view.narrow(NOW, None, None, None)
            raw = view.records(np.flatnonzero(view.columns.of_kind("raw")))

            assert Thoughts().enrich(raw, NOW, view).edits == ()


def test_deleting_what_ended_a_thought_lets_it_hold_again() -> None:
    """As a fact would; and an erased message leaves no thought behind."""
    with Memory.open(":memory:", preset="tim", embedder="none", durability="off") as memory:
        tell(memory, [0, 2])
        (moved,) = memory.get_all(filters={"kind": "raw", "event_time": {"gt": DAY}})["results"]
        memory.delete(moved["id"])
        held = thoughts_of(memory)
        memory.erase(moved["id"])

        assert ("Ana lives in Bergen", "active", "None") in held
        assert not any("Oslo" in text for text, *_ in thoughts_of(memory))


def test_thoughts_and_facts_do_not_settle_one_another() -> None:
    """Both are there once, each in slots of its own."""
    with Memory.open(":memory:", preset="tim", embedder="none", durability="off") as memory:
        tell(memory, [0, 2, 0])
        kinds = [r["kind"] for r in memory.get_all()["results"] if "Oslo" in r["memory"]]

    assert sorted(kinds) == ["fact", "raw", "thought"]


def concluded(of: int, text: str, relation: str = "lives in", tail: str = "Oslo") -> dict[str, Any]:
    """One thought of a model."""
    return {
        "of": of,
        "head": "Ana",
        "relation": relation,
        "tail": tail,
        "text": text,
        "functional": True,
    }


def enriched(look: Look, answer: Mapping[str, Any] | None, *said: str) -> list[str]:
    """Texts of the thoughts that a model's answer gives about messages of Ana."""
    messages = [Record("", text, fields={"speaker": "Ana"}, event_time=NOW) for text in said]
    with look(messages) as view:
        raw = view.records(np.arange(len(said)))
        plan = Thoughts(advisor=Scripted(answer)).enrich(raw, NOW, view)
    return [edit.record.text for edit in plan.edits]


def test_a_model_concludes_what_patterns_do_not_read(view_of: Look) -> None:
    """As far as the words of the message bear it out."""
    answer = {"thoughts": [concluded(0, "Ana has a flat in Oslo")]}

    assert enriched(view_of, answer, "The flat in Oslo is finally ours.") == [
        "Ana has a flat in Oslo"
    ]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {"thoughts": []},
        {"thoughts": [concluded(0, "Ana lives in Paris")]},
        {"thoughts": [concluded(0, " ")]},
        {"thoughts": [concluded(0, "Ana lives in Oslo", relation=" ")]},
    ],
)
def test_what_a_model_makes_up_is_not_kept(view_of: Look, answer: Mapping[str, Any] | None) -> None:
    """Then the patterns tell."""
    assert enriched(view_of, answer, "I live in Oslo.") == ["Ana lives in Oslo"]


def test_a_frozen_thought_is_left_as_it_is(view_of: Look) -> None:
    """Whoever froze it knows better."""
    with view_of(
        [Record("", "I live in Oslo.", fields={"speaker": "Ana"}, event_time=DAY)]
    ) as view:
        (raw,) = view.records(np.arange(1))
        (edit,) = Thoughts().enrich([raw], NOW, view).edits
    frozen = replace(edit.record, frozen=True)
    newer = Record("", "I moved to Rome.", fields={"speaker": "Ana"}, event_time=9 * DAY)
    with view_of([newer], [frozen]) as view:
        (raw,) = view.records(np.arange(1))
        plan = Thoughts().enrich([raw], NOW, view)

    assert [edit.record.text for edit in plan.edits] == ["Ana lives in Rome"]


@pytest.mark.parametrize("said", ["", "Hello!", "👍", "カラオケ"])
def test_talk_that_states_nothing_is_no_thought(view_of: Look, said: str) -> None:
    """Nor is what a tool says."""
    tool = Record("", "I live in Oslo.", fields={"role": "tool"})
    with view_of([said, tool]) as view:
        assert Thoughts().enrich(view.records(np.arange(2)), NOW, view).edits == ()
