"""The block of settings at the top of a note."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.exchange.front_matter import front_matter

NOTE = """---
title: "A trip: to Oslo"
tags: [travel, 'sea', ]
aliases:
  - Oslo trip
  - Fjord
date: 2026-05-10
summary: |
  Two lines
  of text.
# a comment
empty:
nested:
  deep: 1
---
Body.
"""


def test_scalars_lists_and_blocks_are_read() -> None:
    """Scalars stay text; what is nested deeper is kept as the text that it is."""
    settings, length = front_matter(NOTE)

    assert settings == {
        "title": "A trip: to Oslo",
        "tags": ["travel", "sea"],
        "aliases": ["Oslo trip", "Fjord"],
        "date": "2026-05-10",
        "summary": "Two lines\nof text.",
        "empty": "",
        "nested": "deep: 1",
    }
    assert NOTE[length:] == "Body.\n"


@pytest.mark.parametrize(
    "text", ["", "Body.", "\n---\na: b\n---\n", "---\na: b\n", "--- a: b\n---\n", "----\n----\n"]
)
def test_a_note_without_a_block_has_no_settings(text: str) -> None:
    """The block stands in the first line and is closed, or it is text."""
    assert front_matter(text) == ({}, 0)


def test_an_empty_block_has_no_settings_but_a_length() -> None:
    """Three dots close it as well."""
    assert front_matter("---\n---\nBody.") == ({}, 8)
    assert front_matter("---\na: b\n...\nBody.") == ({"a": "b"}, 13)


@given(st.text(alphabet="-ab:[]'\"|> \n\t#,.", max_size=80))
def test_anything_between_the_lines_is_read(inside: str) -> None:
    """Never an error, and never more than the block."""
    text = f"---\n{inside}\n---\nBody."

    settings, length = front_matter(text)

    assert text[length:].endswith("Body.")
    assert all(key for key in settings)
