"""Telegram Desktop: ``result.json`` of one chat or of the whole account."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from engram.errors import InvalidInput, brief
from engram.exchange.files import Opening, Part, each_part
from engram.exchange.roles import Found, Incoming
from engram.exchange.values import (
    by_day,
    each,
    each_message,
    handle,
    mapping,
    message,
    moment,
    optional,
    sequence,
    words,
)
from engram.plaintext.roles import Message

_FILES = re.compile(r"(?:^|/)result\.json$")
_KEPT = ("forwarded_from", "reply_to_message_id", "media_type", "file", "photo", "via_bot")


@dataclass(frozen=True, slots=True)
class Telegram:
    """Each day of each chat is one conversation; service notices and bare media are left out."""

    name: ClassVar[str] = "telegram"
    opening: Opening = Opening()

    def sniff(self, path: Path, head: bytes) -> bool:
        """Messages name their sender by ``from_id``; a whole account begins with personal data."""
        one = b'"messages"' in head and (b'"from_id"' in head or b'"date_unixtime"' in head)
        return one or (b'"personal_information"' in head and b'"about"' in head)

    def read(self, path: Path) -> Iterator[Found]:
        """Yield the days of every chat, in the order of the file."""
        yield from each_part(self.opening.parts(path, _FILES), self._document)

    def _document(self, part: Part) -> Iterator[Found]:
        export = mapping(self.opening.json(part), "a Telegram export")
        return each([export] if "messages" in export else _chats(export), str(part), _chat)


def _chats(export: dict[str, Any]) -> list[Any]:
    chats = [
        chat
        for key in ("chats", "left_chats")
        for chat in sequence(optional(export.get(key)).get("list") or [], f"'list' of {key!r}")
    ]
    if not chats:
        raise InvalidInput(f"an export must have 'messages' or 'chats', got {brief([*export][:8])}")
    return chats


def _chat(data: Any, source: str) -> Iterator[Found]:
    chat = mapping(data, "a chat")
    key = handle(chat.get("id"))
    if key is None:
        raise InvalidInput(f"a chat must have an 'id', got {brief(chat.get('id'))}")
    shared = {
        "imported_from": Telegram.name,
        "chat_id": key,
        "chat": chat.get("name"),
    }
    draft = Incoming((), run=f"{Telegram.name} {key}", source=source)
    said = sequence(chat.get("messages"), "'messages' of a chat")
    return by_day(draft, each_message(said, source, partial(_message, shared)))


def _message(shared: dict[str, Any], data: Any) -> Iterator[Message]:
    said = mapping(data, "a message")
    if said.get("type") != "message":
        return
    notes = {**shared, "message_id": said.get("id"), "from_id": said.get("from_id")}
    yield from message(
        _text(said.get("text")),
        name=said.get("from") or said.get("from_id"),
        at=_sent(said),
        metadata={**notes, **{key: said.get(key) for key in _KEPT}},
    )


def _sent(said: dict[str, Any]) -> float | None:
    """Exact where the export is of 2022 or later; before, only the local time was written."""
    exact = said.get("date_unixtime")
    if isinstance(exact, str) and exact.isascii() and exact.isdecimal() and len(exact) < 15:
        return moment(int(exact), "'date_unixtime' of a message")
    return moment(said.get("date"), "'date' of a message")


def _text(text: Any) -> str:
    """Plain text, or a list of texts and of formatted pieces."""
    if isinstance(text, str):
        return text
    pieces = sequence(text, "'text' of a message")
    return "".join(
        words(piece if isinstance(piece, str) else mapping(piece, "a piece").get("text"), "a piece")
        for piece in pieces
    )
