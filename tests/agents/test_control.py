"""The control unit: programs end in a report, whatever the model does, and in sound files."""

import json
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engram.agents.control import REPEATS, ControlUnit, StepEvent
from engram.agents.evaluators import Sandbox
from engram.agents.files import FileStore
from engram.agents.program import Program
from engram.agents.registry import InstructionRegistry
from engram.errors import InvalidInput, ModelFailed
from engram.plaintext.text.tokens import estimated
from engram.ports import Completion

Said = str | Mapping[str, Any] | BaseException
posix = pytest.mark.skipif(os.name != "posix", reason="limits are of POSIX systems")


@dataclass
class Script:
    """A model that says, calls or raises these in order, and keeps what it was asked."""

    said: list[Said]
    asked: list[list[Mapping[str, str]]] = field(default_factory=list)
    room: list[int] = field(default_factory=list)
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
        self.room.append(max_tokens)
        said = self.said.pop(0)
        if isinstance(said, BaseException):
            raise said
        return Completion(said if isinstance(said, str) else json.dumps(said))


def write(path: str, text: str) -> dict[str, str]:
    """A call that writes a file."""
    return {"tool": "write", "path": path, "text": text}


def done(summary: str = "It is done.") -> dict[str, str]:
    """The call that ends a step."""
    return {"tool": "done", "summary": summary}


def program(*instructions: str, **files: list[str]) -> Program:
    """A program with these instructions."""
    return Program("The task.", InstructionRegistry(instructions or ["Do it."]), FileStore(files))


def test_each_instruction_begins_with_an_empty_context() -> None:
    """It sees task, instruction, names of files and summaries, and no text of the step before."""
    model = Script([write("a.md", "alpha"), done("Wrote alpha."), write("b.md", "beta"), done()])
    work = program("First.", "Second.")

    report = ControlUnit(model).run(work)

    begin = [each["content"] for each in model.asked[2]]
    assert report.ok
    assert (report.done, report.instructions, report.why) == (2, 2, "")
    assert len(begin) == 2
    assert "Task: The task.\nInstruction 2 of 2: Second." in begin[1]
    assert "Instruction 1 is done: Wrote alpha." in begin[1]
    assert "a.md (1 line)" in begin[1]
    assert "alpha\n" not in begin[1]
    assert work.store.files == {"a.md": ("alpha",), "b.md": ("beta",)}


def test_within_a_step_the_model_sees_what_it_did() -> None:
    """Its calls and their results, in order."""
    model = Script([write("a.md", "x"), {"tool": "read", "path": "a.md"}, done()])

    ControlUnit(model).run(program())

    assert [each["role"] for each in model.asked[2]] == [
        "system",
        *["user", "assistant"] * 2,
        "user",
    ]
    assert [each["content"] for each in model.asked[2][3::2]] == [
        "a.md has 1 line.",
        "a.md (1 line), from line 1:\nx",
    ]


def test_steps_are_told_as_they_end() -> None:
    """With what they took."""
    told: list[StepEvent] = []
    model = Script([write("a.md", "x"), done("One."), done("Two.")])

    report = ControlUnit(model, window=4096).run(program("First.", "Second."), tell=told.append)

    assert tuple(told) == report.steps
    assert [(each.number, each.summary, each.calls) for each in told] == [
        (1, "One.", 2),
        (2, "Two.", 1),
    ]
    assert all(1024 < each.largest <= 4096 for each in told)


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "I am afraid I cannot do that.",
        "[]",
        '{"tool": "rm", "path": "/"}',
        '{"tool": "write", "path": "a.md"',
        '{"tool": "done"}',
        '{"tool": "write", "path": "../a", "text": "x"}',
        '{"tool": "write", "path": "a.py", "text": "def"}',
        '{"tool": "read", "path": "nowhere"}',
        '{"tool": ' + "[" * 50_000,
        "x" * 500_000,
    ],
)
def test_what_a_model_gets_wrong_is_told_to_it(junk: str) -> None:
    """It can mend it; the files are untouched meanwhile."""
    model = Script([junk, write("a.md", "x"), done()])
    work = program()

    report = ControlUnit(model).run(work)

    assert report.ok
    assert model.asked[1][-1]["content"].startswith("error: ")
    assert work.store.paths() == ["a.md"]


@pytest.mark.parametrize("last", ["error", "junk", "repeats", "budget", "nothing"])
def test_a_step_that_comes_to_nothing_is_undone_and_ends_the_run(last: str) -> None:
    """The report says why; the step before it stays, the ones after it are not tried."""
    ends: dict[str, list[Said]] = {
        "error": [KeyError("melted")],
        "junk": ["Hm."] * 9,
        "repeats": [{"tool": "list"}] * REPEATS,
        "budget": [{"tool": "list", "path": str(number)} for number in range(3)],
        "nothing": [ModelFailed("no answer")],
    }
    why = {
        "error": "script raised KeyError",
        "junk": "done with a step after 9 answers",
        "repeats": "one call 3 times in a row",
        "budget": "may be called 6 times",
        "nothing": "no answer",
    }
    begun: list[Said] = [write("a.md", "x"), done(), write("b.md", "y")]
    work = program("First.", "Second.", "Third.", kept=["k"])
    calls = 6 if last == "budget" else 99

    report = ControlUnit(Script(begun + ends[last]), calls=calls, tries=9).run(work)

    assert why[last] in report.why
    assert not report.ok
    assert (report.done, len(report.steps)) == (1, 2)
    assert work.store.paths() == ["a.md", "kept"]
    assert work.registry.current() == "Second."


def test_a_model_that_hangs_fails() -> None:
    """After the time that a call may take."""
    over = threading.Event()

    class Hanging(Script):
        def complete(
            self,
            messages: Sequence[Mapping[str, str]],
            *,
            schema: Mapping[str, Any] | None = None,
            max_tokens: int = 1024,
        ) -> Completion:
            over.wait(60)
            return Completion("")

    report = ControlUnit(Hanging([]), timeout=0.05).run(program())
    over.set()

    assert "must answer in 0.05 s" in report.why


@pytest.mark.parametrize("given", [None, "text", Completion(None), Completion(b"x")])  # type: ignore[arg-type]
def test_a_model_that_gives_no_text_fails(given: Any) -> None:
    """Whatever it is that it gives."""

    class Odd(Script):
        def complete(
            self,
            messages: Sequence[Mapping[str, str]],
            *,
            schema: Mapping[str, Any] | None = None,
            max_tokens: int = 1024,
        ) -> Completion:
            answer: Completion = given
            return answer

    assert "must give a Completion with text" in ControlUnit(Odd([])).run(program()).why


def test_a_failure_that_may_pass_is_tried_again() -> None:
    """A few times; one that will not pass is not."""
    passing = ModelFailed("busy")
    passing.wait = 0.0

    report = ControlUnit(Script([passing, passing, done()])).run(program())
    failed = ControlUnit(Script([passing] * 3)).run(program())

    assert report.ok
    assert report.steps[0].calls == 3
    assert failed.why == "busy"


def test_a_repeated_call_is_told_before_it_ends_the_step() -> None:
    """A model that listens can go on."""
    again = {"tool": "read", "path": "a"}
    model = Script([again, again, {"tool": "list"}, again, done()])

    report = ControlUnit(model).run(program(a=["x"]))

    assert report.ok
    assert "This very call was made before" in model.asked[2][-1]["content"]
    assert "This very call" not in model.asked[4][-1]["content"]


@pytest.mark.parametrize("window", [2048, 3001, 8192])
def test_no_context_is_larger_than_the_window(window: int) -> None:
    """With many files, long names, long answers and long results; what is left out is said."""
    files = {f"folder/{number}/{'x' * 90}.md": ["word " * 40] * 60 for number in range(200)}
    long = next(iter(files))
    calls: list[Said] = []
    for number in range(9):
        calls += [
            {"tool": "read", "path": long, "start": number + 1},
            write(f"new{number}.md", "text " * 900),
        ]

    class Summing(Script):
        def complete(
            self,
            messages: Sequence[Mapping[str, str]],
            *,
            schema: Mapping[str, Any] | None = None,
            max_tokens: int = 1024,
        ) -> Completion:
            if schema is not None and "tool" not in schema["properties"]:
                self.asked.append([*messages])
                self.room.append(max_tokens)
                return Completion('{"summary": "Half of it is done."}')
            return super().complete(messages, schema=schema, max_tokens=max_tokens)

    model = Summing([*calls, done("long " * 999), done()])
    work = Program("The task.", InstructionRegistry(["One.", "Two."]), FileStore(files))

    report = ControlUnit(model, window=window).run(work)

    sizes = [
        sum(estimated(each["content"]) for each in asked) + room
        for asked, room in zip(model.asked, model.room, strict=True)
    ]
    assert report.ok
    assert max(sizes) < max(each.largest for each in report.steps) <= window
    assert "more lines are left out" in model.asked[0][1]["content"]
    assert "Done of it so far: Half of it is done." in str(model.asked)
    assert len(work.store.files) == 209


def test_the_newest_result_is_still_seen_after_the_context_was_folded() -> None:
    """Nobody has read it yet; what is older is summed up."""
    model = Script(
        [
            write("a.md", "alpha " * 250),
            write("b.md", "beta " * 250),
            {"tool": "read", "path": "c"},
            "no summary at all",
            done(),
        ]
    )

    report = ControlUnit(model, window=2048).run(program(c=["gamma"] * 250))

    assert report.ok
    assert "There is no room for more" in model.asked[3][-1]["content"]
    assert "Done of it so far: Some calls were made." in model.asked[4][1]["content"]
    assert model.asked[4][-1]["content"].startswith("c (250 lines), from line 1:\ngamma")
    assert "alpha" not in str(model.asked[4])


RIGHT = "def test_one_is_one():\n    assert 1 == 1\n"
WRONG = "def test_one_is_two():\n    assert 1 == 2\n"


@posix
def test_a_step_that_breaks_a_test_is_sent_back() -> None:
    """With what the test says; once it is mended, the step is done."""
    model = Script([write("test_a.py", WRONG), done(), write("test_a.py", RIGHT), done()])

    report = ControlUnit(model, sandbox=Sandbox()).run(program())

    told = model.asked[2][-1]["content"]
    assert report.ok
    assert told.startswith("Not done, tests fail: test_a.py::test_one_is_two\n")
    assert "assert 1 == 2" in told


@posix
def test_a_step_is_sent_back_only_so_often() -> None:
    """Then it is taken, and the report names what fails; the next step is not blamed for it."""
    model = Script([write("test_a.py", WRONG), done(), done(), write("b.md", "x"), done()])

    report = ControlUnit(model, fixes=1, sandbox=Sandbox()).run(program("One.", "Two."))

    assert report.done == 2
    assert report.failing == report.steps[0].failing == ("test_a.py::test_one_is_two",)
    assert not report.ok
    assert report.why == ""
    assert "Tests that fail: test_a.py::test_one_is_two" in model.asked[3][1]["content"]


def test_without_a_sandbox_nothing_is_run() -> None:
    """Code of a model runs only where that was asked for."""
    evil = "import pathlib\npathlib.Path('/tmp/engram-ran').touch()\n" + WRONG

    assert ControlUnit(Script([write("test_a.py", evil), done()])).run(program()).ok
    assert not Path("/tmp/engram-ran").exists()


def script() -> Script:
    """A model that writes three files in three steps."""
    return Script(
        [each for name in "abc" for each in (write(f"{name}.md", name), done(f"Wrote {name}."))]
    )


@pytest.mark.parametrize("calls", range(7))
def test_a_run_that_is_cut_off_anywhere_comes_to_the_same_files(calls: int, tmp_path: Path) -> None:
    """It goes on after the last step that was done."""
    whole, work = program("A.", "B.", "C."), program("A.", "B.", "C.")
    ControlUnit(script()).run(whole)

    first = ControlUnit(script(), calls=calls).run(work, tmp_path)
    again = Program.load(tmp_path)
    rest = script()
    del rest.said[: 2 * again.registry.at]
    report = ControlUnit(rest).run(again, tmp_path)

    assert first.done == calls // 2
    assert report.ok
    assert report.instructions == 3
    assert again.store.snapshot() == whole.store.snapshot()
    assert Program.load(tmp_path).registry.dump() == whole.registry.dump()


def test_a_program_that_is_done_asks_nothing() -> None:
    """Neither does one without instructions."""
    work = Program("The task.", InstructionRegistry())

    report = ControlUnit(Script([])).run(work)

    assert report.ok
    assert report.steps == ()


def test_a_task_that_takes_the_window_is_refused() -> None:
    """Before anything is asked."""
    model = Script([])
    work = Program("word " * 1_000, InstructionRegistry(["Do it."]))

    with pytest.raises(InvalidInput, match="a quarter of the window"):
        ControlUnit(model, window=2048).run(work)
    with pytest.raises(InvalidInput, match="a quarter of the window"):
        ControlUnit(model, window=2048).plan("word " * 1_000)
    with pytest.raises(InvalidInput, match="a task must be text"):
        ControlUnit(model).plan(" ")
    assert model.asked == []


@pytest.mark.parametrize(
    "wrong", [{"window": 2047}, {"tries": 0}, {"calls": -1}, {"fixes": -1}, {"timeout": 0.0}]
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    """By name."""
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        ControlUnit(Script([]), **wrong)
