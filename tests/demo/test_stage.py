"""How the play looks: few shapes, no line too wide, no blanks at its end."""

import io
from typing import Any

import pytest
from rich.console import Console
from rich.text import Text

from engram.demo.stage import WIDEST, Evidence, Stage, bar, day, evidence, facts

RAW: dict[str, Any] = {
    "id": "01a2",
    "kind": "raw",
    "memory": "Fair. I live in Bergen. It rains.",
    "fields": {"speaker": "Ana", "role": "user"},
    "event_time": "2026-01-04T17:36:00Z",
    "run_id": "chat-01",
    "metadata": {},
}
SOURCE = {**RAW, "start": 6, "end": 22, "speaker": "Ana"}


def staged(width: int) -> tuple[Stage, io.StringIO]:
    """A stage, and what is shown on it."""
    out = io.StringIO()
    return Stage(Console(file=out, width=width, highlight=False)), out


def quotation(**changes: Any) -> Evidence:
    """A quotation of Ana."""
    return evidence({**RAW, **changes}, "Bergen")


@pytest.mark.parametrize(
    ("part", "shown"),
    [(-1.0, ""), (0.0, ""), (0.5, "██"), (0.55, "██▎"), (1.0, "████"), (9.0, "████")],
)
def test_a_bar_has_eighths(part: float, shown: str) -> None:
    """And ends at its ends."""
    assert bar(part, 4) == shown


def test_a_day_is_written_as_people_do() -> None:
    """An open end is now."""
    assert day("2026-05-03T10:00:00Z") == "3 May 2026"
    assert day(None) == "now"


def test_evidence_is_the_line_that_was_said() -> None:
    """Of a verbatim line with what to point at, of a fact with what it was read from."""
    line = quotation()
    fact = evidence({"kind": "fact", "sources": [SOURCE]})

    assert line.text[line.start : line.end] == "Bergen"
    assert fact.text[fact.start : fact.end] == "I live in Bergen"
    assert (fact.speaker, fact.run_id) == ("Ana", "chat-01")


def test_a_fragment_that_is_not_there_points_at_nothing() -> None:
    """The whole line is shown."""
    line = evidence(RAW, "Oslo")

    assert (line.start, line.end) == (0, 0)


@pytest.mark.parametrize("width", [20, 40, 80, 300])
def test_no_line_is_wider_than_the_terminal_or_ends_in_blanks(width: int) -> None:
    """And none is wider than people like to read."""
    stage, out = staged(width)

    stage.title("engram", "Ten months of Ana and Ben. 412 messages.")
    stage.act("A fact that changed")
    stage.asks("Where does Ana live?", "on 15 April")
    stage.quote(quotation(memory="word " * 30 + "Bergen " + "word " * 60), 0.5)
    stage.show(facts([("content before", "0123456789abcdef"), ("after", Text("x" * 16))]))
    stage.verdict("nothing was overwritten: the old home ended there", held=False)

    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= min(width, WIDEST)
    assert [line for line in lines if line != line.rstrip()] == []


def test_a_long_quotation_shows_the_words_around_what_matters() -> None:
    """Cut between words, with marks where something is missing."""
    stage, out = staged(300)

    stage.quote(quotation(memory="before " * 60 + "Bergen " + "after " * 60))

    shown = " ".join(line.strip(" │") for line in out.getvalue().splitlines())
    assert shown.startswith("“… before before")
    assert " before Bergen after " in shown
    assert "after …”" in shown


def test_acts_are_counted_and_verdicts_are_marked() -> None:
    """Colour alone would be lost in a file."""
    stage, out = staged(80)

    stage.act("One")
    stage.verdict("kept", held=True)
    stage.act("Two")
    stage.verdict("broken", held=False)

    assert [line for line in out.getvalue().splitlines() if line][:4] == [
        "1  One " + "─" * 73,
        "  ✓ kept",
        "2  Two " + "─" * 73,
        "  ✗ broken",
    ]
