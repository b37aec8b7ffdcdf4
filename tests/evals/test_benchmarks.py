"""The one call behind ``engram eval``: names, baselines, limits."""

import math
from pathlib import Path

import pytest

from engram import catalogue
from engram.errors import EngramError, InvalidInput, UnknownMethod
from engram.evals.benchmarks import BENCHMARKS, evaluate
from engram.evals.report import summaries


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
    with pytest.raises(InvalidInput, match="must be given its data, got none; a synthetic twin"):
        evaluate("memdaily", None, embedder="none")
    with pytest.raises(InvalidInput, match="benchmark file or a folder"):
        evaluate("locomo", tmp_path, embedder="none")
    with pytest.raises(InvalidInput, match="top_k must be at least 1"):
        evaluate("locomo", None, top_k=0)


@pytest.mark.parametrize("name", [name for name, row in BENCHMARKS.items() if row.twin])
def test_every_twin_runs_beside_its_baselines(name: str) -> None:
    """And everything in context is the ceiling, of what is found and of what is answered."""
    report = evaluate(name, None, ["engram:raw-bm25"], top_k=5, limit=40, embedder="none")
    ours, *_, everything = summaries(report)

    assert report.task == f"{name} (synthetic twin)"
    assert 0.0 < ours.depths[-1].recall <= everything.depths[-1].recall == 1.0
    if BENCHMARKS[name].grade:
        assert ours.depths[-1].right <= everything.depths[-1].right == 1.0
    else:
        assert math.isnan(everything.depths[-1].right)


@pytest.mark.parametrize("name", sorted(BENCHMARKS))
@pytest.mark.parametrize(
    "content", [b"", b"null", b"[1, 2]", b'{"dialog": [{}], "messages": 3}', b"a\nb\n", b"\xff\x00"]
)
def test_a_file_of_another_form_is_refused_in_one_line(
    name: str, content: bytes, tmp_path: Path
) -> None:
    """Whatever stands in it, the error is the caller's and names the file."""
    data = tmp_path / "x.jsonl"
    data.write_bytes(content)

    with pytest.raises(EngramError) as refused:
        evaluate(name, data, ["bm25"], embedder="none")

    assert "\n" not in str(refused.value)


def test_what_has_no_field_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    """The field that was looked for stands in the message."""
    data = tmp_path / "x.jsonl"
    data.write_text('{"dialog": [{}]}')

    with pytest.raises(InvalidInput, match=r"as msc was published, got .*KeyError\('text'\)"):
        evaluate("msc", data, ["bm25"], embedder="none")


def test_every_benchmark_has_a_row_in_alphabetical_order() -> None:
    """So that the list in the help reads well."""
    assert list(BENCHMARKS) == sorted(BENCHMARKS)


def test_every_published_benchmark_is_in_the_catalogue() -> None:
    """``mined`` is the user's own; ``beam-user`` is a setting of BEAM."""
    listed = {row.key for row in catalogue.ROWS if row.room == "evals"}

    assert listed >= BENCHMARKS.keys() - {"mined", "beam-user"}
