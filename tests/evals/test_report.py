"""A report as JSON, Markdown and picture."""

import json
from pathlib import Path

import pytest

from engram.evals.deducing import exactly
from engram.evals.marking import marked
from engram.evals.report import plot, to_json, to_markdown
from engram.evals.run import Report, run
from engram.evals.subjects.bm25 import Bm25
from engram.evals.subjects.recent import FullContext
from engram.evals.tasks.planted import Planted
from engram.evals.tasks.stories import Stories


@pytest.fixture(scope="module")
def report() -> Report:
    """Two baselines over a small twin."""
    return run(Planted(count=1, sessions=4, chatter=2), [Bm25, FullContext], ks=(1, 10))


def test_json_holds_figures_costs_and_every_question(report: Report) -> None:
    """It reads back, without NaN, and may leave the questions out."""
    told = json.loads(to_json(report))
    first = told["trials"][0]

    assert told["ks"] == [1, 10]
    assert first["subject"] == "bm25"
    assert {"p50", "p95", "ingest", "items", "bytes", "embedder"} <= first.keys()
    assert len(first["questions"]) == told["questions"]
    assert told["trials"][1]["mrr"] is None
    assert "NaN" not in to_json(report)
    assert "questions" not in json.loads(to_json(report, questions=False))["trials"][0]


def test_markdown_has_a_row_a_subject_in_every_table(report: Report) -> None:
    """And every row of a table has as many cells as its head."""
    text = to_markdown(report)
    rows = [line for line in text.splitlines() if line.startswith("| ")]

    assert sum(line.startswith("| bm25 |") for line in rows) == 3
    assert "tokens in context" in text
    assert "query p95, s" in text
    for block in text.split("\n\n"):
        table = [line for line in block.splitlines() if line.startswith("| ")]
        assert len({line.count("|") for line in table}) <= 1


def test_marks_have_a_table_and_a_picture_of_their_own(tmp_path: Path) -> None:
    """In all with an interval, and by category; nowhere else."""
    pytest.importorskip("matplotlib")
    task = Stories(count=2)
    report = marked(run(task, [Bm25, FullContext], ks=(1, 10)), task, exactly)

    text = to_markdown(report)
    plot(report, tmp_path / "marks.svg")
    told = json.loads(to_json(report))["trials"]

    assert "Answered right by rules @10, %:" in text
    assert "| full-context | 100.0 | 100.0 to 100.0 |" in text
    assert told[1]["depths"][0]["right"] == 1.0
    assert len(told[0]["questions"][0]["marks"]) == 2
    drawn = (tmp_path / "marks.svg").read_text(encoding="utf-8")
    assert "answered right by rules" in drawn


def test_without_marks_there_is_nothing_about_them(report: Report, tmp_path: Path) -> None:
    """Neither table nor picture, and null in JSON."""
    plot(report, tmp_path / "plain.svg")

    assert "by rules" not in to_markdown(report)
    assert "by rules" not in (tmp_path / "plain.svg").read_text(encoding="utf-8")
    assert json.loads(to_json(report))["trials"][0]["depths"][0]["right"] is None


def test_the_picture_is_written(report: Report, tmp_path: Path) -> None:
    """Recall against k and against tokens."""
    pytest.importorskip("matplotlib")
    plot(report, tmp_path / "recall.svg")

    assert (tmp_path / "recall.svg").read_text(encoding="utf-8").count("bm25") >= 1
