"""Markdown notes: a file, a folder such as an Obsidian vault, or Basic Memory."""

from pathlib import Path

import pytest

from engram.errors import InvalidInput
from engram.exchange.markdown import Markdown
from engram.exchange.roles import Incoming, Problem

NOTE = """---
title: Moving to Oslo
created: 2026-05-10
tags: [home]
---

Boxes everywhere.

# Flat

Second floor, Grünerløkka.

## Kitchen

- [fact] The gas is off #kitchen (says Mei)
- [x] a task that is done
- part of [[Flat plan]] (the drawing)
- just a line

```
# no heading
- [fact] no observation
```
"""


def note(path: Path, text: str, name: str = "moving.md") -> Path:
    """A note of this text."""
    file = path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def read(path: Path) -> tuple[list[Incoming], list[Problem]]:
    """Everything that the reader yields, the good and the bad apart."""
    found = list(Markdown().read(path))
    good = [one for one in found if isinstance(one, Incoming)]
    return good, [one for one in found if isinstance(one, Problem)]


def test_sections_observations_and_relations_are_messages(tmp_path: Path) -> None:
    """In the order of the note, each with the path of headings above it and its line."""
    (incoming,), problems = read(note(tmp_path, NOTE))

    assert problems == []
    shown = [(one.metadata.get("heading", ""), one.metadata["line"]) for one in incoming.messages]
    assert shown == [
        ("", 6),
        ("Flat", 9),
        ("Flat > Kitchen", 13),
        ("Flat > Kitchen", 15),
        ("Flat > Kitchen", 17),
    ]
    words = [one.text for one in incoming.messages]
    assert words[0] == "Boxes everywhere."
    assert words[1] == "# Flat\n\nSecond floor, Grünerløkka."
    assert words[3] == "The gas is off #kitchen (says Mei)"
    assert words[4] == "Moving to Oslo part of Flat plan"


def test_tasks_lists_and_code_stay_in_the_prose(tmp_path: Path) -> None:
    """A box of a task is no category, and what is fenced is no markup."""
    (incoming,), _ = read(note(tmp_path, NOTE))

    prose = incoming.messages[2].text
    assert "- [x] a task that is done" in prose
    assert "- just a line" in prose
    assert "# no heading\n- [fact] no observation" in prose


def test_marks_are_kept_beside_the_words(tmp_path: Path) -> None:
    """Category, tags and context of an observation; relation and target of an edge."""
    (incoming,), _ = read(note(tmp_path, NOTE))

    seen, edge = incoming.messages[3].metadata, incoming.messages[4].metadata
    assert (seen["category"], seen["tags"], seen["context"]) == ("fact", ["kitchen"], "says Mei")
    assert (edge["relation"], edge["target"]) == ("part of", "Flat plan")
    assert edge["context"] == "the drawing"
    assert seen["front_matter"]["tags"] == ["home"]


def test_a_note_is_dated_by_its_settings(tmp_path: Path) -> None:
    """A date that cannot be read stays in the metadata, and the note has none."""
    (dated,), _ = read(note(tmp_path, NOTE))
    (odd,), _ = read(note(tmp_path, "---\ndate: last May\n---\nHello."))

    assert dated.messages[0].at == 1_778_371_200.0
    assert odd.messages[0].at is None
    assert odd.messages[0].metadata["front_matter"] == {"date": "last May"}


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("---\ntitle: Named\n---\n# Top\ntext", "Named"),
        ("intro\n\n## First\ntext", "First"),
        ("only text", "moving"),
    ],
)
def test_a_note_is_called_by_title_first_heading_or_file(
    tmp_path: Path, text: str, title: str
) -> None:
    """In this order."""
    (incoming,), _ = read(note(tmp_path, text))

    assert incoming.messages[0].metadata["title"] == title


def test_a_vault_is_read_without_what_is_hidden(tmp_path: Path) -> None:
    """Settings of the editor and the bin are no notes; each note is a conversation."""
    note(tmp_path, "One.", "a/one.md")
    note(tmp_path, "Two.", "b.markdown")
    note(tmp_path, "Gone.", ".trash/gone.md")
    note(tmp_path, "plain", "c.txt")

    found, problems = read(tmp_path)

    assert [one.run for one in found] == ["markdown a/one.md", "markdown b.markdown"]
    assert problems == []


def test_one_broken_note_does_not_spoil_the_vault(tmp_path: Path) -> None:
    """Bytes that are no text are a problem of their file; an empty note is nothing at all."""
    note(tmp_path, "Fine.", "fine.md")
    note(tmp_path, "", "empty.md")
    (tmp_path / "bad.md").write_bytes(b"caf\xe9 ole")

    found, problems = read(tmp_path)

    assert [one.messages[0].text for one in found] == ["Fine."]
    assert [one.source for one in problems] == [str(tmp_path / "bad.md")]
    with pytest.raises(InvalidInput, match="byte 3 must be utf-8"):
        read(tmp_path / "bad.md")


def test_lines_of_windows_are_lines(tmp_path: Path) -> None:
    """A carriage return is never part of the words."""
    file = tmp_path / "w.md"
    file.write_bytes(b"---\r\ntitle: W\r\n---\r\n# Top\r\n\r\ntext\r\n- [fact] seen\r\n")

    (incoming,), _ = read(file)

    assert [one.text for one in incoming.messages] == ["# Top\n\ntext", "seen"]


def test_a_heading_alone_says_nothing(tmp_path: Path) -> None:
    """Levels that a note skips are not made up."""
    (incoming,), _ = read(note(tmp_path, "# Top\n\n### Deep ###\n\ntext\n\n## Side\n\nmore"))

    assert [one.metadata["heading"] for one in incoming.messages] == ["Top > Deep", "Top > Side"]
