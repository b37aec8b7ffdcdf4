"""ChatGPT: the data export, as a zip, as its folder, or as ``conversations.json`` alone.

A conversation is a tree, for prompts are edited and answers made anew. What is read is the branch
that ChatGPT shows: from ``current_node`` up to the root.
"""

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
    conversation,
    each,
    each_message,
    handle,
    mapping,
    message,
    moment,
    optional,
    role_of,
    words,
)
from engram.plaintext.roles import Message

_FILES = re.compile(r"(?:^|/)conversations(?:-\d+)?\.json$")
_FIELDS = {
    "code": ("text",),
    "execution_output": ("text",),
    "tether_browsing_display": ("summary", "result"),
    "tether_quote": ("title", "text"),
}
"""Where a kind of content keeps its words; all others have ``parts`` or ``text``."""
_UNSAID = frozenset({"model_editable_context", "reasoning_recap", "system_error", "thoughts"})
"""Kinds of content that nobody said to anybody."""
_ABOUT = (("about_user_message", "user_profile"), ("about_model_message", "user_instructions"))


@dataclass(frozen=True, slots=True)
class ChatGPT:
    """One conversation of the export is one conversation here; shards are read one by one."""

    name: ClassVar[str] = "chatgpt"
    opening: Opening = Opening()

    def sniff(self, path: Path, head: bytes) -> bool:
        """A conversation has a ``mapping`` of nodes that name their parents."""
        return b'"mapping"' in head and (b'"parent"' in head or b'"current_node"' in head)

    def read(self, path: Path) -> Iterator[Found]:
        """Yield the conversations; custom instructions come once for each wording."""
        instructed: set[str] = set()

        def document(part: Part) -> Iterator[Found]:
            data = self.opening.json(part)
            talks = data if isinstance(data, list) else [data]
            return each(talks, str(part), partial(_talk, instructed))

        yield from each_part(self.opening.parts(path, _FILES), document)


def _talk(instructed: set[str], data: Any, source: str) -> Iterator[Found]:
    talk = mapping(data, "a conversation")
    key = handle(talk.get("conversation_id")) or handle(talk.get("id"))
    if key is None:
        raise InvalidInput("a conversation must have an 'id' or 'conversation_id', got neither")
    gizmo = handle(talk.get("gizmo_id"))
    shared = {
        "imported_from": ChatGPT.name,
        "conversation_id": key,
        "title": talk.get("title"),
        "gizmo_id": gizmo,
    }
    draft = Incoming(
        (),
        # Projects have gizmo ids too, g-p-..., and are not somebody who answers.
        agent=gizmo if gizmo and not gizmo.startswith("g-p-") else None,
        run=key,
        source=source,
    )
    read = partial(_messages, shared, instructed)
    return conversation(draft, each_message(_branch(talk), source, read))


def _branch(talk: dict[str, Any]) -> list[Any]:
    """The messages from the root to the node that is shown last."""
    nodes = mapping(talk.get("mapping"), "'mapping' of a conversation")
    at, found, seen = talk.get("current_node"), [], set()
    if not isinstance(at, str) or at not in nodes:
        at = _newest_leaf(nodes)
    while isinstance(at, str) and at in nodes and at not in seen:
        seen.add(at)
        node = mapping(nodes[at], f"node {brief(at, 40)}")
        found.append(node.get("message"))
        at = node.get("parent")
    return found[::-1]


def _newest_leaf(nodes: dict[str, Any]) -> str | None:
    """Where the file does not say what is shown: the end of the branch that was last added to."""

    def written(key: str) -> float:
        at = optional(optional(nodes[key]).get("message")).get("create_time")
        return float(at) if isinstance(at, (int, float)) else 0.0

    leaves = [key for key, node in nodes.items() if not optional(node).get("children")]
    return max(reversed(leaves), key=written, default=None)


def _messages(shared: dict[str, Any], instructed: set[str], data: Any) -> Iterator[Message]:
    if data is None:  # the root of a tree says nothing
        return
    said = mapping(data, "a message")
    content = mapping(said.get("content"), "'content' of a message")
    about = optional(said.get("metadata"))
    kind = content.get("content_type")
    notes = {**shared, "message_id": said.get("id")}
    if kind == "user_editable_context" or about.get("is_user_system_message"):
        yield from _instructions(content, about, instructed, notes)
    elif not about.get("is_visually_hidden_from_conversation"):
        author = mapping(said.get("author"), "'author' of a message")
        recipient = said.get("recipient")
        notes |= {
            "model": about.get("model_slug"),
            "content_type": kind if kind != "text" else None,
            "recipient": recipient if recipient != "all" else None,
            "assets": list(_assets(content)),
        }
        yield from message(
            _said(content),
            role_of(author.get("role")),
            name=author.get("name"),
            at=moment(said.get("create_time"), "'create_time' of a message"),
            metadata=notes,
        )


def _instructions(
    content: dict[str, Any], about: dict[str, Any], instructed: set[str], notes: dict[str, Any]
) -> Iterator[Message]:
    """What users wrote about themselves and about the answers they want: their own words."""
    raw = optional(about.get("user_context_message_data"))
    for field, other in _ABOUT:
        text = raw.get(field) or content.get(other) or ""
        if words(text, f"{field!r} of custom instructions") not in instructed:
            instructed.add(text)
            yield from message(text, metadata={**notes, "custom_instructions": field})


def _said(content: dict[str, Any]) -> str:
    kind = content.get("content_type")
    if kind in _UNSAID if isinstance(kind, str) else False:
        return ""
    if isinstance(kind, str) and kind in _FIELDS:
        return "\n\n".join(words(content.get(key) or "", f"{key!r}") for key in _FIELDS[kind])
    parts = content.get("parts", content.get("text"))
    if isinstance(parts, str):
        return parts
    if not isinstance(parts, list):
        raise InvalidInput(
            f"content of type {brief(kind, 40)} must have 'parts' or 'text', got neither"
        )
    # A part that is no text is a picture, or a recording with its transcript as 'text'.
    texts = (part if isinstance(part, str) else optional(part).get("text") for part in parts)
    return "\n".join(text for text in texts if isinstance(text, str) and text)


def _assets(content: dict[str, Any]) -> Iterator[Any]:
    """Pointers to pictures and recordings; what they point to is not read."""
    parts = content.get("parts")
    for part in parts if isinstance(parts, list) else []:
        inner = optional(part)
        for holder in (inner, optional(inner.get("audio_asset_pointer"))):
            if isinstance(holder.get("asset_pointer"), str):
                yield holder["asset_pointer"]
