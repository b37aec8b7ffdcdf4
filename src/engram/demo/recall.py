"""Acts about finding: with evidence, nothing at all, and how fast."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from engram.demo.questions import QUESTIONS
from engram.demo.stage import Stage, bar, evidence
from engram.memory import Memory

ROUNDS = 200
"""Searches that are timed."""

_BARS = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an act showed: whether its promise held, and the measured values as JSON."""

    held: bool
    found: dict[str, Any] = field(default_factory=dict)


def with_evidence(stage: Stage, memory: Memory) -> Outcome:
    """Five questions, each answered by the line where it was said."""
    rows = []
    for question in (q for q in QUESTIONS if q.staged and q.answerable):
        stage.asks(question.text)
        result = memory.search(question.text, top_k=3)["results"][0]
        said = evidence(result, question.fragment)
        stage.quote(said, result["score"])
        stage.console.print()
        stage.wait(40)
        rows.append(
            {
                "question": question.text,
                "answer": said.text,
                "expected": question.fragment,
                "speaker": said.speaker,
                "time": said.at,
                "run_id": said.run_id,
                "score": result["score"],
                "held": (said.run_id, said.at) == (question.run_id, question.time),
            }
        )
    right = sum(row["held"] for row in rows)
    stage.verdict(
        f"{right} of {len(rows)} answered by the very line that holds the answer",
        held=right == len(rows),
    )
    return Outcome(right == len(rows), {"questions": rows})


def nothing_known(stage: Stage, memory: Memory) -> Outcome:
    """Questions that were never talked about: better no answer than a made-up one."""
    rows = []
    for question in (q for q in QUESTIONS if not q.answerable):
        asked = memory.search(question.text)
        stage.asks(question.text)
        answer = "nothing relevant is remembered" if asked["abstain"] else "something is remembered"
        stage.show(
            Text.assemble((answer, "italic"), (f" · confidence {asked['confidence']:.2f}", "dim")),
            indent=4,
        )
        rows.append(
            {
                "question": question.text,
                "abstain": asked["abstain"],
                "confidence": asked["confidence"],
            }
        )
    held = all(row["abstain"] for row in rows)
    stage.console.print()
    stage.verdict(
        "the memory says so when it does not know" if held else "it should have held back",
        held=held,
    )
    return Outcome(held, {"questions": rows})


def how_fast(stage: Stage, memory: Memory, asked: Sequence[str] = ()) -> Outcome:
    """The time of 200 searches, as the caller waits for them."""
    texts = list(asked) or [question.text for question in QUESTIONS]
    taken = np.array([_timed(memory, texts[at % len(texts)]) for at in range(ROUNDS)])
    p50, p95 = (float(np.percentile(taken, part)) for part in (50, 95))
    stage.show(_histogram(taken, max(1, stage.width - 30)))
    stage.console.print()
    stage.verdict(
        f"{ROUNDS} searches, {len(texts)} different questions: "
        f"p50 {p50:.1f} ms, p95 {p95:.1f} ms, no network, no model call",
        held=True,
    )
    return Outcome(True, {"searches": ROUNDS, "p50_ms": round(p50, 3), "p95_ms": round(p95, 3)})


def _timed(memory: Memory, question: str) -> float:
    """Milliseconds of one search."""
    began = time.perf_counter()
    memory.search(question)
    return (time.perf_counter() - began) * 1000


def _histogram(taken: np.ndarray[Any, np.dtype[np.float64]], columns: int) -> Table:
    """Bars from the fastest to the slowest; the last holds all that took still longer."""
    edges = np.linspace(taken.min(), np.percentile(taken, 98), _BARS + 1)
    counts, _ = np.histogram(taken, bins=[*edges[:-1], np.inf])
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", style="dim")
    table.add_column()
    table.add_column(justify="right")
    for at, count in enumerate(counts):
        limit = f"under {edges[at + 1]:.1f} ms" if at < _BARS - 1 else "and more"
        table.add_row(limit, Text(bar(count / counts.max(), columns), "cyan"), str(count))
    return table
