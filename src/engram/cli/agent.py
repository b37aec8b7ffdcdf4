"""The command of agents: agent run."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Unpack

import typer

from engram.cli.door import METHODS, app, command
from engram.cli.options import note
from engram.cli.output import Output
from engram.cli.show import plain, tell
from engram.config import settings
from engram.errors import InvalidInput

if TYPE_CHECKING:
    from engram.agents.control import ControlUnit, StepEvent
    from engram.agents.program import Program

agent = typer.Typer(
    no_args_is_help=True,
    help="Work that is longer than a context: a model writes files, step by step.\n\n"
    'Example: engram agent run "A package of units" --folder out --model ollama:llama3.2',
)
app.add_typer(agent, name="agent", rich_help_panel=METHODS)


Task = Annotated[str, typer.Argument(metavar="TASK", help="What is to be written.")]
Folder = Annotated[
    Path, typer.Option(metavar="DIR", help="Gets checkpoint.json, and what is written in files/.")
]
Model = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="ollama:MODEL, openai:MODEL...; else ENGRAM_MODEL."),
]
Window = Annotated[
    int, typer.Option(metavar="N", min=2048, help="Tokens of a context and its answer.")
]
Calls = Annotated[
    int, typer.Option(metavar="N", min=1, help="Most calls of the model in this run.")
]
Test = Annotated[
    bool,
    typer.Option("--test", help="Run the tests that it writes: with limits, but in no jail."),
]


@command(METHODS, on=agent)
def run(
    task: Task,
    folder: Folder,
    model: Model = None,
    window: Window = 8192,
    calls: Calls = 300,
    test: Test = False,
    **shared: Unpack[Output],
) -> None:
    """Let a model plan a task and carry it out, one instruction at a time, after L2MAC.

    A run with the same folder goes on after the last step that was done. Exit code 1: something is
    not done, or a test fails.

    Example: engram agent run "A package of units" --folder out --model ollama:llama3.2 --test
    """
    if not task.strip():
        raise InvalidInput(f"TASK must be text that says something, got {task!r}")
    unit = _unit(model, window, calls, test=test)
    program = _program(unit, task, folder)
    names = program.registry.instructions
    for number in range(program.registry.at + 1, len(names) + 1):
        note(shared, f"to do {number}/{len(names)}: {names[number - 1]}")

    def heard(step: "StepEvent") -> None:
        note(shared, f"{'failed' if step.why else 'done'} {step.number}/{len(names)}")
        _export(program, folder, before)

    before = set(program.store.paths())
    _export(program, folder, before)
    report = unit.run(program, folder, heard)
    files = [str(folder / "files" / path) for path in program.store.paths()]
    document = {**asdict(report), "ok": report.ok, "why": report.why, "files": files}
    wrong = [report.why] if report.why else []
    wrong += [f"fails: {name}" for name in report.failing]
    head = f"{report.done} of {report.instructions} instructions are done"
    tell(shared, document, *files, *(plain(each, "red") for each in wrong), head)
    if not report.ok:
        raise typer.Exit(1)


def _unit(model: str | None, window: int, calls: int, *, test: bool) -> "ControlUnit":
    from engram.adapters.models import model as model_of  # help needs none of these
    from engram.agents.control import ControlUnit
    from engram.agents.evaluators import Sandbox

    made = model_of(settings().model if model is None else model)
    if made is None:
        raise InvalidInput(
            "engram agent needs a language model, got none; pass --model, such as "
            "--model ollama:llama3.2, or set ENGRAM_MODEL"
        )
    return ControlUnit(made, window, calls, sandbox=Sandbox() if test else None)


def _program(unit: "ControlUnit", task: str, folder: Path) -> "Program":
    """What the folder holds of this task, else a plan that is made and kept."""
    from engram.agents.program import FILE, Program

    if not (folder / FILE).exists():
        planned = unit.plan(task)
        planned.dump(folder)
        return planned
    begun = Program.load(folder)
    if begun.task != task:
        raise InvalidInput(
            f"{folder} holds the work on another task, {begun.task[:80]!r}; name another folder, "
            "or repeat that task to go on with it"
        )
    return begun


def _export(program: "Program", folder: Path, before: set[str]) -> None:
    """Write the files, take away those that were written before and are gone, and note which."""
    program.store.export(folder / "files", gone=before.difference(program.store.paths()))
    before.clear()
    before.update(program.store.paths())
