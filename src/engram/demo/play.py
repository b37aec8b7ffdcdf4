"""The whole evening: a conversation is remembered, then asked about, damaged, mended, erased."""

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeAlias

from rich.console import Console
from rich.text import Text

from engram.demo import clocks, locomo, recall, trust
from engram.demo.recall import Outcome
from engram.demo.recital import Recital, recite
from engram.demo.script import Calendar, Line, conversation
from engram.demo.stage import Stage
from engram.errors import InvalidInput
from engram.memory import Memory

Act: TypeAlias = tuple[str, str, Callable[[Stage, Memory], Outcome]]
"""A key for the results, a title, and what happens."""

ACTS: tuple[Act, ...] = (
    ("recall", "Recall, with evidence", recall.with_evidence),
    ("superseded", "A fact that changed", clocks.superseded),
    ("clocks", "Two clocks: what was true, what was known", clocks.two_clocks),
    ("revert", "A bad edit, seen and undone", trust.bad_edit),
    ("quarantine", "An order hidden in a web page", trust.quarantine),
    ("erase", "A secret, forgotten for good", trust.erased),
    ("unknown", "What was never said", recall.nothing_known),
    ("latency", "How long it takes", recall.how_fast),
)


@dataclass(frozen=True, slots=True)
class Results:
    """What was played and measured.

    Attributes:
        path: the memory's file; it stays.
        messages, chats: how much was remembered.
        messages_per_second: in ``Memory.add``, one durable commit a message.
        bytes: size of the file after the last act.
        seconds: how long it all took, with the pauses.
        acts: what each act measured, with ``held``: whether its promise was kept.
    """

    path: str
    messages: int
    chats: int
    messages_per_second: float
    bytes: int
    seconds: float
    acts: Mapping[str, Mapping[str, Any]]

    @property
    def held(self) -> bool:
        """Whether every act kept its promise."""
        return all(act["held"] for act in self.acts.values())

    def plain(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {**asdict(self), "held": self.held}


def play(
    path: Path | None = None, *, out: Console, data: Path | None = None, pace: float = 0.0
) -> Results:
    """Remember a conversation and show what can be done with it.

    Args:
        path: a new file for the memory; None makes one in a new temporary folder, and leaves it.
        out: where it is shown.
        data: a LoCoMo file to play instead of the conversation that ships with engram.
        pace: seconds that each line stays on a screen, and a fortieth of the pauses between acts.

    Raises:
        InvalidInput: the file exists already, or ``data`` cannot be read.
    """
    began = time.perf_counter()
    file = _fresh(path)
    stage = Stage(out, pace)
    sample = None if data is None else locomo.read(data)
    script = conversation() if sample is None else sample.script
    acts = ACTS if sample is None else _benchmark(sample)
    _title(stage, script, sample)
    calendar = Calendar(script[0].at)
    with Memory.open(file, clock=calendar) as memory:
        said = recite(stage, memory, calendar, script)
        outcomes = {key: _played(stage, memory, title, act) for key, title, act in acts}
    results = _results(file, said, outcomes, time.perf_counter() - began)
    _curtain(
        stage, results, "Who repaired the cello?" if sample is None else sample.questions[0].text
    )
    return results


def _fresh(path: Path | None) -> Path:
    if path is None:
        return Path(mkdtemp(prefix="engram-demo-"), "demo.db")
    file = path.expanduser()
    if file.exists():
        raise InvalidInput(f"the demo needs a new file, {str(path)!r} exists; name another")
    return file


def _benchmark(sample: locomo.Sample) -> tuple[Act, ...]:
    five = locomo.chosen(sample.questions)
    texts = [question.text for question in sample.questions]
    return (
        ("recall", "Recall, with evidence", partial(locomo.with_evidence, questions=five)),
        ("latency", "How long it takes", partial(recall.how_fast, asked=texts)),
    )


def _title(stage: Stage, script: Sequence[Line], sample: locomo.Sample | None) -> None:
    people = " and ".join(dict.fromkeys(line.name for line in script if line.role == "user"))
    what = "Ten months of" if sample is None else f"LoCoMo, {sample.name}:"
    stage.title("engram", f"{what} {people}. {len(script)} messages, one file, no model call.")


def _played(
    stage: Stage, memory: Memory, title: str, act: Callable[[Stage, Memory], Outcome]
) -> Mapping[str, Any]:
    stage.act(title)
    outcome = act(stage, memory)
    return {"held": outcome.held, **outcome.found}


def _results(
    file: Path, said: Recital, outcomes: Mapping[str, Mapping[str, Any]], seconds: float
) -> Results:
    return Results(
        path=str(file),
        messages=said.lines,
        chats=said.chats,
        messages_per_second=round(said.rate, 1),
        bytes=file.stat().st_size,
        seconds=round(seconds, 3),
        acts=outcomes,
    )


def _curtain(stage: Stage, results: Results, question: str) -> None:
    """One file holds it all; what to type next goes on one line, to be copied."""
    stage.console.print()
    stage.verdict(
        f"{sum(act['held'] for act in results.acts.values())} of {len(results.acts)} acts held, "
        f"{results.seconds:.1f} s, one file of {results.bytes / 1e6:.1f} MB",
        held=results.held,
    )
    stage.console.print()
    command = shlex.join(["engram", "search", question, "--path", results.path])
    stage.console.print(
        Text.assemble(("  Ask it yourself:  ", "dim"), (command, "bold")), soft_wrap=True
    )
    stage.console.print()
