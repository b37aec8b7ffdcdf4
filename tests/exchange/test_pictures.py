"""Pictures in chat messages."""

import base64
from typing import Any

import pytest

from engram import Memory
from engram.errors import InvalidInput
from engram.exchange.pictures import pictured

BLACK, WHITE = "0" * 64, "f" * 64


class Sight:
    """Reads made pictures: ``look|words``."""

    def imprint(self, image: bytes) -> str:
        """The look."""
        return image.decode().partition("|")[0]

    def words(self, image: bytes) -> str:
        """What follows it."""
        return image.decode().partition("|")[2]


def encoded(picture: str) -> str:
    """As base64."""
    return base64.b64encode(picture.encode()).decode()


def openai(picture: str) -> dict[str, Any]:
    """A part as OpenAI has it."""
    url = f"data:image/png;base64,{encoded(picture)}"
    return {"type": "image_url", "image_url": {"url": url}}


def anthropic(picture: str) -> dict[str, Any]:
    """A part as Anthropic has it."""
    source = {"type": "base64", "media_type": "image/png", "data": encoded(picture)}
    return {"type": "image", "source": source}


@pytest.mark.parametrize("part", [openai, anthropic])
def test_a_picture_is_told_by_a_tool_before_what_was_said_with_it(part: Any) -> None:
    """With the time of the message; the words of the person stay alone."""
    said = {
        "role": "user",
        "content": [part(f"{BLACK}|Gate B12"), {"type": "text", "text": "Where is that?"}],
        "time": "2026-01-05T09:00:00Z",
    }

    with Memory.open(":memory:", embedder="none") as memory:
        memory.add(pictured([said], Sight()))
        records = memory.get_all()["results"]

    shown = [(each["fields"]["role"], each["memory"], each["event_time"]) for each in records]
    assert shown == [
        ("tool", "Gate B12", "2026-01-05T09:00:00Z"),
        ("user", "Where is that?", "2026-01-05T09:00:00Z"),
    ]
    assert records[0]["metadata"]["modality"] == "picture"
    assert records[0]["metadata"]["imprint"] == BLACK


def test_a_message_that_is_only_a_picture_is_its_words() -> None:
    """The same picture again, and one without words, say nothing."""
    said = [
        {"role": "user", "content": [openai(f"{BLACK}|Gate B12")]},
        {"role": "user", "content": [anthropic(f"{BLACK}|Gate B12")]},
        {"role": "user", "content": [openai(f"{WHITE}|")]},
    ]

    assert [each["content"] for each in pictured(said, Sight())] == ["Gate B12"]


def test_messages_without_pictures_pass_as_they_are() -> None:
    """Whatever their content is."""
    said: list[dict[str, Any]] = [
        {"role": "user", "content": "Hello."},
        {"role": "user", "content": [{"type": "text", "text": "Hello."}, "there"]},
        {"role": "user", "text": "Hello."},
        {"role": "user", "content": [{"type": "file", "source": None}]},
    ]

    assert pictured(said, Sight()) == said
    assert pictured([], Sight()) == []


def test_an_address_is_named_and_not_asked_for(no_network: None) -> None:
    """Nothing is downloaded, and no file of this machine is opened."""
    url = "https://example.org/a.png"
    said = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}
    own = {"role": "user", "content": [{"type": "input_image", "image_url": "file:///etc/passwd"}]}

    told = pictured([said, own], Sight())

    assert [each["metadata"]["pictures"] for each in told] == [[url], ["file:///etc/passwd"]]
    assert [each["content"] for each in told] == ["(a picture)"] * 2


@pytest.mark.parametrize("url", ["data:image/png;base64,%%%", "data:image/png,raw"])
def test_a_picture_that_is_not_base64_is_refused_in_one_line(url: str) -> None:
    """It says which message brought it."""
    said = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}

    with pytest.raises(InvalidInput, match="a picture of message 0 must be base64"):
        pictured([said], Sight())
