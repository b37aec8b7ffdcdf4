"""A report as JSON, as Markdown tables and as a picture."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engram.evals.run import Report, Trial
from engram.evals.summary import Depth, Summary, summarise
from engram.extras import require

_SHOWN = 10  # the k whose interval and session figures the Markdown tables show, if it was run


def summaries(report: Report) -> list[Summary]:
    """One summary a trial, in the order of the trials."""
    return [summarise(trial, report.ks, report.seed) for trial in report.trials]


def to_json(report: Report, *, questions: bool = True) -> str:
    """Write a report as JSON.

    Args:
        report: what to write.
        questions: include what every subject found for every question.
    """
    head = {name: getattr(report, name) for name in _HEAD}
    trials: list[dict[str, Any]] = [asdict(summary) for summary in summaries(report)]
    if questions:
        for told, trial in zip(trials, report.trials, strict=True):
            told["questions"] = _questions(trial)
    return json.dumps(finite({**head, "trials": trials}), ensure_ascii=False, indent=1)


_HEAD = ("task", "ks", "depth", "seed", "episodes", "sessions", "turns", "questions", "notes")


def _questions(trial: Trial) -> list[dict[str, Any]]:
    return [
        {
            "id": outcome.probe.id,
            "category": outcome.probe.category,
            "answerable": outcome.probe.answerable,
            "evidence": outcome.probe.evidence or outcome.probe.evidence_sessions,
            "found": outcome.turns if trial.ranked else "everything",
            "tokens": sum(outcome.costs),
            "seconds": outcome.seconds,
            "confidence": outcome.confidence,
            "abstain": outcome.abstain,
            "marks": outcome.marks,
        }
        for outcome in trial.outcomes
    ]


def finite(value: Any) -> Any:
    """JSON has no NaN: what could not be scored is null."""
    if isinstance(value, Mapping):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def to_markdown(report: Report) -> str:
    """Write the tables of a report: recall, categories, costs, abstention, notes."""
    told = summaries(report)
    shown = max((k for k in report.ks if k <= _SHOWN), default=report.ks[0])
    at = report.ks.index(shown)
    parts = [
        f"## {report.task}",
        f"{report.episodes} episodes, {report.sessions} sessions, {report.turns} turns, "
        f"{report.questions} questions, {told[0].scored} scored by {told[0].unit} and "
        f"{told[0].sessions_scored} by session; {report.depth} turns asked for. "
        "Recall is the mean share of evidence found, in %, [95 % interval over questions].",
        _recall_table(told, report.ks, at),
        f"Recall @{shown} by category (questions):",
        _category_table(told, at),
        _right_table(told, shown, at),
        "Costs:",
        _cost_table(told, at),
        _abstention_table(told),
        "\n".join(f"- note: {note}" for note in report.notes),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _recall_table(told: Sequence[Summary], ks: Sequence[int], at: int) -> str:
    shown = ks[at]
    head = ["preset", "embedder", *(f"R@{k}" for k in ks), f"interval @{shown}"]
    head += [f"any @{shown}", f"all @{shown}", f"nDCG @{shown}", "MRR"]
    near = min(range(len(ks)), key=lambda i: abs(ks[i] - 5))
    head += [f"sessions R@{ks[near]}", f"any @{ks[near]}", f"all @{ks[near]}"]
    rows = []
    for summary in told:
        middle, session = summary.depths[at], summary.depths[near]
        row = [summary.subject, summary.embedder, *(percent(d.recall) for d in summary.depths)]
        row += [f"{percent(middle.low)} to {percent(middle.high)}"]
        row += [percent(middle.any), percent(middle.all), percent(middle.ndcg)]
        row += [percent(summary.mrr)]
        row += [percent(getattr(session, f"sessions{what}")) for what in ("", "_any", "_all")]
        rows.append(row)
    return markdown_table(head, rows)


def _category_table(told: Sequence[Summary], at: int) -> str:
    names = [f"{name} ({count})" for name, (count, _) in told[0].categories.items()]
    rows = [
        [s.subject, *(percent(recalls[at]) for _, recalls in s.categories.values())] for s in told
    ]
    return markdown_table(["preset", *names], rows)


def _right_table(told: Sequence[Summary], k: int, at: int) -> str:
    """Marks, where somebody marks: in all with their interval, then by category."""
    if not told[0].rights:
        return ""
    names = [f"{name} ({count})" for name, (count, _) in told[0].rights.items()]
    rows = []
    for summary in told:
        depth = summary.depths[at]
        row = [summary.subject, percent(depth.right)]
        row += [f"{percent(depth.right_low)} to {percent(depth.right_high)}"]
        rows.append(row + [percent(marks[at]) for _, marks in summary.rights.values()])
    head = ["preset", "all", "interval", *names]
    return f"Answered right by rules @{k}, %:\n\n" + markdown_table(head, rows)


_COSTS: Mapping[str, Callable[[Summary, Depth], str]] = {
    "preset": lambda summary, _: summary.subject,
    "embedder": lambda summary, _: summary.embedder,
    "k": lambda _, depth: str(depth.k),
    "tokens in context": lambda _, depth: count(depth.tokens),
    "query p50, s": lambda summary, _: f"{summary.p50:.4f}",
    "query p95, s": lambda summary, _: f"{summary.p95:.4f}",
    "ingest, s": lambda summary, _: f"{summary.ingest:.2f}",
    "items": lambda summary, _: f"{summary.items}",
    "store, bytes": lambda summary, _: f"{summary.bytes}",
    "model calls": lambda summary, _: f"{summary.calls}",
}


def _cost_table(told: Sequence[Summary], at: int) -> str:
    rows = [[cell(summary, summary.depths[at]) for cell in _COSTS.values()] for summary in told]
    return markdown_table(list(_COSTS), rows)


def _abstention_table(told: Sequence[Summary]) -> str:
    rows = [
        [
            summary.subject,
            str(summary.abstention.unanswerable),
            percent(summary.abstention.refused),
            percent(summary.abstention.wrongly),
            "–" if summary.abstention.auroc is None else f"{summary.abstention.auroc:.3f}",
        ]
        for summary in told
        if summary.abstention
    ]
    head = ["preset", "without an answer", "declined, %", "declined wrongly, %", "AUROC"]
    return "Abstention:\n\n" + markdown_table(head, rows) if rows else ""


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells under heads, as Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def percent(share: float) -> str:
    """A share of 1 in percent; a dash where nothing could be scored."""
    return f"{100 * share:.1f}" if math.isfinite(share) else "–"


def count(number: float) -> str:
    """A number without decimals; a dash where nothing could be counted."""
    return f"{number:.0f}" if math.isfinite(number) else "–"


def plot(report: Report, target: Path) -> None:
    """Draw recall against k and against tokens placed in context, one line a subject.

    Where answers are marked by rules, a third picture shows what share of them is right.

    Args:
        report: what to draw.
        target: file to write; the suffix chooses the format (``.png``, ``.svg``, ``.pdf``).

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    figures = require("matplotlib.figure", extra="plot", purpose="drawing a report")
    told = summaries(report)
    answered = any(summary.rights for summary in told)
    figure = figures.Figure(figsize=(15 if answered else 11, 4), layout="constrained")
    by_k, by_tokens, *by_rules = figure.subplots(1, 3 if answered else 2, sharey=True)
    for summary in told:
        recalls = [100 * depth.recall for depth in summary.depths]
        tokens = [depth.tokens for depth in summary.depths]
        by_k.plot(report.ks, recalls, "o-", label=summary.subject)
        by_tokens.plot(tokens, recalls, "o-", label=summary.subject)
        for axes in by_rules:
            axes.plot(tokens, [100 * depth.right for depth in summary.depths], "o-")
    by_k.set(xscale="log", xlabel="k", ylabel="evidence found, %", title=report.task, ylim=(0, 102))
    by_tokens.set(title="the same, by cost")
    for axes in by_rules:
        axes.set(title="answered right by rules, %")
    by_k.set_xticks(report.ks, labels=[str(k) for k in report.ks])
    by_k.minorticks_off()
    ticks = require("matplotlib.ticker", extra="plot", purpose="drawing a report")
    for axes in (by_tokens, *by_rules):
        axes.set(xscale="log", xlabel="tokens placed in context")
        axes.xaxis.set_major_locator(ticks.LogLocator(subs=(1, 3)))
        axes.xaxis.set_major_formatter(ticks.StrMethodFormatter("{x:,.0f}"))
        axes.minorticks_off()
    figure.legend(*by_k.get_legend_handles_labels(), loc="outside right center")
    figure.savefig(target)
