"""Chat messages as JSON lines: one message a line, or one conversation with ``messages`` a line.

Read as the chat formats of OpenAI (fine-tuning too) and ShareGPT write them. A ``.json`` file that
holds a list of such lines, or one of them, is read as well.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from engram.errors import InvalidInput
from engram.exchange.files import Opening, Part, each_part, glimpse, parsed
from engram.exchange.roles import Found, Incoming, Problem
from engram.exchange.values import (
    MOST_AT_ONCE,
    conversation,
    each_message,
    handle,
    mapping,
    message,
    moment,
    optional,
    role_of,
    sequence,
    words,
)
from engram.plaintext.roles import Message

_FILES = re.compile(r"\.(?:jsonl|ndjson|json)$")
_RUNS = ("run_id", "session_id", "conversation_id", "thread_id")
_TALKS = ("messages", "conversations", "conversation")
_ROLES = ("role", "from", "sender")
_TEXTS = ("content", "value", "text")
_TIMES = ("time", "timestamp", "created_at")
_READ = frozenset({"user_id", "agent_id", "name", "metadata", *_RUNS, *_ROLES, *_TEXTS, *_TIMES})
_CALLS = ("tool_calls", "function_call", "refusal", "audio")
"""What an assistant's message may hold in place of words."""


@dataclass(frozen=True, slots=True)
class Jsonl:
    """Neighbouring messages with the same ids are one conversation; every key is kept."""

    name: ClassVar[str] = "jsonl"
    opening: Opening = Opening()

    def sniff(self, path: Path, head: bytes) -> bool:
        """The first line has messages, or a role with its content."""
        start = glimpse(head).lstrip("\ufeff \r\n\t")[:4096]
        roles = re.search(r'"(?:role|from|sender)"\s*:', start)
        texts = re.search(r'"(?:content|value|text)"\s*:', start)
        return start[:1] in ("{", "[") and roles is not None and texts is not None

    def read(self, path: Path) -> Iterator[Found]:
        """Yield the conversations as they come, holding one at a time (a ``.json`` whole)."""
        yield from each_part(self.opening.parts(path, _FILES), self._part)

    def _part(self, part: Part) -> Iterator[Found]:
        if not part.name.lower().endswith(".json"):
            return _joined(_lines(self.opening, part))
        data = self.opening.json(part)
        items = data if isinstance(data, list) else [data]
        return _joined(_read(part, items, "item"))


def _lines(opening: Opening, part: Part) -> Iterator[Found]:
    for number, text in opening.lines(part):
        if text.strip():
            try:
                data = parsed(text, f"line {number}")
            except InvalidInput as fault:
                yield Problem(f"{part}, line {number}", str(fault))
            else:
                yield from _read(part, [data], "line", number)


def _read(part: Part, items: list[Any], noun: str, first: int = 1) -> Iterator[Found]:
    for number, item in enumerate(items, first):
        source = f"{part}, {noun} {number}"
        try:
            yield from _item(mapping(item, f"a {noun}"), source, f"{part.stem} {number}", part.stem)
        except InvalidInput as fault:
            yield Problem(source, str(fault))


def _item(item: dict[str, Any], source: str, own_run: str, shared_run: str) -> Iterator[Found]:
    """A conversation without an id is known by its line; loose messages by their file."""
    talk = next((key for key in _TALKS if key in item), None)
    draft = Incoming(
        (),
        user=handle(item.get("user_id")),
        agent=handle(item.get("agent_id")),
        run=handle(_first(item, _RUNS)) or handle(shared_run if talk is None else own_run),
        source=source,
    )
    if talk is None:
        yield replace(draft, messages=tuple(_message({}, item)))
        return
    ids = {*_RUNS, talk, "user_id", "agent_id", "metadata"}
    notes = {key: value for key, value in item.items() if key not in ids and key != "tools"}
    notes |= optional(item.get("metadata"))
    said = sequence(item[talk], f"{talk!r}")
    yield from conversation(draft, each_message(said, source, partial(_message, notes)))


def _joined(found: Iterator[Found]) -> Iterator[Found]:
    """Neighbours of one run become one conversation, up to a size that is added at once."""
    open_one: Incoming | None = None
    for one in found:
        if isinstance(one, Problem):
            yield one
        elif not one.messages:
            continue
        elif open_one is not None and _same(open_one, one):
            open_one = replace(open_one, messages=open_one.messages + one.messages)
        else:
            if open_one is not None:
                yield open_one
            open_one = one
    if open_one is not None:
        yield open_one


def _same(one: Incoming, other: Incoming) -> bool:
    if len(one.messages) + len(other.messages) > MOST_AT_ONCE:
        return False
    return (one.user, one.agent, one.run) == (other.user, other.agent, other.run)


def _message(shared: Mapping[str, Any], data: Any) -> Iterator[Message]:
    said = mapping(data, "a message")
    role = role_of(_first(said, _ROLES))
    rest = {key: value for key, value in said.items() if key not in _READ}
    own = optional(said.get("metadata"))
    yield from message(
        _text(said),
        role,
        name=said.get("name"),
        at=moment(_first(said, _TIMES), "the time of a message"),
        metadata={**shared, **rest, **own, "imported_from": Jsonl.name},
    )


def _text(said: dict[str, Any]) -> str:
    """Text, or the texts of a list of parts; none where there is a call in place of words."""
    content = _first(said, _TEXTS)
    if content is None and any(said.get(key) for key in _CALLS):
        return ""
    if not isinstance(content, list):
        return words(content, "'content' of a message")
    parts = [part if isinstance(part, str) else mapping(part, "a part") for part in content]
    texts = (part if isinstance(part, str) else part.get("text") for part in parts)
    return "\n".join(words(text, "'text' of a part") for text in texts if text is not None)


def _first(item: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((item[key] for key in keys if item.get(key) is not None), None)
