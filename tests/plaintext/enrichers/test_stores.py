"""Each message is filed where it belongs, once."""

from collections.abc import Mapping
from typing import Any

from engram import Memory
from engram.plaintext.advice import Question
from engram.plaintext.enrichers.stores import Stores
from engram.plaintext.roles import Scope


def kinds(memory: Memory, *states: str) -> list[tuple[str, str]]:
    """Kind and text of what the stores hold."""
    found = memory.get_all(states=states or ("active",))["results"]
    mine = ("core", "episodic", "semantic", "procedural", "resource")
    return [(each["kind"], each["memory"]) for each in found if each["kind"] in mine]


def test_a_list_of_steps_is_kept_as_steps() -> None:
    """With what they are for."""
    with Memory.open(":memory:", preset="mirix", embedder="none") as memory:
        memory.add("To make tea:\n1. Boil water\n2. Add the leaves")

        (found,) = memory.get_all(filters={"kind": "procedural"})["results"]

    assert found["fields"]["steps"] == ["Boil water", "Add the leaves"]
    assert found["fields"]["summary"] == "To make tea"


def test_a_newer_definition_takes_the_place_of_an_older() -> None:
    """Which is kept; a repetition adds nothing."""
    with Memory.open(":memory:", preset="mirix", embedder="none") as memory:
        memory.add({"content": "A standup is a daily meeting at nine.", "time": 1e9})
        memory.add({"content": "A standup is a daily meeting at ten.", "time": 1.1e9})
        memory.add({"content": "A standup is a daily meeting at ten.", "time": 1.2e9})

        now, before = kinds(memory), kinds(memory, "archived")

    assert now == [("semantic", "A standup is a daily meeting at ten.")]
    assert before == [("semantic", "A standup is a daily meeting at nine.")]


class Sorter:
    """Puts every message into the store of documents, or says nothing."""

    def __init__(self, *, silent: bool) -> None:
        self.silent = silent

    def ask(self, question: Question) -> Mapping[str, Any] | None:
        empty: dict[str, list[int]] = {name: [] for name in question.schema["properties"]}
        return None if self.silent else {**empty, "resource": [0]}


def test_a_model_sorts_and_without_its_answer_rules_do() -> None:
    """Where no rule reads the store, all of the message is filed."""
    with Memory.open(":memory:", embedder="none") as memory:
        memory.add("I am a nurse.")
        with memory.store.read(Scope()) as view:
            view.narrow(memory.clock(), None, None, None)
            fresh = [each for each in view.records(view.live.nonzero()[0]) if each.kind == "raw"]
            advised, ruled = (
                [
                    e.record.kind
                    for e in Stores(advisor=Sorter(silent=s)).enrich(fresh, 1.0, view).edits
                ]
                for s in (False, True)
            )

    assert advised == ["resource"]
    assert ruled == ["core"]
