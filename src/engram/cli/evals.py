"""The commands that measure: eval, eval compare, eval mine."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Unpack

import typer
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

from engram.cli.door import METHODS, app, command
from engram.cli.options import note
from engram.cli.output import Output
from engram.cli.progress import progress
from engram.cli.show import plain, table, tell
from engram.errors import MissingExtra

if TYPE_CHECKING:
    from engram.evals.benchmarks import Options
    from engram.evals.gate import Change
    from engram.evals.run import Report

BENCHES = (
    "babi, beam, beam-user, lihua, locomo, longmemeval, madial, memdaily, memorybank-probes, "
    "mined, msc, multihop, sort"
)
"""Written out, so that help loads none of them."""

_NARROW = {
    "subject": 1,
    "recall %": 2,
    "interval": 3,
    "equal %": 5,
    "right %": 6,
    "tokens": 7,
    "ms": 8,
    "MB": 11,
    "calls": 12,
}
"""Column of a comparison in a terminal -> its place in ``compare.cells``."""

_SHOWN = (1, 5, 10)  # depths in the table; the files hold all of them


Name = Annotated[str, typer.Argument(metavar="BENCH", help=f"One of {BENCHES}.")]
Data = Annotated[
    Path | None,
    typer.Option(exists=True, help="Its file or folder; without it a synthetic twin runs."),
]
Subjects = Annotated[
    list[str] | None,
    typer.Option("--subjects", help="engram, engram:PRESET, vectors...; can be repeated."),
]
TopK = Annotated[int, typer.Option("--top-k", "-k", metavar="N", help="Turns to ask for.")]
Limit = Annotated[
    int | None, typer.Option(metavar="N", help="Ask only the first so many questions.")
]
Model = Annotated[
    str | None, typer.Option(metavar="NAME", help="Of engram and of vectors; none: words only.")
]
Seed = Annotated[int, typer.Option(metavar="N", min=0, help="Of the twin and the intervals.")]
Out = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder for a report: JSON, Markdown and PNG."),
]


Presets = Annotated[
    list[str] | None,
    typer.Option("--presets", help="Keys of engram list, or all; can be repeated."),
]
Benches = Annotated[
    list[str] | None,
    typer.Option(
        "--bench",
        metavar="NAME[=PATH]",
        help="A benchmark of engram eval run --help and its data, else its synthetic twin; can "
        "be repeated.",
    ),
]
Log = Annotated[Path, typer.Argument(exists=True, help="What engram import can read.")]
Before = Annotated[
    Path | None,
    typer.Option("--gate", exists=True, help="JSON of an earlier run: fail if less is found."),
]


class Measures(TyperGroup):
    """Takes the name of a benchmark for ``run`` of it."""

    default = "run"

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """``engram eval locomo`` is ``engram eval run locomo``."""
        named = args and (args[0] in self.commands or args[0].startswith("-"))
        return super().resolve_command(ctx, args if named else [self.default, *args])


evals = typer.Typer(
    cls=Measures,
    no_args_is_help=True,
    help="Does it remember? Run a benchmark, compare presets, or ask your own logs.\n\n"
    f"Benchmarks: {BENCHES}.\n\n"
    "Example: engram eval locomo --limit 50",
)
app.add_typer(evals, name="eval", rich_help_panel=METHODS)


@command(METHODS, "run", on=evals)
def evaluate(
    benchmark: Name,
    data: Data = None,
    subjects: Subjects = None,
    top_k: TopK = 10,
    limit: Limit = None,
    embedder: Model = None,
    seed: Seed = 0,
    out: Out = None,
    **shared: Unpack[Output],
) -> None:
    """Does it remember? Run a benchmark, always beside plain baselines.

    Example: engram eval locomo --limit 50 --out report
    """
    from engram.evals.report import to_json  # see ``_measured``

    options = _options(top_k, limit, embedder, seed)
    report = _reported(shared, benchmark, data, _names(subjects, "engram"), options, out)
    document = json.loads(to_json(report, questions=False))
    tell(shared, document, _head(report), _figures(report))


@command(METHODS, on=evals)
def compare(
    presets: Presets = None,
    benches: Benches = None,
    top_k: TopK = 10,
    limit: Limit = None,
    embedder: Model = None,
    seed: Seed = 0,
    out: Out = None,
    **shared: Unpack[Output],
) -> None:
    """Presets side by side: what is found, with intervals, at which cost; a table and a picture.

    Example: engram eval compare --presets all --bench locomo --bench longmemeval
    """
    from engram.evals import compare as side  # see ``_measured``
    from engram.evals.report import finite

    if out is not None:
        _begin(out)
    subjects = side.presets(_names(presets, "all"))
    reports = []
    options = _options(top_k, limit, embedder, seed)
    for bench in _names(benches, "locomo,longmemeval"):
        name, _, path = bench.partition("=")
        data = Path(path) if path else None
        reports.append(_measured(shared, name, data, subjects, options))
    found = side.rows(reports)
    if out is not None:
        _keep(out, found, shared)
    tell(shared, finite({"rows": found}), *(part for report in reports for part in _side(report)))


@command(METHODS, on=evals)
def mine(
    log: Log,
    subjects: Subjects = None,
    embedder: Model = None,
    top_k: TopK = 10,
    limit: Limit = None,
    seed: Seed = 0,
    out: Out = None,
    gate: Before = None,
    **shared: Unpack[Output],
) -> None:
    """Ask your own logs: questions are mined from them, and an earlier run gates a change.

    Exit code 1: less is found than in the earlier run, beyond what chance explains.

    Example: engram eval mine conversations.json --out before
    """
    from engram.evals import gate as gates  # see ``_measured``
    from engram.evals.report import to_json

    options = _options(top_k, limit, embedder, seed)
    report = _reported(shared, "mined", log, _names(subjects, "engram"), options, out)
    changes = [] if gate is None else gates.changes(gate, report)
    document = json.loads(to_json(report, questions=False))
    document["changes"] = [{**asdict(change), "worse": change.worse} for change in changes]
    tell(shared, document, _head(report), _figures(report), *map(_change, changes))
    if any(change.worse for change in changes):
        raise typer.Exit(1)


def _side(report: "Report") -> tuple[Text, Table]:
    """One benchmark of a comparison, narrow enough for a terminal; the files hold the rest."""
    from engram.evals.compare import cells, rows  # see ``_measured``
    from engram.evals.report import count

    told = rows([report])
    left_out = {"MB"} if _marks(report) else {"right %"}
    kept = {name: at for name, at in _NARROW.items() if name not in left_out}
    shown = [[row[at].replace(" to ", "-") for at in kept.values()] for row in map(cells, told)]
    head = _head(report).append(f"; equal: within {count(told[0]['budget'])} tokens", "dim")
    return head, table(*kept, rows=shown)


def _marks(report: "Report") -> bool:
    """Whether a reader who follows rules answered."""
    return any(outcome.marks for trial in report.trials for outcome in trial.outcomes)


def _options(top_k: int, limit: int | None, embedder: str | None, seed: int) -> "Options":
    return {"top_k": top_k, "limit": limit, "embedder": embedder, "seed": seed}


def _measured(
    shared: Output, name: str, data: Path | None, subjects: list[str], options: "Options"
) -> "Report":
    """Run a benchmark under a progress bar."""
    from engram.evals.benchmarks import evaluate as run  # every benchmark and subject

    with progress(shared, name) as tick:
        options["progress"] = tick
        return run(name, data, subjects, **options)


def _reported(
    shared: Output,
    name: str,
    data: Path | None,
    subjects: list[str],
    options: "Options",
    out: Path | None,
) -> "Report":
    """Run a benchmark, and keep the report where it is wanted."""
    if out is not None:
        _begin(out)
    report = _measured(shared, name, data, subjects, options)
    if out is not None:
        _write(report, out, shared)
    return report


def _names(given: list[str] | None, else_: str) -> list[str]:
    return [name for each in given or [else_] for name in each.split(",") if name]


def _head(report: "Report") -> Text:
    return plain(f"{report.task}: {report.questions} questions, {report.turns} turns", "bold")


def _change(change: "Change") -> Text:
    """What a change did, in percentage points."""
    told = (
        f"{change.subject}: {100 * change.delta:+.1f} points, {100 * change.low:+.1f} to "
        f"{100 * change.high:+.1f} over {change.questions} questions"
    )
    return plain(f"{told}: worse" if change.worse else told, "bold red" if change.worse else "")


def _keep(folder: Path, found: list[dict[str, Any]], shared: Output) -> None:
    """The rows of a comparison as files."""
    from engram.evals.compare import plot, to_markdown  # see ``_measured``
    from engram.evals.report import finite

    written = [folder / f"compare{suffix}" for suffix in (".json", ".md", ".png")]
    written[0].write_text(json.dumps(finite({"rows": found}), indent=1), encoding="utf-8")
    written[1].write_text(to_markdown(found), encoding="utf-8")
    try:
        plot(found, written[2])
    except MissingExtra as missing:  # see ``_write``
        note(shared, f"no picture: {missing}")
        written.pop()
    note(shared, "wrote " + ", ".join(map(str, written)))


def _figures(report: "Report") -> Table:
    from engram.evals.report import count, percent, summaries  # see ``_measured``

    marks = _marks(report)
    shown = [at for at, k in enumerate(report.ks) if k in _SHOWN or k == report.depth]
    rows = [
        (
            summary.subject,
            *(percent(summary.depths[at].recall) for at in shown),
            *([percent(summary.depths[shown[-1]].right)] if marks else []),
            count(summary.depths[shown[-1]].tokens),
            f"{1000 * summary.p50:.1f}",
            f"{summary.ingest:.1f}",
        )
        for summary in summaries(report)
    ]
    heads = [f"R@{report.ks[at]} %" for at in shown] + (["right %"] if marks else [])
    return table("subject", *heads, "tokens", "ms", "ingest s", rows=rows)


def _begin(folder: Path) -> None:
    """Make the folder before the work is done, not after."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise typer.BadParameter(
            f"no folder can be made here ({fault})", param_hint="--out"
        ) from None


def _write(report: "Report", folder: Path, shared: Output) -> None:
    """The whole report, with what was found for every question, as files."""
    from engram.evals.report import plot, to_json, to_markdown  # see ``_measured``

    stem = "".join(char if char.isalnum() else "-" for char in report.task.lower())
    written = [folder / f"{stem}{suffix}" for suffix in (".json", ".md", ".png")]
    written[0].write_text(to_json(report), encoding="utf-8")
    written[1].write_text(to_markdown(report), encoding="utf-8")
    try:
        plot(report, written[2])
    except MissingExtra as missing:  # the figures are the report, the picture is a help
        note(shared, f"no picture: {missing}")
        written.pop()
    note(shared, "wrote " + ", ".join(map(str, written)))
