"""The command that measures: eval."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Unpack

import typer
from rich.table import Table

from engram.cli.door import METHODS, command
from engram.cli.options import note
from engram.cli.output import Output
from engram.cli.progress import progress
from engram.cli.show import plain, table, tell
from engram.errors import MissingExtra

if TYPE_CHECKING:
    from engram.evals.run import Report

_SHOWN = (1, 5, 10)  # depths in the table; the files hold all of them


Name = Annotated[
    str, typer.Argument(metavar="BENCH", help="locomo, longmemeval, beam, memdaily...")
]
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
Seed = Annotated[int, typer.Option(metavar="N", help="Of the twin and the intervals.")]
Out = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder for a report: JSON, Markdown and PNG."),
]


@command(METHODS, "eval")
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
    from engram.evals.benchmarks import evaluate as run  # every benchmark and subject
    from engram.evals.report import to_json

    named = [name for given in subjects or ["engram"] for name in given.split(",")]
    with progress(shared, benchmark) as tick:
        report = run(
            benchmark,
            data,
            subjects=named,
            top_k=top_k,
            limit=limit,
            embedder=embedder,
            seed=seed,
            progress=tick,
        )
    if out is not None:
        _write(report, out, shared)
    head = f"{report.task}: {report.questions} questions, {report.turns} turns"
    if shared["as_json"]:
        print(to_json(report, questions=False))
    else:
        tell(shared, None, plain(head, "bold"), _figures(report))


def _figures(report: "Report") -> Table:
    from engram.evals.report import summaries  # see ``evaluate``

    shown = [at for at, k in enumerate(report.ks) if k in _SHOWN or k == report.depth]
    rows = [
        (
            summary.subject,
            *(f"{100 * summary.depths[at].recall:.1f}" for at in shown),
            f"{summary.depths[shown[-1]].tokens:.0f}",
            f"{1000 * summary.p50:.1f}",
            f"{summary.ingest:.1f}",
        )
        for summary in summaries(report)
    ]
    heads = [f"R@{report.ks[at]} %" for at in shown]
    return table("subject", *heads, "tokens", "ms", "ingest s", rows=rows)


def _write(report: "Report", folder: Path, shared: Output) -> None:
    """The whole report, with what was found for every question, as files."""
    from engram.evals.report import plot, to_json, to_markdown  # see ``evaluate``

    folder.mkdir(parents=True, exist_ok=True)
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
