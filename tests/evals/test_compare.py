"""Presets side by side: every one beside the baselines, in one table and one picture."""

import math
from pathlib import Path

import pytest

from engram import catalogue
from engram.errors import UnknownMethod
from engram.evals.benchmarks import evaluate
from engram.evals.compare import plot, presets, rows, to_markdown
from engram.evals.run import Report, run
from engram.evals.subjects.bm25 import Bm25
from engram.evals.subjects.memory import Engram
from engram.evals.subjects.recent import FullContext
from engram.evals.tasks.planted import Planted


def test_all_are_all_presets_of_plaintext_memory() -> None:
    """Others cannot be opened by ``Memory``."""
    expected = [f"engram:{row.key}" for row in catalogue.ROWS if row.room == "plaintext"]

    assert presets(["all"]) == expected
    assert presets(["hybrid", "hybrid"]) == ["engram:hybrid"]
    with pytest.raises(UnknownMethod, match="no preset is called 'locomo'"):
        presets(["locomo"])


def test_a_row_tells_what_was_found_and_what_it_cost(tmp_path: Path) -> None:
    """For each subject of each benchmark, baselines among them."""
    report = evaluate("locomo", subjects=presets(["raw-bm25"]), limit=6, embedder="none")

    found = rows([report, report])

    assert [row["subject"] for row in found[:2]] == ["engram raw-bm25", "bm25"]
    assert len(found) == 2 * len(report.trials)
    for row in found:
        assert row["low"] <= row["recall"] <= row["high"]
        assert row["tokens"] > 0
        assert row["calls"] == 0
        assert row["budget"] == found[0]["tokens"]
    assert len(to_markdown(found).splitlines()) == 2 + len(found)
    assert all(math.isnan(row["right"]) for row in found)
    plot(found, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes()[:4] == b"\x89PNG"


def test_answers_by_rules_are_drawn_where_there_are_any(tmp_path: Path) -> None:
    """Beside a benchmark that has none; the row tells their share with its interval."""
    reports = [
        evaluate(name, subjects=presets(["raw-bm25"]), limit=20, embedder="none")
        for name in ("babi", "locomo")
    ]

    found = rows(reports)
    plot(found, tmp_path / "picture.svg")

    answered = [row for row in found if math.isfinite(row["right"])]
    assert [row["benchmark"] for row in answered] == ["babi (synthetic twin)"] * 4
    for row in answered:
        assert row["right_low"] <= row["right"] <= row["right_high"]
    drawn = (tmp_path / "picture.svg").read_text(encoding="utf-8")
    assert "answered right by rules, %" in drawn
    assert "evidence found, %" in drawn


def test_recall_at_equal_tokens_counts_only_what_fits() -> None:
    """A subject that pays more for a turn finds less of it; one that does not rank has none."""
    task = Planted(count=1)
    report = run(task, [Engram, Bm25, FullContext], ks=(10,))

    ours, words, everything = rows([report])

    assert math.isnan(everything["equal"])
    assert 0.0 < ours["equal"] <= ours["recall"]
    assert words["equal"] == pytest.approx(_slowly(report, 1, ours["tokens"]))
    assert ours["equal"] == pytest.approx(_slowly(report, 0, ours["tokens"]))


def _slowly(report: Report, at: int, budget: float) -> float:
    """Turn by turn, until the budget is spent."""
    shares = []
    for outcome in report.trials[at].outcomes:
        gold, spent, found = set(outcome.probe.evidence), 0, 0
        if gold and outcome.probe.answerable:
            for turn, cost in zip(outcome.turns, outcome.costs, strict=True):
                spent += cost
                found += spent <= budget and turn in gold
            shares.append(found / len(gold))
    return sum(shares) / len(shares)


def test_where_only_sessions_are_known_their_recall_is_taken() -> None:
    """The session of a turn that fits is found."""
    report = run(Planted("lihua", count=1), [Engram, Bm25], ks=(10,))

    for row in rows([report]):
        assert 0.0 < row["equal"] <= row["recall"] + 1e-9
