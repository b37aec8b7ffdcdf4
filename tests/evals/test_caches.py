"""Caches side by side: which rows, who is on the front, tables and a picture."""

import json
from pathlib import Path
from typing import Any

import pytest

from engram.adapters.kv_eval import Figures
from engram.errors import InvalidInput
from engram.evals.caches import (
    ALL,
    beside,
    document,
    lines,
    names,
    plot,
    prompts,
    size,
    to_markdown,
)
from engram.evals.report import finite
from engram.evals.tasks.ruler import KINDS, Ruler

NAN = float("nan")


def figures(preset: str, score: float, held: float, task: str = "vt", **more: Any) -> Figures:
    """One entry on one task; ``full`` scores 0.8 and holds 1,000 bytes."""
    told = {"first": 2.0, "token": 0.5, "ratio": 0.5, "rows": 3, **more}
    return Figures(
        preset=preset,
        task=task,
        score=score,
        resident=held,
        score_of_full=score / 0.8,
        resident_of_full=held / 1000,
        first_of_full=1.0,
        token_of_full=1.0,
        **told,
    )


FULL = figures("full", 0.8, 1000, ratio=0.0)


def test_a_group_stands_for_its_tasks() -> None:
    """Each once, in the order they were asked for."""
    assert names(["questions", "qa_1", "recall"]) == ("qa_1", "qa_2", "recall")
    assert names(["ruler"]) == tuple(KINDS)
    with pytest.raises(InvalidInput, match="got 'riddles'"):
        names(["riddles"])


def test_rows_are_of_every_task_and_alike() -> None:
    """Their length, their count, and whether the question is known."""
    made = Ruler(200, count=2, query_aware=True, seed=5)

    rows = list(prompts(("vt", "recall", "passkey"), made))

    counts = {task: sum(row.task == task for row in rows) for task in ("vt", "recall", "passkey")}
    assert counts == {"vt": 2, "recall": 2 * 4, "passkey": 2 * 5}
    assert all(row.question == "" for row in rows)
    assert rows == list(prompts(("vt", "recall", "passkey"), made))
    assert rows[2:] != list(prompts(("recall", "passkey"), Ruler(200, count=2, query_aware=True)))


def test_nothing_on_the_front_is_beaten() -> None:
    """By more at no more bytes, or as much at fewer."""
    found = [
        FULL,
        figures("same-for-less", 0.8, 400),
        figures("worse-for-more", 0.5, 500),
        figures("little", 0.1, 100),
        figures("nothing-for-as-little", 0.0, 100),
        figures("better", 0.9, 1200),
    ]

    best = [line.figures.preset for line in lines(found) if line.best]

    assert best == ["same-for-less", "little", "better"]


def test_equals_share_the_front() -> None:
    """Neither beats the other."""
    assert [line.best for line in lines([FULL, figures("twin", 0.8, 1000)])] == [True, True]


def test_a_mean_over_tasks_stands_beside_that_of_full() -> None:
    """Means are divided, not shares averaged; what was not measured is left out."""
    found = [
        FULL,
        figures("half", 0.4, 500, token=NAN),
        figures("full", 0.2, 3000, "qa_1", ratio=0.0),
        figures("half", 0.2, 500, "qa_1", token=1.0),
    ]

    full, half = (line.figures for line in lines(found))

    assert (full.task, full.score, full.resident, full.rows) == (ALL, 0.5, 2000, 6)
    assert (half.resident_of_full, half.token) == (0.25, 1.0)
    assert half.score_of_full == pytest.approx(0.6)
    assert (full.score_of_full, full.token_of_full) == (1.0, 1.0)
    assert half.token_of_full == 2.0


def test_a_score_of_nothing_has_no_share() -> None:
    """Of 0 nothing can be said in percent."""
    zero = [figures("full", 0.0, 10, ratio=0.0), figures("other", 0.0, 10)]

    assert lines(zero)[1].figures.score_of_full != lines(zero)[1].figures.score_of_full
    assert beside("0.00", NAN) == "0.00"
    assert beside("nan", NAN) == "–"
    assert beside("0.40", 0.5) == "0.40 50%"


def test_bytes_are_shown_in_three_digits() -> None:
    """From a few thousand up to many a billion."""
    assert [size(held) for held in (0, 5120, 1.5e6, 8.4e9)] == ["0", "0.00512", "1.5", "8,400"]


def test_everything_is_written_down(tmp_path: Path) -> None:
    """As plain data, as tables, and as a picture."""
    found = [FULL, figures("little", 0.1, 100, token=NAN)]
    target = tmp_path / "kv.png"

    told = json.loads(json.dumps(finite(document(found)), allow_nan=False))
    text = to_markdown(found)
    plot(found, target)

    assert [each["front"] for each in told["entries"]] == [True, True]
    assert told["tasks"][1]["token"] is None
    assert "| vt | little | 50% | 0.10 12% | 0.0001 10% | 2,000 100% | – |" in text
    assert target.read_bytes().startswith(b"\x89PNG")
