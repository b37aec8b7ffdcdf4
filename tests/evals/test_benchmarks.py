"""The one call behind ``engram eval``: names, baselines, limits."""

from pathlib import Path

import pytest

from engram.errors import InvalidInput, UnknownMethod
from engram.evals.benchmarks import BENCHMARKS, evaluate


def test_a_benchmark_without_its_data_runs_as_its_twin_with_all_baselines() -> None:
    """Engram first, then whatever it must be compared with; told step by step."""
    told: list[tuple[int, int, str]] = []
    report = evaluate(
        "locomo",
        None,
        subjects=["engram"],
        top_k=5,
        limit=10,
        embedder="none",
        seed=1,
        progress=lambda *step: told.append(step),
    )

    assert report.task == "locomo (synthetic twin)"
    assert report.ks == (1, 3, 5)
    assert report.questions == 10
    names = [trial.subject for trial in report.trials]
    assert names == ["engram hybrid", "bm25", "last-n", "full-context"]
    assert [step[:2] for step in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_vectors_stand_in_the_report_where_there_is_an_embedder() -> None:
    """They use the embedder that engram uses; without one, asking for them is a mistake."""
    report = evaluate("longmemeval", None, subjects=[], top_k=1, limit=3)

    names = [trial.subject for trial in report.trials]
    assert names == ["vectors", "bm25", "last-n", "full-context"]
    assert report.trials[0].embedder != "none"
    with pytest.raises(InvalidInput, match="must have an embedder"):
        evaluate("longmemeval", None, subjects=["vectors"], embedder="none")


def test_unknown_names_are_refused_with_the_nearest() -> None:
    """Of benchmarks, of subjects, of presets."""
    with pytest.raises(UnknownMethod, match="nearest: locomo"):
        evaluate("lokomo", None)
    with pytest.raises(UnknownMethod, match="nearest: bm25"):
        evaluate("locomo", None, subjects=["bm52"], embedder="none")
    with pytest.raises(UnknownMethod):
        evaluate("locomo", None, subjects=["engram:nothing"], embedder="none", limit=1)


def test_what_has_no_twin_needs_its_data(tmp_path: Path) -> None:
    """And a folder without the file is an error of its own."""
    with pytest.raises(InvalidInput, match="must be given its data"):
        evaluate("beam", None, embedder="none")
    with pytest.raises(InvalidInput, match="benchmark file or a folder"):
        evaluate("locomo", tmp_path, embedder="none")
    with pytest.raises(InvalidInput, match="top_k must be at least 1"):
        evaluate("locomo", None, top_k=0)


def test_every_benchmark_has_a_row_in_alphabetical_order() -> None:
    """So that the list in the help reads well."""
    assert list(BENCHMARKS) == sorted(BENCHMARKS)
