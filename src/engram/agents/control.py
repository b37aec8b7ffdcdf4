"""The control unit: carries out instructions one by one, each in a context that begins empty.

Source: Holt 2024, L2MAC, ICLR 2024, arXiv:2310.02003, section 3.3.
Differs: files whose syntax is wrong are not written; only tests that a step broke are its fault; a
step that comes to nothing is undone; repeated calls are told and stopped, the temperature stays.
"""

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from engram.agents.asking import Asking, Schema, clipped, sized
from engram.agents.evaluators import Sandbox, check_runner, judged
from engram.agents.program import Program
from engram.agents.registry import STEPS, planned
from engram.agents.tools import MANUAL, SCHEMA, Call, lacking, overview, used
from engram.errors import InvalidInput, ModelFailed, brief
from engram.extras import require
from engram.plaintext.advice import fields
from engram.plaintext.text.replies import object_in
from engram.plaintext.text.tokens import estimated
from engram.ports import LanguageModel

REPEATS = 3
"""Identical calls in a row that end a step."""

SMALLEST = 2048
"""Tokens of the smallest window: the manual takes a quarter of it."""

_RECENT = 3  # summaries of steps that a context begins with
_SUMMARY = 200  # tokens of one
_SPARE = 700  # tokens that must be free where a step is summed up
_SYSTEM = f"""\
You carry out one instruction of a program by calling tools that change files. Each reply is one \
JSON object that calls one tool, and nothing else:
{MANUAL}
Write whole files, never "the rest is unchanged"; a long file in several calls of append, each of \
whole statements. Reply with done once the instruction is carried out."""
_SUM_UP = (
    "There is no room for more. What of the instruction is done, and what is not? Answer with one "
    'JSON object, in at most two sentences: {"summary": "..."}.'
)
_SUMMED: Schema = fields({"summary": {"type": "string"}})


@dataclass(frozen=True, slots=True)
class StepEvent:
    """What became of one instruction.

    Attributes:
        number: of the instruction, from 1.
        instruction: what was to be done.
        summary: what was done, as the model says.
        calls: to the model.
        largest: tokens of the largest context with the room for its answer, estimated.
        failing: tests that fail after it, sorted.
        why: it was not carried out and is undone; empty if it was.
    """

    number: int
    instruction: str
    summary: str = ""
    calls: int = 0
    largest: int = 0
    failing: tuple[str, ...] = ()
    why: str = ""


Tell: TypeAlias = Callable[[StepEvent], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a run: the steps that it took, and how many of all instructions are done."""

    steps: tuple[StepEvent, ...]
    done: int
    instructions: int
    failing: tuple[str, ...] = ()

    @property
    def why(self) -> str:
        """Why it ended early; empty if all is done."""
        return self.steps[-1].why if self.steps else ""

    @property
    def ok(self) -> bool:
        """Everything is done and no test fails."""
        return self.done == self.instructions and not self.failing


@dataclass(frozen=True, slots=True)
class ControlUnit:
    """Runs programs with a language model; see ``run``. Answers are checked with ``engram[llm]``.

    Attributes:
        model: answers.
        window: tokens of a context and its answer, estimated by length; at least 2048. An answer
            may take a quarter.
        calls: to the model, in one run.
        tries: answers of the model in one step.
        fixes: times that a step is sent back because tests fail that did not before; after that
            it is taken as it is, and the report names them.
        timeout: seconds of one call.
        sandbox: where the tests among the files run after each step; None to run none of them.
    """

    model: LanguageModel
    window: int = 8192
    calls: int = 300
    tries: int = 30
    fixes: int = 3
    timeout: float = 120.0
    sandbox: Sandbox | None = None

    def __post_init__(self) -> None:
        """Say at once what is wrong or not installed."""
        if self.window < SMALLEST:
            raise InvalidInput(f"window must be at least {SMALLEST} tokens, got {self.window!r}")
        if self.tries < 1 or self.calls < 0 or self.fixes < 0 or self.timeout <= 0:
            raise InvalidInput(
                "tries must be at least 1, calls and fixes at least 0 and timeout above 0, got "
                f"{self.tries!r}, {self.calls!r}, {self.fixes!r}, {self.timeout!r}"
            )
        require("jsonschema", extra="llm", purpose="checking a model's answers")
        if self.sandbox is not None:
            check_runner()

    def plan(self, task: str, *, steps: int = STEPS) -> Program:
        """Let the model write a program of at most so many instructions.

        Raises:
            InvalidInput: the task says nothing, or takes more than a quarter of the window.
            ModelFailed: the model gave nothing.
        """
        if not task.strip():
            raise InvalidInput(f"a task must be text that says something, got {brief(task)}")
        self._check_size(task)
        return Program(task, planned(self._asking(), task, steps=steps))

    def run(self, program: Program, folder: Path | None = None, tell: Tell | None = None) -> Report:
        """Carry out what is left of a program, up to the first step that comes to nothing.

        Args:
            program: is changed step by step; a step that fails leaves it as it found it.
            folder: gets a checkpoint at the beginning and after each step; see ``Program.load``.
            tell: hears of each step, before its checkpoint is written.

        Raises:
            InvalidInput: the task and an instruction take more than a quarter of the window.
            StoreReadOnly: the checkpoint cannot be written.
        """
        for instruction in program.registry.instructions:
            self._check_size(f"{program.task}{instruction}")
        asking, steps = self._asking(), list[StepEvent]()
        if folder is not None:
            program.dump(folder)
        while program.registry.current() is not None and not (steps and steps[-1].why):
            steps.append(self._step(program, asking))
            if tell is not None:
                tell(steps[-1])
            if folder is not None:
                program.dump(folder)
        done, all_of_them = program.registry.at, len(program.registry.instructions)
        return Report(tuple(steps), done, all_of_them, tuple(sorted(program.failing)))

    def _step(self, program: Program, asking: Asking) -> StepEvent:
        number, instruction = program.registry.at + 1, program.registry.current() or ""
        before, made, why, summary = program.store.snapshot(), asking.made, "", ""
        asking.largest = 0
        step = _Step(self, program, asking)
        with ExitStack() as undo:
            undo.callback(program.store.restore, before)
            try:
                summary = step.carried_out()
            except ModelFailed as failure:
                why = str(failure)
            else:
                program.registry.advance(summary)
                program.failing = step.failing
                undo.pop_all()
        used_calls, failing = asking.made - made, tuple(sorted(program.failing))
        return StepEvent(number, instruction, summary, used_calls, asking.largest, failing, why)

    def _asking(self) -> Asking:
        return Asking(self.model, self.window, self.calls, self.timeout)

    def _check_size(self, text: str) -> None:
        if estimated(text) > self.window // 4:
            raise InvalidInput(
                f"the task and an instruction must take at most {self.window // 4} tokens, a "
                f"quarter of the window, got {estimated(text)}; shorten them or widen the window"
            )


class _Step:
    """One instruction under way. ``failing`` are the tests that failed when they were last run."""

    def __init__(self, unit: ControlUnit, program: Program, asking: Asking) -> None:
        self.failing = program.failing
        self._unit, self._program, self._asking = unit, program, asking
        self._answer = unit.window // 4
        self._talk: list[dict[str, str]] = []
        self._so_far = ""
        self._fixes, self._last, self._same = unit.fixes, "", 0

    def carried_out(self) -> str:
        """The summary that the model ends the step with.

        Raises:
            ModelFailed: it does not end it.
        """
        for _ in range(self._unit.tries):
            text = self._answered()
            call, wrong = object_in(text, SCHEMA)
            wrong = wrong if call is None else lacking(call)
            if call is None or wrong:
                result = f"error: that cannot be used: {wrong}. Reply with one call of a tool."
            elif call["tool"] != "done":
                result = self._result(call)
            else:
                result = self._complaint()
                if not result:
                    return clipped(call["summary"], _SUMMARY)
            self._talk += [_says("assistant", clipped(text, self._answer)), _says("user", result)]
        raise ModelFailed(
            f"{self._unit.model.name} must be done with a step after {self._unit.tries} answers, "
            "it was not; divide the instruction, or allow more"
        )

    def _result(self, call: Call) -> str:
        told = json.dumps(call, sort_keys=True)
        self._same = self._same + 1 if told == self._last else 1
        self._last = told
        if self._same == REPEATS:
            raise ModelFailed(
                f"{self._unit.model.name} must go on, it made one call {REPEATS} times in a row: "
                f"{brief(told)}"
            )
        result = used(self._program.store, call, self._unit.window // 4)
        return result if self._same == 1 else f"{result}\nThis very call was made before. Go on."

    def _complaint(self) -> str:
        """What is still to be mended; empty if nothing, or if that was asked often enough."""
        if self._unit.sandbox is None:
            return ""
        verdict = judged(self._program.store, self._unit.sandbox)
        self.failing = verdict.failing
        broken = sorted(verdict.failing - self._program.failing)
        if not broken or not self._fixes:
            return ""
        self._fixes -= 1
        named = ", ".join(broken)
        return clipped(f"Not done, tests fail: {named}\n{verdict.output}", self._unit.window // 8)

    def _answered(self) -> str:
        head = self._head()
        if self._over([*head, *self._talk], SCHEMA, self._answer):
            self._fold(head)
            head = self._head()
            if self._over([*head, *self._talk], SCHEMA, self._answer):
                self._talk = []
        return self._asking.ask([*head, *self._talk], SCHEMA, self._answer)

    def _fold(self, head: list[dict[str, str]]) -> None:
        """Put a summary in the place of the talk; the last result has been seen by nobody yet."""
        talk, last = self._talk, self._talk[-2:]
        room = min(_SPARE, self._answer)
        while talk and self._over([*head, *talk, _says("user", _SUM_UP)], _SUMMED, room):
            talk = talk[2:]
        text = self._asking.ask([*head, *talk, _says("user", _SUM_UP)], _SUMMED, room)
        said, _ = object_in(text, _SUMMED)
        self._so_far = clipped(said["summary"] if said else "Some calls were made.", _SUMMARY)
        self._talk = last

    def _over(self, messages: list[dict[str, str]], schema: Schema, room: int) -> bool:
        return sized(messages, schema) + room > self._unit.window

    def _head(self) -> list[dict[str, str]]:
        """What every context begins with, in at most half a window."""
        registry, store = self._program.registry, self._program.store
        lines = [
            f"Task: {self._program.task}",
            f"Instruction {registry.at + 1} of {len(registry.instructions)}: {registry.current()}",
        ]
        more = [f"Done of it so far: {self._so_far}"] if self._so_far else []
        failing = sorted(self.failing)
        more += [f"Tests that fail: {', '.join(failing)}"] if failing else []
        recent = list(enumerate(registry.summaries, 1))[-_RECENT:]
        more += [f"Instruction {number} is done: {said}" for number, said in reversed(recent)]
        more += ["Files:", *overview(store)] if store.files else ["There are no files yet."]
        system, most = _says("system", _SYSTEM), self._unit.window // 2
        for at, line in enumerate(more):
            left = len(more) - at
            told = [*lines, line, f"({left} more lines are left out)"]
            if sized([system, _says("user", "\n".join(told))], SCHEMA) > most:
                lines.append(f"({left} more lines are left out)")
                break
            lines.append(line)
        return [system, _says("user", "\n".join(lines))]


def _says(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}
