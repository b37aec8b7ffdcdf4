"""The command that measures: eval."""

import json
from pathlib import Path
from typing import Any

import pytest

from engram.cli.evals import BENCHES
from engram.evals.benchmarks import BENCHMARKS

SMALL = ["eval", "locomo", "--limit", "4", "--embedder", "none"]


def test_a_table_stands_beside_the_baselines(run: Any) -> None:
    """Without data it is the synthetic twin, and says so."""
    head, names, *rows = run(*SMALL).stdout.splitlines()

    assert head.startswith("locomo (synthetic twin): 4 questions, ")
    assert names.split()[:3] == ["subject", "R@1", "%"]
    assert {row.split()[0] for row in rows} >= {"engram", "bm25", "last-n", "full-context"}


def test_a_program_gets_the_figures(run: Any) -> None:
    """One document, the same for the same seed but for the clock."""
    first = json.loads(run(*SMALL, "--json").stdout)
    second = json.loads(run(*SMALL, "--json").stdout)

    assert first["questions"] == 4
    assert [one["depths"] for one in first["trials"]] == [one["depths"] for one in second["trials"]]


def test_a_report_is_written_where_it_is_wanted(run: Any, tmp_path: Path) -> None:
    """Figures, tables and a picture, in a folder that is made for it."""
    folder = tmp_path / "deep" / "report"

    done = run(*SMALL, "--subjects", "bm25", "--out", folder)

    names = sorted(file.suffix for file in folder.iterdir())
    assert names == [".json", ".md", ".png"]
    assert "wrote " in done.stderr
    report = json.loads(next(folder.glob("*.json")).read_text(encoding="utf-8"))
    assert report["trials"][0]["questions"]


@pytest.mark.parametrize(
    ("args", "code", "expected"),
    [
        (["--out", "/dev/null/x"], 2, "no folder can be made here"),
        (["--limit", "0"], 1, "limit must be at least 1 question, got 0"),
        (["--top-k", "0"], 1, "top_k must be at least 1 turn, got 0"),
        (["--subjects", "bm52"], 1, "no subject is called 'bm52'"),
        (["--data", "/dev/null"], 1, "data must be a benchmark file"),
        (["--data", "/no/such/file"], 2, "does not exist"),
    ],
)
def test_a_mistake_is_said_before_the_work(
    args: list[str], code: int, expected: str, run: Any
) -> None:
    """A report that cannot be written is not measured first."""
    done = run("eval", "locomo", *args, code=code)

    assert expected in done.stderr
    assert done.stderr.count("\n") == 1


def test_presets_are_compared_in_one_table(run: Any, tmp_path: Path) -> None:
    """A row for each, with the baselines; files where they were asked for."""
    args = ["--presets", "raw-bm25", "--bench", "locomo", "--limit", "4", "--embedder", "none"]
    done = run("eval", "compare", *args, "--out", str(tmp_path / "out"), "--json")
    rows = json.loads(done.stdout)["rows"]

    assert [row["subject"] for row in rows][:2] == ["engram raw-bm25", "bm25"]
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["compare.json", "compare.md", "compare.png"]


def test_help_names_every_benchmark(run: Any) -> None:
    """It is written out, so that help loads none of them."""
    assert BENCHES.split(", ") == list(BENCHMARKS)
    assert all(name in run("eval", "--help").stdout for name in BENCHMARKS)


def test_answers_by_rules_have_a_column_where_there_are_any(run: Any) -> None:
    """Of one benchmark, and of a comparison."""
    small = ["--limit", "4", "--embedder", "none"]
    alone = run("eval", "sort", *small).stdout
    beside = run(
        "eval", "compare", "--presets", "raw-bm25", "--bench", "sort,locomo", *small
    ).stdout
    sort, locomo = beside.split("locomo (synthetic twin)")

    assert "right %" in alone
    assert "right %" in sort
    assert "right %" not in locomo
    assert "equal: within " in sort
    assert max(map(len, beside.splitlines())) <= 80


def test_what_is_not_marked_is_null_in_json(run: Any) -> None:
    """JSON has no NaN."""
    args = ["--presets", "raw-bm25", "--bench", "locomo", "--limit", "4", "--embedder", "none"]
    told = run("eval", "compare", *args, "--json").stdout

    assert "NaN" not in told
    assert json.loads(told)["rows"][0]["right"] is None


def test_a_log_is_mined_and_gated(run: Any, tmp_path: Path) -> None:
    """The same memory passes the gate that it set."""
    log = tmp_path / "log.jsonl"
    said = "I live in Bergen and keep an enormous collection of antique brass compasses."
    log.write_text(json.dumps({"role": "user", "name": "Ana", "content": said}))
    first = run("eval", "mine", str(log), "--out", str(tmp_path), "--embedder", "none")
    again = run(
        "eval", "mine", str(log), "--gate", str(tmp_path / "mined.json"), "--embedder", "none"
    )

    assert "2 questions" in first.stdout
    assert "+0.0 points" in again.stdout
