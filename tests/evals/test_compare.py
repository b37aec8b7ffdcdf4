"""Presets side by side: every one beside the baselines, in one table and one picture."""

from pathlib import Path

import pytest

from engram import catalogue
from engram.errors import UnknownMethod
from engram.evals.benchmarks import evaluate
from engram.evals.compare import plot, presets, rows, to_markdown


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
    assert len(to_markdown(found).splitlines()) == 2 + len(found)
    plot(found, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes()[:4] == b"\x89PNG"
