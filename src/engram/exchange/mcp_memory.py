"""The reference memory server of MCP: its ``memory.jsonl``, one entity or edge a line."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from engram.errors import InvalidInput, brief
from engram.exchange.files import Opening, Part, each_part, glimpse, parsed
from engram.exchange.roles import Found, Incoming
from engram.exchange.values import each, handle, mapping, message, sentence, sequence, words
from engram.plaintext.roles import Message

_FILES = re.compile(r"\.jsonl?$")


@dataclass(frozen=True, slots=True)
class McpMemory:
    """Each observation, and each edge in words, is one message; the graph bears no dates."""

    name: ClassVar[str] = "mcp-memory"
    opening: Opening = Opening()

    def sniff(self, path: Path, head: bytes) -> bool:
        """The first line is an entity or a relation."""
        first = glimpse(head).lstrip("\ufeff\r\n ").partition("\n")[0]
        try:
            item = json.loads(first)
        except (ValueError, RecursionError):
            return False
        return isinstance(item, dict) and (
            (item.get("type") == "entity" and "entityType" in item)
            or (item.get("type") == "relation" and "relationType" in item)
        )

    def read(self, path: Path) -> Iterator[Found]:
        """Yield one conversation for each entity, and one for each edge."""
        yield from each_part(self.opening.parts(path, _FILES), self._part)

    def _part(self, part: Part) -> Iterator[Found]:
        return each(self.opening.lines(part), str(part), _line, "line")


def _line(line: tuple[int, str], source: str) -> Iterator[Found]:
    number, text = line
    if not text.strip():
        return
    item = mapping(parsed(text, f"line {number}"), "a line")
    if item.get("type") == "entity":
        subject, messages = _entity(item)
    elif item.get("type") == "relation":
        subject, messages = _relation(item)
    else:
        raise InvalidInput(
            f"'type' of a line must be 'entity' or 'relation', got {brief(item.get('type'))}"
        )
    yield Incoming(messages, run=handle(f"{McpMemory.name} {subject}"), source=source)


def _entity(item: dict[str, Any]) -> tuple[str, tuple[Message, ...]]:
    """Its observations, each with its name, without which it would be about nobody."""
    name, kind = _field(item, "name"), words(item.get("entityType"), "'entityType'")
    notes = {"imported_from": McpMemory.name, "entity": name, "entity_type": kind}
    seen = sequence(item.get("observations"), "'observations'")
    texts = [words(text, "an observation") for text in seen] or [kind]
    told = (text if name in text else f"{name}: {text}" for text in texts if text.strip())
    return name, tuple(said for text in told for said in message(text, metadata=notes))


def _relation(item: dict[str, Any]) -> tuple[str, tuple[Message, ...]]:
    head, relation, tail = (_field(item, key) for key in ("from", "relationType", "to"))
    notes = {"imported_from": McpMemory.name, "head": head, "relation": relation, "tail": tail}
    return head, tuple(message(sentence(head, relation, tail), metadata=notes))


def _field(item: dict[str, Any], key: str) -> str:
    text = words(item.get(key), f"{key!r}")
    if not text.strip():
        raise InvalidInput(f"{key!r} must not be blank, got {brief(text, 20)}")
    return text
