"""Messages become thoughts under topics: by words, by likeness, by a model, each once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pytest

from engram.adapters.embedders import embedder
from engram.memory import Memory
from engram.plaintext.advice import Question
from engram.plaintext.enrichers.ontology import Ontology
from engram.plaintext.roles import Record, Scope, State, View
from engram.plaintext.text.ontology import VERSION
from engram.testing.ports import Buckets

Look = Callable[..., AbstractContextManager[View]]
NOW = 1_700_000_000.0


class Scripted:
    """An advisor that says what it is told to say, and keeps what it was asked."""

    def __init__(self, *answers: Mapping[str, Any] | None) -> None:
        self.answers = list(answers)
        self.asked: list[Question] = []

    def ask(self, question: Question) -> Mapping[str, Any] | None:
        self.asked.append(question)
        return self.answers.pop(0)


def raws(view: View) -> list[Record]:
    """All messages of a view."""
    return view.records(np.flatnonzero(view.columns.of_kind("raw")))


def thoughts(look: Look, method: Ontology, *said: str | Record) -> list[tuple[str, str]]:
    """Topic and text of what becomes of some messages."""
    with look(said) as view:
        plan = method.enrich(raws(view), NOW, view)
        return [(edit.record.tags[0], edit.record.text) for edit in plan.edits]


def test_a_message_becomes_a_thought_for_each_of_its_topics(view_of: Look) -> None:
    """Sentences on one topic stay together, in their order."""
    found = thoughts(
        view_of, Ontology(), "My violin broke. The dentist called. I need new violin strings. Hi!"
    )

    assert found == [
        ("music", "My violin broke. I need new violin strings."),
        ("health", "The dentist called."),
    ]


def test_a_sentence_without_a_topic_of_its_own_goes_with_its_message(view_of: Look) -> None:
    """Where the message has one; alone and without an embedder it is left out."""
    found = thoughts(
        view_of, Ontology(), "The violin broke. It sounded strange at once.", "Blue moon rising"
    )

    assert found == [("music", "The violin broke. It sounded strange at once.")]


def test_an_unseen_topic_goes_to_the_nearest(view_of: Look) -> None:
    """By the embedding of the message."""
    assert thoughts(view_of, Ontology(embedder=embedder(None)), "My tooth aches.") == [
        ("health", "My tooth aches.")
    ]


def test_greetings_and_what_no_person_said_become_nothing(view_of: Look) -> None:
    """Nor does more than the allowed number of thoughts."""
    tool = Record("", "violin violin", fields={"role": "tool"})
    method = Ontology(embedder=Buckets())

    assert thoughts(view_of, method, "Hello!", "", "👍", tool) == []
    assert len(thoughts(view_of, Ontology(most=1), "My violin broke. The dentist called.")) == 1


def test_a_thought_rests_on_its_message_and_is_filed_by_its_topic(view_of: Look) -> None:
    """Its time, its speaker and its scope are those of the message."""
    said = Record("", "My violin broke.", fields={"speaker": "Ana"}, event_time=5.0, valid_from=5.0)
    with view_of([said]) as view:
        (raw,) = raws(view)
        (edit,) = Ontology().enrich([raw], NOW, view).edits

    thought = edit.record
    assert [source.record for source in thought.sources] == [raw.id]
    assert (thought.event_time, thought.valid_from, thought.scope) == (5.0, 5.0, raw.scope)
    assert thought.fields == {
        "head": "music",
        "relation": "topic",
        "ontology": VERSION,
        "speaker": "Ana",
    }


def said_by_model(of: int, text: str, topic: str) -> dict[str, Any]:
    """One thought of a model."""
    return {"of": of, "text": text, "topic": topic}


def test_a_model_words_the_thoughts(view_of: Look) -> None:
    """It sees numbers and names, and what it leaves out becomes nothing."""
    advisor = Scripted({"thoughts": [said_by_model(1, "Ana  needs strings.", "music")]})
    ana = Record("", "Those for the violin, yes.", fields={"speaker": "Ana"})

    found = thoughts(view_of, Ontology(advisor=advisor), "Hi.", ana)

    assert found == [("music", "Ana needs strings.")]
    assert "[1] Ana: Those for the violin, yes." in advisor.asked[0].content
    assert "000" not in advisor.asked[0].content


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {"thoughts": []},
        {"thoughts": [said_by_model(0, " ", "music")]},
        {"thoughts": [said_by_model(0, "word " * 100, "music")]},
    ],
)
def test_a_model_that_gives_nothing_usable_adds_nothing_of_its_own(
    view_of: Look, answer: Mapping[str, Any] | None
) -> None:
    """Without an answer the rules take over; an answer that is empty or endless is not kept."""
    found = thoughts(view_of, Ontology(advisor=Scripted(answer)), "My violin broke.")

    assert found == ([] if answer else [("music", "My violin broke.")])


def kept(memory: Memory, *states: str) -> Iterator[tuple[str, str]]:
    """Topic and text of the thoughts in a memory."""
    found = memory.get_all(filters={"kind": "thought"}, states=states or ["active"])
    return ((each["tags"][0], each["memory"]) for each in found["results"])


def test_doing_it_again_adds_nothing() -> None:
    """The ids follow from the message and the topic."""
    with Memory.open(":memory:", preset="caim", durability="off", clock=lambda: NOW) as memory:
        memory.add("My violin broke. The dentist called.")
        with memory.store.read(Scope()) as view:
            view.narrow(NOW, None, None, None)
            again = Ontology().enrich(raws(view), NOW, view)

        assert again.edits == ()
        assert len(list(kept(memory))) == 2


def test_a_rewritten_message_has_new_thoughts_and_a_deleted_one_none() -> None:
    """What was filed under the same topic says what the message says now."""
    with Memory.open(":memory:", preset="caim", durability="off", clock=lambda: NOW) as memory:
        raw = memory.add("My violin broke.")["results"][0]["id"]
        memory.update(raw, "My violin is mended.")
        rewritten = list(kept(memory))
        memory.delete(raw)

        assert rewritten == [("music", "My violin is mended.")]
        assert list(kept(memory)) == []
        assert memory.check()["ok"]


def test_an_erased_message_takes_its_thoughts_along() -> None:
    """They rest on nothing else."""
    with Memory.open(":memory:", preset="caim", durability="off", clock=lambda: NOW) as memory:
        raw = memory.add("My violin broke. The dentist called.")["results"][0]["id"]
        memory.erase(raw)

        assert list(kept(memory, *map(str, set(State) - {State.ERASED}))) == []


def test_no_messages_make_an_empty_plan(view_of: Look) -> None:
    """And ask no model."""
    advisor = Scripted()
    nobody: Sequence[Record] = []
    with view_of() as view:
        plan = Ontology(advisor=advisor).enrich(nobody, NOW, view)

    assert plan.edits == ()
    assert advisor.asked == []
