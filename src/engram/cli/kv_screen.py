"""How a run of a cache looks: text as it is written over a bar, and tables for eighty columns."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from engram.cli.output import Output
from engram.cli.progress import progress
from engram.cli.show import plain, table

if TYPE_CHECKING:
    from engram.adapters.kv_eval import Figures
    from engram.adapters.kv_run import Heard, Ran

_LAST = 8000  # characters that a screen can show at most
_TASKS = 4  # presets up to which every task has a line


@contextmanager
def heard(shared: Output, what: str) -> "Iterator[Heard]":
    """Shows a run while it goes on, and leaves the text on stdout, whatever ends it."""
    if shared["as_json"]:
        yield lambda *_: None
    elif sys.stdout.isatty() and sys.stderr.isatty() and not shared["quiet"]:
        yield from _live(what)
    else:
        with progress(shared, what) as tick:

            def tell(stage: str, done: int, total: int, text: str) -> None:
                tick(done, total, f"{what} {stage}")
                _say(text)

            try:
                yield tell
            finally:
                _say("\n")


def _live(what: str) -> "Iterator[Heard]":
    """Text over a bar, both at the bottom of the screen; the bar goes when it is done."""
    from rich.console import Console  # with its bars rich takes longer to load than most commands
    from rich.live import Live
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, TimeElapsedColumn(), console=console)
    task, written = bar.add_task(what, total=None), [""]

    class Screen:
        def __rich__(self) -> RenderableType:
            lines = plain("".join(written)[-_LAST:]).wrap(console, console.width)
            return Group(*lines[-max(1, console.height - 3) :], bar)

    def tell(stage: str, done: int, total: int, text: str) -> None:
        written.append(text)
        bar.update(task, completed=done, total=total, description=f"{what} {stage}")

    try:
        with Live(Screen(), console=console, transient=True, refresh_per_second=10):
            yield tell
    finally:
        _say("".join(written) + "\n")


def _say(text: str) -> None:
    print(plain(text).plain, end="", flush=True)


_ROWS: Mapping[str, "Callable[[Ran, int], str]"] = {
    "prompt, tokens": lambda ran, _: f"{ran.prompt:,}",
    "to the first token, s": lambda ran, _: f"{ran.first:.3f}",
    "written, tokens": lambda ran, _: f"{len(ran.ids):,}",
    "tokens a second": lambda ran, _: f"{ran.pace:.1f}" if len(ran.ids) > 1 else "–",
    "tokens seen": lambda ran, _: f"{ran.seen:,}",
    "entries kept of them": lambda ran, _: f"{ran.kept:,.0f} {ran.kept / ran.seen:.0%}",
    "DynamicCache, MB": lambda _, whole: _mb(whole),
    "this cache, MB": lambda ran, whole: f"{_mb(ran.total)} {ran.total / whole:.0%}",
}
"""What is told of a run; the whole number is the bytes of transformers' own cache."""


def runs(found: "Mapping[str, tuple[Ran, int]]") -> Table:
    """Runs side by side, with their bytes by what holds them."""
    rows = [[name, *(cell(*each) for each in found.values())] for name, cell in _ROWS.items()]
    tiers = dict.fromkeys(
        name for ran, _ in found.values() for name, held in ran.usage.items() if held
    )
    rows += [
        [f"  {tier}", *(_mb(ran.usage.get(tier, 0)) for ran, _ in found.values())] for tier in tiers
    ]
    return _right(table("", *found, rows=rows))


def _mb(held: float) -> str:
    return f"{held / 1e6:,.3f}"


def compared(found: "Sequence[Figures]") -> Table:
    """The mean over tasks of every entry; a star marks the front."""
    from engram.evals.caches import cells, lines  # loads every task

    rows: list[list[str | Text]] = [
        [plain("*" if line.best else "", "bold green"), line.figures.preset, *cells(line.figures)]
        for line in lines(found)
    ]
    heads = ["", "preset", "removed", "score", "MB", "first token ms", "token ms"]
    return _right(table(*heads, rows=rows), words=2)


def by_group(found: "Sequence[Figures]") -> list[RenderableType]:
    """A line for each preset with the mean of each group; every task where there is room."""
    from engram.evals.caches import GROUPS, beside, lines, size  # loads every task
    from engram.evals.tasks.ruler import KINDS

    told = lines(found)
    scores = {(each.preset, each.task): each.score for each in found}
    tasks = list(dict.fromkeys(each.task for each in found))
    groups = {
        group: inside
        for group in (*GROUPS, *tasks)
        if (inside := [task for task in tasks if _group(task, KINDS) == group])
    }
    rows = [
        [
            line.figures.preset,
            *(
                _mean([scores[line.figures.preset, task] for task in some])
                for some in groups.values()
            ),
            f"{line.figures.score:.2f}",
            beside(size(line.figures.resident), line.figures.resident_of_full),
        ]
        for line in told
    ]
    shown: list[RenderableType] = [_right(table("preset", *groups, "all", "MB", rows=rows))]
    presets = [line.figures.preset for line in told]
    if len(presets) <= _TASKS and len(tasks) > len(groups):
        each = [[task, *(f"{scores[one, task]:.2f}" for one in presets)] for task in tasks]
        shown += ["", _right(table("task", *presets, rows=each))]
    return shown


def _group(task: str, kinds: Mapping[str, Any]) -> str:
    return kinds[task].group if task in kinds else task


def _mean(scores: Sequence[float]) -> str:
    return f"{sum(scores) / len(scores):.2f}"


def _right(shown: Table, words: int = 1) -> Table:
    """Figures stand at the right of their column."""
    for column in shown.columns[words:]:
        column.justify = "right"
        column.no_wrap = True
    return shown
