"""Does it remember, and at what cost? Every benchmark of a folder, beside plain baselines.

The figures are those of ``engram eval``; without a folder its synthetic twins run.
"""

import sys
from argparse import Namespace
from pathlib import Path

from engram import InvalidInput
from engram.evals.benchmarks import BENCHMARKS, evaluate
from engram.evals.report import summaries
from engram.evals.run import Report
from engram.evals.summary import Summary
from harness import Sheet, options

DEPTHS = (1, 5, 10)
HEAD = (
    "benchmark",
    "subject",
    *(f"R@{k}" for k in DEPTHS),
    "95 % of R@10",
    "sessions R@5",
    "tokens",
    "p50 ms",
    "p95 ms",
    "turns/s in",
)


def folders(data: Path) -> dict[str, Path]:
    """Benchmark -> the folder that begins with its name."""
    found = sorted(path for path in data.iterdir() if path.is_dir())
    return {
        name: path for name in BENCHMARKS for path in found if path.name.partition("-")[0] == name
    }


def measure(sheet: Sheet, args: Namespace, name: str, data: Path | None) -> list[list[object]]:
    """One benchmark: a row a subject, none where the data cannot be read."""
    try:
        report = evaluate(
            name,
            data,
            args.subjects.split(","),
            top_k=max(DEPTHS),
            limit=20 if args.quick else None,
            embedder=args.embedder,
            seed=args.seed,
        )
    except InvalidInput as unreadable:
        sheet.note(f"{name}: not run ({unreadable})")
        return []
    told = summaries(report)
    first = told[0]
    sheet.note(
        f"{report.task}: {report.episodes:,} episodes, {report.turns:,} turns, "
        f"{report.questions:,} questions, {first.scored:,} scored by {first.unit}"
    )
    return [row(report, summary) for summary in told]


def row(report: Report, summary: Summary) -> list[object]:
    """One subject; recall in percent of the evidence, tokens of the first ten turns."""
    at = {depth.k: depth for depth in summary.depths}
    last = at[max(DEPTHS)]
    return [
        report.task,
        f"{summary.subject} ({summary.embedder.partition('@')[0]})",
        *(f"{100 * at[k].recall:.1f}" for k in DEPTHS),
        f"{100 * last.low:.1f} to {100 * last.high:.1f}",
        f"{100 * at[5].sessions:.1f}",
        f"{last.tokens:,.0f}",
        1000 * summary.p50,
        1000 * summary.p95,
        f"{report.turns / summary.ingest:,.0f}" if summary.ingest else "",
    ]


def main() -> int:
    """Run every benchmark that is there."""
    parser = options("Recall and its cost, engram beside plain baselines.")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="a folder a benchmark")
    parser.add_argument("--only", metavar="NAMES", help="benchmarks, with commas between")
    parser.add_argument("--subjects", default="engram", metavar="NAMES", help="as in engram eval")
    parser.add_argument("--embedder", metavar="NAME", help="as in Memory.open")
    args = parser.parse_args()
    twins: dict[str, Path | None] = {name: None for name, b in BENCHMARKS.items() if b.twin}
    found = twins if args.data is None else folders(args.data)
    wanted = args.only.split(",") if args.only else list(found)
    sheet = Sheet("Recall", args.seed, args.json)
    rows: list[list[object]] = []
    for name in wanted:
        if name in found:
            rows += measure(sheet, args, name, found[name])
        else:
            sheet.note(f"{name}: not run, there is no data for it; there is {', '.join(found)}")
    sheet.table("All benchmarks", HEAD, rows)
    sheet.note("recall: mean share of the evidence found, %; questions without an answer are out")
    sheet.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
