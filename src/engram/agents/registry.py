"""The instruction registry: what is to be done, how far it is, and what came of each step.

Source: Holt 2024, L2MAC, ICLR 2024, arXiv:2310.02003, section 3.1.
Differs: an answer that is no list of instructions gives a program of one step, the task itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from engram.agents.asking import Asking, clipped
from engram.errors import InvalidInput, brief
from engram.plaintext.advice import fields
from engram.plaintext.text.replies import object_in

STEPS = 10
LONGEST = 1000
"""Characters of an instruction that a model writes."""

_SCHEMA = fields({"instructions": {"type": "array", "items": {"type": "string"}}})
_PLAN = (
    "Break the task into at most {steps} instructions that are carried out one after the other. "
    "Each is done by somebody who sees the task, this one instruction and the files, and nothing "
    'else. Answer with one JSON object: {{"instructions": ["...", ...]}}.'
)
_REFLECT = "Improve the list: what is missing, what is out of order? Answer in the same form."


class InstructionRegistry:
    """Instructions in order, with a pointer and a summary of every step that is done."""

    def __init__(self, instructions: Sequence[str] = ()) -> None:
        self.instructions = [_checked(each) for each in instructions]
        self.summaries: list[str] = []

    @property
    def at(self) -> int:
        """The number of steps that are done."""
        return len(self.summaries)

    def current(self) -> str | None:
        """The instruction that is next; None when all are done."""
        return self.instructions[self.at] if self.at < len(self.instructions) else None

    def advance(self, summary: str) -> None:
        """Note what came of the current instruction and go on to the next.

        Raises:
            InvalidInput: all are done.
        """
        if self.current() is None:
            raise InvalidInput(f"all {self.at} instructions are done; there is none to advance")
        self.summaries.append(summary)

    def dump(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        return {"instructions": list(self.instructions), "summaries": list(self.summaries)}

    @classmethod
    def load(cls, dumped: Mapping[str, Any]) -> Self:
        """What ``dump`` gave."""
        registry = cls(dumped["instructions"])
        for summary in dumped["summaries"]:
            registry.advance(summary)
        return registry


def planned(
    asking: Asking, task: str, *, steps: int = STEPS, reflect: bool = True
) -> InstructionRegistry:
    """Ask a model to write the program of a task, and once more to improve it.

    Raises:
        ModelFailed: the model gave nothing.
    """
    messages = [
        {"role": "system", "content": _PLAN.format(steps=steps)},
        {"role": "user", "content": task},
    ]
    found: list[str] = []
    for _ in range(2 if reflect else 1):
        text = asking.ask(messages, _SCHEMA, asking.window // 4)
        said, _wrong = object_in(text, _SCHEMA)
        found = _instructions(said or {})[:steps] or found
        messages += [
            {"role": "assistant", "content": clipped(text, asking.window // 4)},
            {"role": "user", "content": _REFLECT},
        ]
    return InstructionRegistry(found or [task])


def _instructions(said: Mapping[str, Any]) -> list[str]:
    return [each.strip()[:LONGEST] for each in said.get("instructions", ()) if each.strip()]


def _checked(instruction: object) -> str:
    if not isinstance(instruction, str) or not instruction.strip():
        raise InvalidInput(
            f"an instruction must be text that says something, got {brief(instruction)}"
        )
    return instruction
