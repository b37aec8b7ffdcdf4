"""Telegram Desktop's ``result.json``, of one chat or of an account."""

import json
from pathlib import Path
from typing import Any

import pytest

from engram.errors import InvalidInput
from engram.exchange.roles import Incoming, Problem
from engram.exchange.telegram import Telegram


def said(number: int, text: Any, **more: Any) -> dict[str, Any]:
    """One message of 8 May 2024, one more minute after noon UTC for each number."""
    return {
        "id": number,
        "type": "message",
        "date": f"2024-05-08T14:{number:02}:00",
        "date_unixtime": str(1_715_169_600 + 60 * number),
        "from": "Ana",
        "from_id": "user1",
        "text": text,
        **more,
    }


def chat(*messages: Any, **more: Any) -> dict[str, Any]:
    """One chat."""
    return {"name": "Friends", "type": "private_group", "id": 77, "messages": [*messages], **more}


def read(path: Path, document: Any) -> tuple[list[Incoming], list[Problem]]:
    """Everything that the reader yields, the good and the bad apart."""
    file = path / "result.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    found = list(Telegram().read(file))
    good = [one for one in found if isinstance(one, Incoming)]
    return good, [one for one in found if isinstance(one, Problem)]


def test_a_message_is_read_with_its_sender_and_exact_time(tmp_path: Path) -> None:
    """``date`` is local time; ``date_unixtime`` is exact, and wins."""
    (incoming,), problems = read(tmp_path, chat(said(1, "Hei!")))

    (message,) = incoming.messages
    assert problems == []
    assert (message.role, message.name, message.text) == ("user", "Ana", "Hei!")
    assert message.at == 1_715_169_660.0
    assert incoming.run == "telegram 77 2024-05-08"
    assert message.metadata["chat"] == "Friends"


def test_old_exports_have_only_the_local_time(tmp_path: Path) -> None:
    """It is read as UTC, which is at most a day off."""
    old = said(1, "Hei!")
    del old["date_unixtime"]

    (incoming,), _ = read(tmp_path, chat(old))

    assert incoming.messages[0].at == 1_715_176_860.0


def test_formatted_text_is_joined(tmp_path: Path) -> None:
    """Links and bold words are objects in a list."""
    text = ["See ", {"type": "link", "text": "whales.org"}, " and ", {"type": "bold", "text": "go"}]

    (incoming,), _ = read(tmp_path, chat(said(1, text)))

    assert incoming.messages[0].text == "See whales.org and go"


def test_each_day_of_a_chat_is_a_conversation(tmp_path: Path) -> None:
    """So that a run stays of a size, and a later export adds to the last day only."""
    later = said(2, "Next day", date_unixtime=str(1_715_169_600 + 86_400))

    found, _ = read(tmp_path, chat(said(1, "One"), later))

    assert [one.run for one in found] == ["telegram 77 2024-05-08", "telegram 77 2024-05-09"]


def test_notices_and_bare_media_are_left_out(tmp_path: Path) -> None:
    """Nobody said them."""
    joined = {**said(1, ""), "type": "service", "action": "join_group_by_link"}
    photo = said(2, "", photo="photos/1.jpg")

    (incoming,), problems = read(
        tmp_path, chat(joined, photo, said(3, "Hi", reply_to_message_id=2))
    )

    assert [one.text for one in incoming.messages] == ["Hi"]
    assert incoming.messages[0].metadata["reply_to_message_id"] == 2
    assert problems == []


def test_an_account_holds_many_chats_also_those_that_were_left(tmp_path: Path) -> None:
    """A chat without an id is a problem, the others are read."""
    account = {
        "about": "Here is the data you requested.",
        "personal_information": {"first_name": "Ana"},
        "chats": {"list": [chat(said(1, "One")), chat(said(1, "Two"), id=None)]},
        "left_chats": {"list": [chat(said(1, "Three"), id=78)]},
    }

    found, problems = read(tmp_path, account)

    assert [one.messages[0].text for one in found] == ["One", "Three"]
    assert [one.reason for one in problems] == ["a chat must have an 'id', got None"]


def test_dirty_messages_are_problems_and_the_rest_is_read(tmp_path: Path) -> None:
    """A text that is a number, a time that is none, a message that is a list."""
    dirty = [said(1, 5), said(2, "When?", date_unixtime="x", date="y"), [], said(3, "Here.")]

    (incoming,), problems = read(tmp_path, chat(*dirty))

    assert [one.text for one in incoming.messages] == ["Here."]
    assert [one.source.rpartition(", ")[2] for one in problems] == [
        "message 1",
        "message 2",
        "message 3",
    ]
    assert "'date' of a message must be ISO 8601" in problems[1].reason


def test_a_deleted_account_is_named_by_its_id(tmp_path: Path) -> None:
    """Its name is null in the export."""
    (incoming,), _ = read(tmp_path, chat({**said(1, "Bye"), "from": None}))

    assert incoming.messages[0].name == "user1"


def test_an_account_without_chats_is_refused(tmp_path: Path) -> None:
    """It was exported with chats left out; the message says what is there instead."""
    with pytest.raises(InvalidInput, match=r"'messages' or 'chats', got \['contacts'\]"):
        read(tmp_path, {"contacts": {}})
