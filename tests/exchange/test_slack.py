"""A workspace export of Slack: a folder for each channel, a file for each day."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from engram.errors import InvalidInput
from engram.exchange.roles import Incoming, Problem
from engram.exchange.slack import Slack

USERS = [
    {"id": "U1", "name": "ana.s", "profile": {"display_name": "Ana", "real_name": "Ana Solheim"}},
    {"id": "U2", "name": "ben", "profile": {"display_name": ""}},
    "broken",
]


def said(text: str, user: str = "U1", ts: Any = "1715169600.000200", **more: Any) -> dict[str, Any]:
    """One message of 8 May 2024, 12:00 UTC."""
    return {"type": "message", "user": user, "text": text, "ts": ts, **more}


def export(path: Path, *messages: Any, channel: str = "general", users: Any = USERS) -> Path:
    """A workspace with one channel and one day."""
    day = path / channel / "2024-05-08.json"
    day.parent.mkdir(parents=True)
    day.write_text(json.dumps(messages), encoding="utf-8")
    (path / "users.json").write_text(json.dumps(users), encoding="utf-8")
    (path / "channels.json").write_text('[{"id": "C1", "name": "general"}]', encoding="utf-8")
    return path


def read(path: Path) -> tuple[list[Incoming], list[Problem]]:
    """Everything that the reader yields, the good and the bad apart."""
    found = list(Slack().read(path))
    good = [one for one in found if isinstance(one, Incoming)]
    return good, [one for one in found if isinstance(one, Problem)]


def test_a_day_of_a_channel_is_a_conversation_of_named_people(tmp_path: Path) -> None:
    """Names come from users.json: the display name, else the handle, else the id."""
    file = export(tmp_path, said("Hi"), said("Hello", "U2"), said("Hey", "U9"))

    (incoming,), problems = read(file)

    assert problems == []
    assert incoming.run == "slack general 2024-05-08"
    assert [(one.name, one.text) for one in incoming.messages] == [
        ("Ana", "Hi"),
        ("ben", "Hello"),
        ("U9", "Hey"),
    ]
    assert incoming.messages[0].at == pytest.approx(1_715_169_600.0002)
    assert incoming.messages[0].metadata["channel"] == "general"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Ask <@U1> or <@U9|kim>", "Ask @Ana or @kim"),
        ("in <#C1|general>", "in #general"),
        ("<!here> look", "@here look"),
        ("<https://a.org|the page>", "the page (https://a.org)"),
        ("<https://a.org>", "https://a.org"),
        ("<mailto:a@b.c|a@b.c>", "mailto:a@b.c"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("a <- b", "a <- b"),
    ],
)
def test_markup_is_read_as_people_see_it(tmp_path: Path, text: str, plain: str) -> None:
    """Mentions by name, links by their label and address, three escaped characters."""
    (incoming,), _ = read(export(tmp_path, said(text)))

    assert incoming.messages[0].text == plain


def test_notices_are_left_out_and_what_apps_post_is_a_tool(tmp_path: Path) -> None:
    """An app's words are not a person's, so they are not trusted as such."""
    file = export(
        tmp_path,
        said("<@U1> has joined", subtype="channel_join"),
        said("Build failed", user="", subtype="bot_message", bot_id="B1", username="ci"),
        said("a picture", subtype="file_share", files=[{"name": "cat.png"}, None]),
        {"type": "reaction", "ts": "1"},
    )

    (incoming,), problems = read(file)

    assert problems == []
    assert [(one.role, one.name, one.text) for one in incoming.messages] == [
        ("tool", "ci", "Build failed"),
        ("user", "Ana", "a picture"),
    ]
    assert incoming.messages[1].metadata["files"] == ["cat.png"]


def test_dirty_messages_are_problems_and_the_rest_is_read(tmp_path: Path) -> None:
    """A time must be text: a number has lost its last digits."""
    file = export(tmp_path, said("one", ts=1.5), said("two", ts="1e9"), 3, said("four"))

    (incoming,), problems = read(file)

    assert [one.text for one in incoming.messages] == ["four"]
    assert [one.reason.partition(", got ")[2] for one in problems] == ["1.5", "'1e9'", "3"]


def test_an_archive_reads_as_the_folder_does(tmp_path: Path) -> None:
    """And one day alone does too, without the names that it does not hold."""
    folder = export(tmp_path / "slack", said("Hi"))
    packed = tmp_path / "slack.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(folder.rglob("*.json"), reverse=True):
            archive.write(file, file.relative_to(folder))

    (zipped,), _ = read(packed)
    (alone,), _ = read(folder / "general" / "2024-05-08.json")

    assert [one.name for one in zipped.messages] == ["Ana"]
    assert [one.name for one in alone.messages] == ["U1"]
    assert zipped.run == alone.run == "slack general 2024-05-08"


def test_broken_names_are_a_problem_and_everybody_keeps_the_id(tmp_path: Path) -> None:
    """What was said matters more than by what name."""
    (incoming,), problems = read(export(tmp_path, said("Hi"), users={"not": "a list"}))

    assert incoming.messages[0].name == "U1"
    assert [one.reason[:28] for one in problems] == ["users.json must be a list, g"]


def test_a_folder_without_days_is_refused(tmp_path: Path) -> None:
    """There is nothing to read in it."""
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")

    with pytest.raises(InvalidInput, match=r"got \['notes.txt'\]"):
        read(tmp_path)
