"""Mem0: what ``get_all`` returns, saved as JSON or as JSON lines.

Mem0's own ``history.db`` is not read: it names no users, so nobody could say whose memory it is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from engram.errors import InvalidInput, brief
from engram.exchange.files import Opening, Part, each_part, glimpse, parsed
from engram.exchange.roles import Found, Incoming
from engram.exchange.values import (
    each,
    handle,
    known_role,
    mapping,
    message,
    moment,
    optional,
    sentence,
    sequence,
    words,
)
from engram.plaintext.roles import Message

_FILES = re.compile(r"\.jsonl?$")
_OWN = (
    "id",
    "hash",
    "app_id",
    "actor_id",
    "categories",
    "created_at",
    "updated_at",
    "metadata",
)
"""What is kept of a memory beside its text and whose it is."""


@dataclass(frozen=True, slots=True)
class Mem0:
    """Each memory is one message of its user, agent and run, dated by its last change."""

    name: ClassVar[str] = "mem0"
    opening: Opening = Opening()

    def sniff(self, path: Path, head: bytes) -> bool:
        """A memory has an id, a ``memory``, and says whose it is."""
        start = glimpse(head)
        owned = any(f'"{key}"' in start for key in ("user_id", "agent_id", "run_id", "hash"))
        return start.lstrip("\ufeff \r\n\t")[:1] in ("{", "[") and '"memory"' in start and owned

    def read(self, path: Path) -> Iterator[Found]:
        """Yield every memory, then every relation of a graph store."""
        yield from each_part(self.opening.parts(path, _FILES), self._part)

    def _part(self, part: Part) -> Iterator[Found]:
        if part.name.lower().endswith(".jsonl"):
            return each(self.opening.lines(part), str(part), _line, "line")
        return _document(part, self.opening.json(part))


def _line(item: tuple[int, str], source: str) -> Iterator[Found]:
    number, text = item
    if text.strip():
        yield from _memory(parsed(text, f"line {number}"), source)


def _document(part: Part, data: Any) -> Iterator[Found]:
    box = data if isinstance(data, dict) and "memory" not in data else {"results": data}
    results = box.get("results")
    memories = sequence([results] if isinstance(results, dict) else results, "'results'")
    yield from each(memories, str(part), _memory)
    edges = sequence(box.get("relations") or [], "'relations'")
    yield from each(edges, f"{part}, relations", _relation)


def _memory(data: Any, source: str) -> Iterator[Found]:
    memory = mapping(data, "a memory")
    text = words(memory.get("memory", memory.get("text")), "'memory'")
    written = moment(memory.get("created_at"), "'created_at' of a memory")
    changed = moment(memory.get("updated_at"), "'updated_at' of a memory")
    notes = {key: memory.get(key) for key in _OWN}
    said = message(
        text,
        known_role(memory.get("role")) or "user",
        name=memory.get("actor_id"),
        at=written if changed is None else changed,
        metadata={**_flat(notes), "imported_from": Mem0.name},
    )
    if messages := tuple(said):
        yield _owned(messages, memory, source)


def _flat(notes: dict[str, Any]) -> dict[str, Any]:
    """The memory's own metadata beside what Mem0 says about it, which wins."""
    named = {f"mem0_{key}": notes[key] for key in _OWN if key != "metadata"}
    return {**optional(notes["metadata"]), **named}


def _owned(messages: tuple[Message, ...], item: dict[str, Any], source: str) -> Incoming:
    user, agent, run = (handle(item.get(key)) for key in ("user_id", "agent_id", "run_id"))
    return Incoming(messages, user, agent, run, source)


def _relation(data: Any, source: str) -> Iterator[Found]:
    edge = mapping(data, "a relation")
    target = edge.get("target", edge.get("destination"))
    ends = [edge.get("source"), edge.get("relationship"), target]
    if not all(isinstance(end, str) and end.strip() for end in ends):
        raise InvalidInput(
            f"a relation must have source, relationship and target, got {brief(ends)}"
        )
    head, relation, tail = map(str, ends)
    notes = {"imported_from": Mem0.name, "head": head, "relation": relation, "tail": tail}
    said = message(sentence(head, relation, tail), metadata=notes)
    yield _owned(tuple(said), edge, source)
