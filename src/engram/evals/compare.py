"""Presets side by side over several benchmarks: one table, one picture."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from statistics import fmean
from typing import Any

from engram import catalogue
from engram.errors import UnknownMethod
from engram.evals.metrics import recall
from engram.evals.report import count, markdown_table, percent, summaries
from engram.evals.run import Report, Trial
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

    ``recall`` and its 95 % interval ``low`` to ``high`` are shares, so is ``right``, the mean mark
    of answers by rules with its interval, NaN where there are none. ``tokens`` are those of the
    first k turns; ``equal`` is the recall of what fits into ``budget`` tokens, the same for all
    that rank: the fewest that a preset placed on the mean. ``p50`` and ``p95`` are seconds of a
    query, ``ingest`` seconds of writing it all, ``bytes`` those of the store, ``calls`` those to a
    language model.
    """
    return [row for report in reports for row in _rows(report)]


def _rows(report: Report) -> list[dict[str, Any]]:
    told = summaries(report)
    ours = [each.depths[-1].tokens for each in told if each.subject.startswith("engram ")]
    budget = min(filter(math.isfinite, ours), default=math.nan)
    return [
        {
            "benchmark": report.task,
            "subject": summary.subject,
            "ranked": trial.ranked,
            "k": summary.depths[-1].k,
            "recall": summary.depths[-1].recall,
            "low": summary.depths[-1].low,
            "high": summary.depths[-1].high,
            "sessions": summary.depths[-1].sessions,
            "equal": _afforded(trial, summary.unit, budget),
            "budget": budget,
            "right": summary.depths[-1].right,
            "right_low": summary.depths[-1].right_low,
            "right_high": summary.depths[-1].right_high,
            "tokens": summary.depths[-1].tokens,
            "p50": summary.p50,
            "p95": summary.p95,
            "ingest": summary.ingest,
            "bytes": summary.bytes,
            "calls": summary.calls,
        }
        for summary, trial in zip(told, report.trials, strict=True)
    ]


def _afforded(trial: Trial, unit: str, budget: float) -> float:
    """Mean share of evidence among the first turns that cost no more than so many tokens."""
    found = []
    for outcome in trial.outcomes:
        turns, probe = unit == "turn", outcome.probe
        gold = probe.evidence if turns else probe.evidence_sessions
        if trial.ranked and probe.answerable and gold:
            fits = sum(spent <= budget for spent in accumulate(outcome.costs))
            found.append(recall((outcome.turns if turns else outcome.homes)[:fits], gold, fits))
    return fmean(found) if found else math.nan


def to_markdown(found: Sequence[Mapping[str, Any]]) -> str:
    """The table of ``rows``."""
    heads = [
        "benchmark",
        "subject",
        "recall %",
        "95 % interval",
        "sessions %",
        "equal %",
        "right %",
    ]
    heads += ["tokens", "p50 ms", "p95 ms", "ingest s", "MB", "model calls"]
    return markdown_table(heads, [cells(row) for row in found]) + "\n"


def cells(row: Mapping[str, Any]) -> list[str]:
    """A row of ``rows`` as text, in the order of the table."""
    return [
        row["benchmark"],
        row["subject"],
        percent(row["recall"]),
        f"{percent(row['low'])} to {percent(row['high'])}",
        percent(row["sessions"]),
        percent(row["equal"]),
        percent(row["right"]),
        count(row["tokens"]),
        f"{1000 * row['p50']:.1f}",
        f"{1000 * row['p95']:.1f}",
        f"{row['ingest']:.1f}",
        f"{row['bytes'] / 1e6:.1f}",
        str(row["calls"]),
    ]


_MARKS = "osD^v<>P*Xh"  # one more than the colours, so that few look alike
_RECALL, _RIGHT = ("recall", "low", "high"), ("right", "right_low", "right_high")


def plot(found: Sequence[Mapping[str, Any]], target: Path) -> None:
    """Draw quality with its interval against tokens, one picture a benchmark.

    Quality is what is answered right by rules, where there are such answers, else recall.

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
        _draw(axes, name, [row for row in found if row["benchmark"] == name])
    figure.savefig(target)


def _draw(axes: Any, name: str, here: Sequence[Mapping[str, Any]]) -> None:
    """One benchmark: a mark for each subject, the best first in the legend.

    What places everything in context is a line: as a mark it would lie far away from all others.
    """
    answered = any(math.isfinite(row["right"]) for row in here)
    middle_of, low_of, high_of = _RIGHT if answered else _RECALL
    scored = [row for row in here if math.isfinite(row[middle_of])]
    for at, row in enumerate(sorted(scored, key=lambda row: -row[middle_of])):
        middle = 100 * row[middle_of]
        label = f"{row['subject']} {middle:.1f}"
        if row["ranked"]:
            spread = [[middle - 100 * row[low_of]], [100 * row[high_of] - middle]]
            look = {"fmt": _MARKS[at % len(_MARKS)], "capsize": 3, "label": label}
            axes.errorbar(row["tokens"], middle, yerr=spread, **look)
        else:
            told = f"{label}, {count(row['tokens'])} tokens"
            axes.axhline(middle, linestyle="--", color="grey", label=told)
    quality = "answered right by rules, %" if answered else "evidence found, %"
    axes.set(title=name, xlabel="tokens placed in context", ylabel=quality, ylim=(0, 105))
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8)
