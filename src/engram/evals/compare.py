"""Presets side by side over several benchmarks: one table, one picture."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engram import catalogue
from engram.errors import UnknownMethod
from engram.evals.report import markdown_table, summaries
from engram.evals.run import Report
from engram.extras import require


def presets(names: Sequence[str]) -> list[str]:
    """The subjects of presets by name; ``all`` stands for every preset of plaintext memory.

    Raises:
        UnknownMethod: no preset has that name.
    """
    known = [row.key for row in catalogue.ROWS if row.room == "plaintext"]
    chosen = known if "all" in names else list(dict.fromkeys(names))
    for name in chosen:
        if name not in known:
            raise UnknownMethod(f"no preset is called {name!r}; there are: {', '.join(known)}")
    return [f"engram:{name}" for name in chosen]


def rows(reports: Iterable[Report]) -> list[dict[str, Any]]:
    """One row for each subject of each benchmark, at the depth that was asked for.

    ``recall`` and its 95 % interval ``low`` to ``high`` are shares, ``tokens`` those of the first
    k turns, ``p50`` and ``p95`` seconds of a query, ``ingest`` seconds of writing it all, ``bytes``
    those of the store, ``calls`` those to a language model.
    """
    return [
        {
            "benchmark": report.task,
            "subject": summary.subject,
            "k": summary.depths[-1].k,
            "recall": summary.depths[-1].recall,
            "low": summary.depths[-1].low,
            "high": summary.depths[-1].high,
            "sessions": summary.depths[-1].sessions,
            "tokens": summary.depths[-1].tokens,
            "p50": summary.p50,
            "p95": summary.p95,
            "ingest": summary.ingest,
            "bytes": summary.bytes,
            "calls": summary.calls,
        }
        for report in reports
        for summary in summaries(report)
    ]


def to_markdown(found: Sequence[Mapping[str, Any]]) -> str:
    """The table of ``rows``."""
    heads = ["benchmark", "subject", "recall %", "95 % interval", "sessions %", "tokens"]
    heads += ["p50 ms", "p95 ms", "ingest s", "MB", "model calls"]
    return markdown_table(heads, [cells(row) for row in found]) + "\n"


def cells(row: Mapping[str, Any]) -> list[str]:
    """A row of ``rows`` as text, in the order of the table."""
    return [
        row["benchmark"],
        row["subject"],
        _percent(row["recall"]),
        f"{_percent(row['low'])} to {_percent(row['high'])}",
        _percent(row["sessions"]),
        f"{row['tokens']:.0f}",
        f"{1000 * row['p50']:.1f}",
        f"{1000 * row['p95']:.1f}",
        f"{row['ingest']:.1f}",
        f"{row['bytes'] / 1e6:.1f}",
        str(row["calls"]),
    ]


_MARKS = "osD^v<>P*X"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if math.isfinite(share) else "–"


def plot(found: Sequence[Mapping[str, Any]], target: Path) -> None:
    """Draw recall with its interval against tokens, one picture a benchmark.

    Args:
        found: of ``rows``.
        target: file to write; the suffix chooses the format.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    figures = require("matplotlib.figure", extra="plot", purpose="drawing a comparison")
    names = list(dict.fromkeys(row["benchmark"] for row in found))
    figure = figures.Figure(figsize=(8 * len(names), 5), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        scored = [r for r in found if r["benchmark"] == name and math.isfinite(r["recall"])]
        for at, row in enumerate(sorted(scored, key=lambda row: -row["recall"])):
            middle = 100 * row["recall"]
            spread = [[middle - 100 * row["low"]], [100 * row["high"] - middle]]
            mark, label = _MARKS[at % len(_MARKS)], f"{row['subject']} {middle:.1f}"
            axes.errorbar(row["tokens"], middle, yerr=spread, fmt=mark, capsize=3, label=label)
        axes.set(title=name, xlabel="tokens placed in context", ylabel="evidence found, %")
        axes.set(xscale="log", ylim=(0, 105))
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8)
    figure.savefig(target)
