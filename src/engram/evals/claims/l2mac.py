"""L2MAC: a stored-program computer around a language model, for output longer than any context.

A task becomes a list of instructions. A control unit carries them out one by one. Each begins with
an empty context, in which stand only the task, the instruction, the names of the files and what
came of the last steps. The files lie in a store outside; the model reads and changes them by tools.
Checks run on what it writes and send it back to mend what they find. So what is written in the end
may be many times as long as what the model can see, and still fits together.

What differs: a Python file whose syntax would be wrong is not written at all, nor one that would
lose most of its lines, nor one in which a line stands for others. Only tests that passed before a
step are that step's to mend. A step that comes to nothing is undone and ends the run; the next run
goes on from there, for the state is one file, replaced whole after each step. Where the paper
raises the temperature against loops, repeated calls are told, and then end the step.

Here a script stands in for the model: it sees what a model would see, and knows nothing else.

```python
from engram.agents.control import ControlUnit
from engram.agents.files import FileStore
from engram.agents.program import Program
from engram.agents.registry import InstructionRegistry
from engram.evals.claims.l2mac import Author

chapters = InstructionRegistry(["Write chapter 1."])
program = Program("A package of numbers.", chapters, FileStore())
report = ControlUnit(Author(), window=4096).run(program)
print(report.ok, program.store.paths())
```

```text
True ['book/chapter_1.py', 'tests/test_chapter_1.py']
```
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from engram.agents.control import REPEATS, ControlUnit
from engram.agents.evaluators import Sandbox, judged, syntax
from engram.agents.files import FileStore
from engram.agents.program import Program
from engram.agents.registry import InstructionRegistry
from engram.evals.claims.figures import Figure
from engram.plaintext.text.tokens import estimated
from engram.ports import Completion

_WINDOW, _CHAPTERS, _PIECES, _LINES, _KILLED = 2048, 6, 17, 18, 4
_TASK = "A package of numbers, and tests of every chapter."
_INSTRUCTION = re.compile(r"Instruction \d+ of \d+: Write chapter (\d+)\.")
_LENGTH = re.compile(r"^(\S+\.py) (?:has |\()(\d+) lines?\)?\.?", re.MULTILINE)


@dataclass
class Author:
    """A scripted model: it writes the chapter that it is asked for, piece by piece, and its test.

    How far the chapter is it reads from what it is shown. Its first test is wrong, until it is told
    so.

    Attributes:
        dies_in: chapter in the midst of which it kills its process; 0 for none.
        contexts: tokens of each context that it saw, without its answer.
        stubborn: whether it makes one call for ever.
    """

    dies_in: int = 0
    contexts: list[int] = field(default_factory=list)
    name: str = "author"
    stubborn: bool = False

    def complete(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = 1024,  # noqa: ARG002 - the port's; a piece is always short
    ) -> Completion:
        """The next call of a tool, or a summary where that is asked for."""
        self.contexts.append(sum(estimated(each["content"]) for each in messages))
        if schema is not None and "tool" not in schema["properties"]:
            return Completion(json.dumps({"summary": "Some pieces of the chapter are written."}))
        found = _INSTRUCTION.search(messages[1]["content"])
        assert found is not None
        if self.stubborn:
            return Completion('{"tool": "list"}')
        call = self._next(int(found[1]), "\n".join(each["content"] for each in messages))
        return Completion(json.dumps(call))

    def _next(self, chapter: int, seen: str) -> Mapping[str, str]:
        path, test = f"book/chapter_{chapter}.py", f"tests/test_chapter_{chapter}.py"
        lengths = {name: int(lines) for name, lines in _LENGTH.findall(seen)}
        piece = lengths.get(path, 0) // (2 * _LINES)
        if piece < _PIECES:
            if chapter == self.dies_in and piece == _PIECES // 2:
                os.kill(os.getpid(), signal.SIGKILL)
            return {"tool": "append", "path": path, "text": _piece(chapter, piece)}
        if test not in lengths:
            return {"tool": "write", "path": test, "text": _test(chapter, wrong=chapter == 1)}
        if seen.rfind("tests fail") > seen.rfind(f"{test} has"):
            return {"tool": "write", "path": test, "text": _test(chapter, wrong=False)}
        return {"tool": "done", "summary": f"Chapter {chapter} and its test are written."}


def claim() -> list[Figure]:
    """Output far longer than the context window, files that agree, and no step lost to a kill."""
    return [*_written(), *_interrupted()]


def _written() -> list[Figure]:
    """A book of many windows, with its tests run after each chapter."""
    author, whole = Author(), _program()
    report = ControlUnit(author, _WINDOW, sandbox=Sandbox()).run(whole)
    tokens = sum(estimated("\n".join(lines)) for lines in whole.store.files.values())
    bad = [path for path, lines in whole.store.files.items() if syntax(path, "\n".join(lines))]
    failing = judged(whole.store, Sandbox(60)).failing
    largest = max(step.largest for step in report.steps)
    return [
        _figure(
            f"tokens written, in windows of {_WINDOW}",
            "at least 5 windows",
            f"{tokens}, {tokens / _WINDOW:.1f} windows",
            ok=report.ok and tokens >= 10 * _WINDOW,
        ),
        _figure(
            "largest context with room for its answer, tokens",
            f"<= {_WINDOW}",
            largest,
            ok=max(author.contexts) < largest <= _WINDOW,
        ),
        _figure(
            f"files written, of {2 * _CHAPTERS}; of wrong syntax",
            f"{2 * _CHAPTERS}; 0",
            f"{len(whole.store.files)}; {len(bad)}",
            ok=len(whole.store.files) == 2 * _CHAPTERS and not bad,
        ),
        _figure("tests that fail at the end", "0", len(failing), ok=not failing),
    ]


def _interrupted() -> list[Figure]:
    """A run that is killed and goes on, and one that is stopped."""
    same, kept, left = _resumed()
    calls, why = _stopped()
    return [
        _figure(
            f"steps kept when killed in step {_KILLED} of {_CHAPTERS}, and steps still to do",
            f"{_KILLED - 1}, {_CHAPTERS - _KILLED + 1}",
            f"{kept}, {left}",
            ok=(kept, left) == (_KILLED - 1, _CHAPTERS - _KILLED + 1),
        ),
        _figure("the same files with the kill as without", "yes", "yes" if same else "no", ok=same),
        _figure(
            "calls of a model that repeats itself, until the step ends",
            "at most 3",
            calls,
            ok=calls == REPEATS and "in a row" in why,
        ),
    ]


def _figure(what: str, published: str, measured: float | str, *, ok: bool) -> Figure:
    return {"what": what, "published": published, "measured": measured, "ok": ok}


def _program() -> Program:
    chapters = [f"Write chapter {number}." for number in range(1, _CHAPTERS + 1)]
    return Program(_TASK, InstructionRegistry(chapters), FileStore())


def _piece(chapter: int, piece: int) -> str:
    """So many functions of two lines."""
    numbers = range(piece * _LINES, (piece + 1) * _LINES)
    return "\n".join(
        f"def number_{chapter}_{at}() -> int:\n    return {chapter * 10_000 + at}" for at in numbers
    )


def _test(chapter: int, *, wrong: bool) -> str:
    """A test of the last function of a chapter, and of the first of the chapter before."""
    last, before = _PIECES * _LINES - 1, max(1, chapter - 1)
    return (
        f"from book import chapter_{before}, chapter_{chapter}\n\n\n"
        f"def test_chapter_{chapter}():\n"
        f"    assert chapter_{before}.number_{before}_0() == {before * 10_000}\n"
        f"    assert chapter_{chapter}.number_{chapter}_{last}() == "
        f"{chapter * 10_000 + last + wrong}\n"
    )


def _resumed() -> tuple[bool, int, int]:
    """Whether the files are the same with a kill in between; steps kept, and steps still to do."""
    whole = _program()
    ControlUnit(Author(), _WINDOW).run(whole)
    with TemporaryDirectory(prefix="engram-claim-") as name:
        folder, code = Path(name, "state"), f"from {__name__} import killed; killed()"
        done = subprocess.run([sys.executable, "-c", code, str(folder)], check=False)
        assert done.returncode == -signal.SIGKILL
        program = Program.load(folder)
        kept = program.registry.at
        report = ControlUnit(Author(), _WINDOW).run(program, folder)
        again = Program.load(folder)
    return again.store.snapshot() == whole.store.snapshot(), kept, len(report.steps)


def killed() -> None:
    """Write the book below the folder of the first argument, and die in the midst of it."""
    ControlUnit(Author(dies_in=_KILLED), _WINDOW).run(_program(), Path(sys.argv[1]))


def _stopped() -> tuple[int, str]:
    """Calls that a stubborn model makes, and why they end."""
    report = ControlUnit(Author(stubborn=True), _WINDOW).run(_program())
    return report.steps[0].calls, report.why
