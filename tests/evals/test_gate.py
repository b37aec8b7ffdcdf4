"""A change is gated: a loss beyond chance is told from noise."""

from dataclasses import replace
from pathlib import Path

import pytest

from engram.errors import InvalidInput
from engram.evals.benchmarks import evaluate
from engram.evals.gate import changes
from engram.evals.report import to_json
from engram.evals.run import Report


@pytest.fixture(scope="module")
def report() -> Report:
    """Baselines over a few questions of the twin."""
    return evaluate("locomo", subjects=["bm25"], limit=30, embedder="none")


@pytest.fixture
def before(report: Report, tmp_path: Path) -> Path:
    """The same report, as an earlier run wrote it."""
    path = tmp_path / "before.json"
    path.write_text(to_json(report), encoding="utf-8")
    return path


def blind(report: Report) -> Report:
    """The same run, in which nothing is found."""
    trials = [
        replace(t, outcomes=tuple(replace(o, turns=(), costs=()) for o in t.outcomes))
        for t in report.trials
    ]
    return replace(report, trials=tuple(trials))


def test_the_same_run_is_no_change(report: Report, before: Path) -> None:
    """Nothing lost, nothing gained, for each subject that ranks."""
    found = changes(before, report)

    assert {change.subject for change in found} == {"bm25", "last-n"}
    assert all(change.delta == change.low == change.high == 0 for change in found)
    assert not any(change.worse for change in found)


def test_a_memory_that_went_blind_is_worse(report: Report, before: Path) -> None:
    """The whole interval lies below 0."""
    lost = {change.subject: change for change in changes(before, blind(report))}

    assert lost["bm25"].worse
    assert lost["bm25"].delta < 0


def test_a_gain_is_not_worse(report: Report, tmp_path: Path) -> None:
    """Only a loss fails a gate."""
    path = tmp_path / "before.json"
    path.write_text(to_json(blind(report)), encoding="utf-8")

    assert not any(change.worse for change in changes(path, report))


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"depth": 10, "trials": [{}]}'])
def test_what_is_no_report_is_refused(report: Report, tmp_path: Path, content: str) -> None:
    """One line that names the file."""
    path = tmp_path / "before.json"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(InvalidInput, match=r"before\.json"):
        changes(path, report)


def test_a_run_of_other_questions_is_refused(report: Report, tmp_path: Path) -> None:
    """There is nothing to compare."""
    path = tmp_path / "before.json"
    path.write_text('{"depth": 10, "trials": []}', encoding="utf-8")

    with pytest.raises(InvalidInput, match="same questions"):
        changes(path, report)
