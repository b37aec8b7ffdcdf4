"""The registry of instructions, and how a model writes it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from engram.agents.asking import Asking
from engram.agents.registry import LONGEST, InstructionRegistry, planned
from engram.errors import BudgetSpent, InvalidInput, ModelFailed
from engram.ports import Completion


@dataclass
class Script:
    """A model that says these texts in order, and keeps what it was asked."""

    said: list[str]
    asked: list[Sequence[Mapping[str, str]]] = field(default_factory=list)
    name: str = "script"

    def complete(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = 1024,
    ) -> Completion:
        """The next of them."""
        self.asked.append([*messages])
        return Completion(self.said.pop(0))


def asking(model: Script, calls: int = 9) -> Asking:
    """A model within a usual window."""
    return Asking(model, window=4096, calls=calls, timeout=60.0)


def listed(*instructions: Any) -> str:
    """An answer as it should be."""
    return json.dumps({"instructions": instructions})


def test_instructions_are_carried_out_in_order() -> None:
    """One after the other, and each leaves its summary."""
    registry = InstructionRegistry(["one", "two"])

    seen = [registry.current()]
    for summary in ("did one", "did two"):
        registry.advance(summary)
        seen.append(registry.current())

    assert seen == ["one", "two", None]
    assert registry.at == 2
    assert registry.summaries == ["did one", "did two"]
    with pytest.raises(InvalidInput, match="all 2 instructions are done"):
        registry.advance("did three")


@pytest.mark.parametrize("done", [0, 1, 3])
def test_a_registry_is_loaded_as_it_was_dumped(done: int) -> None:
    """By way of JSON, at any place."""
    registry = InstructionRegistry(["a", "b", "c"])
    for number in range(done):
        registry.advance(f"did {number}")

    again = InstructionRegistry.load(json.loads(json.dumps(registry.dump())))

    assert again.dump() == registry.dump()
    assert again.current() == registry.current()


def test_an_empty_registry_is_done() -> None:
    """There is nothing to carry out."""
    assert InstructionRegistry().current() is None


@pytest.mark.parametrize("wrong", ["", " \n", None, 7])
def test_an_instruction_says_something(wrong: str) -> None:
    """Nobody could carry it out."""
    with pytest.raises(InvalidInput, match="must be text that says something"):
        InstructionRegistry(["one", wrong])


def test_a_model_writes_a_program_and_improves_it() -> None:
    """The second list is the program; it is asked for with the first in sight."""
    model = Script([listed("a", "b"), listed("a", "c", "b")])

    registry = planned(asking(model), "The task.")

    assert registry.instructions == ["a", "c", "b"]
    assert model.asked[0][-1]["content"] == "The task."
    assert listed("a", "b") in [each["content"] for each in model.asked[1]]


def test_a_program_has_no_more_steps_than_allowed() -> None:
    """Nor instructions that take the whole window."""
    model = Script([listed(*["x" * 5_000] * 5)])

    registry = planned(asking(model), "The task.", steps=3, reflect=False)

    assert registry.instructions == ["x" * LONGEST] * 3


@pytest.mark.parametrize(
    "junk", ["", "I would first...", "[]", listed(), listed(1, 2), listed(" "), '{"steps": ["a"]}']
)
def test_a_list_that_is_none_leaves_what_there_is(junk: str) -> None:
    """The list before it; without any, the task is the one instruction."""
    assert planned(asking(Script([junk, junk])), "The task.").instructions == ["The task."]
    assert planned(asking(Script([listed("a"), junk])), "The task.").instructions == ["a"]


def test_fences_and_thoughts_around_a_list_do_not_matter() -> None:
    """Models like to put them there."""
    said = f"<think>Hm.</think>Sure:\n```json\n{listed('a')}\n```"

    assert planned(asking(Script([said])), "The task.", reflect=False).instructions == ["a"]


def test_a_model_that_fails_is_an_error() -> None:
    """There is no program then."""
    with pytest.raises(ModelFailed, match="script raised"):
        planned(asking(Script([])), "The task.")
    with pytest.raises(BudgetSpent, match="may be called 1 times"):
        planned(asking(Script([listed("a")]), calls=1), "The task.")
