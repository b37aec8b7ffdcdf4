"""How things look: few shapes, words set off, long texts cut."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from engram.cli.show import (
    bar,
    clipped,
    day,
    facts,
    indented,
    line,
    matched,
    minute,
    plain,
    quoted,
    speaker,
    table,
    when,
)

SOURCE = {
    "id": "01a2",
    "memory": "Fair. I live in Bergen. It rains.",
    "start": 6,
    "end": 23,
    "speaker": "Ana",
    "role": "user",
    "event_time": "2026-01-04T17:36:00Z",
}


def drawn(shape: RenderableType, width: int = 60) -> str:
    """A shape on a terminal of this width."""
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(shape)
    return "\n".join(row.rstrip() for row in out.getvalue().splitlines())


def test_markup_in_a_text_is_text() -> None:
    """What is stored can colour nothing and link to nowhere."""
    assert drawn(plain("[bold]x[/bold] [link=a]")) == "[bold]x[/bold] [link=a]"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb", "a\nb"),
        ("over\rwritten", "over\\x0dwritten"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\u202etxt.exe", "\\x202etxt.exe"),
        ("\u200d👨‍👩‍👧", "\u200d👨‍👩‍👧"),
    ],
)
def test_what_moves_a_cursor_becomes_its_number(text: str, shown: str) -> None:
    """Tabs, line breaks and joined emoji stay."""
    assert plain(text).plain == shown


def test_a_long_text_is_cut_to_the_sentence_that_matters() -> None:
    """With a mark on the side where something is missing."""
    text = "The sea was calm. " * 10 + "Ingrid repaired the cello. " + "It rained again. " * 10

    assert clipped(text, "who repaired the cello") == "… Ingrid repaired the cello. …"
    assert clipped(text[180:], "who repaired the cello", most=100) == "Ingrid repaired the cello. …"
    assert clipped("a  b\n c") == "a b c"


@given(st.text(max_size=400), st.text(max_size=20), st.integers(2, 80))
def test_a_cut_text_is_one_short_line(text: str, query: str, most: int) -> None:
    """Never longer than what was asked for, but for the marks."""
    shown = clipped(text, query, most)

    assert len(shown) <= most + len("… ") + len(" …")
    assert shown == line(shown)


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("She repairs cellos", "who repaired the cello", ["repairs", "cellos"]),
        ("京都で抹茶を飲みました", "抹茶", ["抹茶"]),
        ("nothing here", "cello", []),
    ],
)
def test_words_that_match_are_set_off(text: str, query: str, marked: list[str]) -> None:
    """By their stems, as the index sees them, and in scripts without spaces."""
    shown = matched(text, query)

    found = {text[span.start : span.end] for span in shown.spans}
    assert found >= set(marked)
    assert bool(found) is bool(marked)


@pytest.mark.parametrize(
    ("share", "shown"), [(0, "      0.00"), (0.5, "██▌   0.50"), (1, "█████ 1.00")]
)
def test_a_share_is_a_bar_of_one_width(share: float, shown: str) -> None:
    """So that the figures stand below each other."""
    assert bar(share).plain == shown


def test_times_are_shown_as_far_as_they_matter() -> None:
    """What is unknown is blank."""
    assert day("2026-05-10T15:30:00Z") == "2026-05-10"
    assert minute("2026-05-10T15:30:00Z") == "2026-05-10 15:30"
    assert day(None) == minute(None) == ""
    assert when({"event_time": None, "created_at": "2026-05-10T15:30:00Z"}) == "2026-05-10"


def test_who_said_it_is_a_name_or_a_role_or_nobody() -> None:
    """Of what was read out of a message it is who said the message."""
    assert speaker({"sources": [SOURCE]}) == "Ana"
    assert speaker({"sources": [], "fields": {"role": "user"}}) == "user"
    assert speaker({"sources": [], "fields": {}}) == ""


def test_evidence_is_quoted_with_who_and_when() -> None:
    """And words that stand above it already are not said twice."""
    assert quoted(SOURCE).plain == "“I live in Bergen.”  Ana, 2026-01-04  01a2"
    assert quoted(SOURCE, said="I live in Bergen.").plain == "Ana, 2026-01-04  01a2"


def test_a_table_wraps_only_its_wide_column() -> None:
    """The others stay whole, so that ids can be copied."""
    shown = drawn(
        table("id", "memory", rows=[("0123456789", "long " * 12)], wide="memory"), width=40
    )

    assert [row[:10].strip() for row in shown.splitlines()] == ["id", "0123456789", "", ""]


def test_facts_leave_out_what_is_empty() -> None:
    """Zero and no are answers, nothing is none."""
    rows: list[tuple[str, object]] = [
        ("a", None),
        ("b", ""),
        ("c", []),
        ("d", {}),
        ("e", 0),
        ("f", False),
        ("g", ["x", "y"]),
    ]

    assert drawn(facts([*rows, ("h", {"k": True})])).split("\n") == [
        "e  0",
        "f  no",
        "g  x, y",
        "h  k: yes",
    ]


def test_what_belongs_to_a_line_is_indented() -> None:
    """By two."""
    assert drawn(indented(plain("x"))) == "  x"
