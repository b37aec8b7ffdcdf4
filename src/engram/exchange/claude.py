"""Claude: the data export, as a zip, as its folder, or one of its JSON files alone."""

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
    sequence,
    words,
)
from engram.plaintext.roles import Message

_FILES = re.compile(r"(?:^|/)(?:conversations[^/]*|(?:projects|memories)(?:/[^/]+)?)\.json$")
_HEADING = re.compile(r"(?:#{1,6} +(?P<hashes>\S.*?)|\*\*(?P<stars>[^*]+)\*\*):?")


@dataclass(frozen=True, slots=True)
class Claude:
    """Conversations with their attachments, documents of projects, and what Claude remembered."""

    name: ClassVar[str] = "claude"
    opening: Opening = Opening()

    def sniff(self, path: Path, head: bytes) -> bool:
        """Each kind of file has a key of its own."""
        return any(f'"{key}"'.encode() in head for key in _KINDS)

    def read(self, path: Path) -> Iterator[Found]:
        """Yield one conversation for each chat, each document and each remembered text."""
        yield from each_part(self.opening.parts(path, _FILES), self._document)

    def _document(self, part: Part) -> Iterator[Found]:
        data = self.opening.json(part)
        return each(data if isinstance(data, list) else [data], str(part), _item)


def _item(data: Any, source: str) -> Iterator[Found]:
    item = mapping(data, "an item of the export")
    for key, read in _KINDS.items():
        if key in item:
            return read(item, source)
    raise InvalidInput(f"an item must have one of {[*_KINDS]}, got {brief([*item][:8])}")


def _talk(talk: dict[str, Any], source: str) -> Iterator[Found]:
    key = _key(talk)
    shared = {
        "imported_from": Claude.name,
        "conversation_id": key,
        "title": talk.get("name"),
    }
    draft = Incoming((), run=key, source=source)
    said = sequence(talk["chat_messages"], "'chat_messages'")
    return conversation(draft, each_message(said, source, partial(_messages, shared)))


def _messages(shared: dict[str, Any], data: Any) -> Iterator[Message]:
    """What was attached to a message, then the message."""
    said = mapping(data, "a message")
    role = role_of(said.get("sender"))
    at = moment(said.get("created_at"), "'created_at' of a message")
    notes = {**shared, "message_id": said.get("uuid")}
    for attachment in _listed(said, "attachments"):
        text = words(attachment.get("extracted_content") or "", "'extracted_content'")
        named = {**notes, "attachment": attachment.get("file_name")}
        yield from message(text, role, at=at, metadata=named)
    blocks = _listed(said, "content")
    notes |= {
        "files": [file.get("file_name") for file in _listed(said, "files")],
        "tools": [block.get("name") for block in blocks if block.get("type") == "tool_use"],
    }
    yield from message(_said(said, blocks), role, at=at, metadata=notes)


def _listed(said: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = sequence(said.get(key) or [], f"{key!r} of a message")
    return [mapping(item, f"an item of {key!r}") for item in found]


def _said(said: dict[str, Any], blocks: list[dict[str, Any]]) -> str:
    """The words of the blocks; ``text`` is only right in exports without any.

    Where there are blocks that are no text, ``text`` holds notices of the app in their place.
    """
    if not blocks:
        return words(said.get("text") or "", "'text' of a message")
    texts = [block.get("text") for block in blocks if block.get("type") in ("text", "voice_note")]
    return "\n\n".join(words(text or "", "'text' of a block") for text in texts)


def _project(project: dict[str, Any], source: str) -> Iterator[Found]:
    key = _key(project)
    shared = {
        "imported_from": Claude.name,
        "project_id": key,
        "project": project.get("name"),
    }
    written = moment(project.get("created_at"), "'created_at' of a project")
    own = [("description", project.get("description")), ("prompt", project["prompt_template"])]
    texts: list[dict[str, Any]] = [
        {"filename": name, "content": text, "created_at": written} for name, text in own
    ]

    def page(data: Any) -> Iterator[Message]:
        document = mapping(data, "a document")
        name = document.get("filename")
        yield from message(
            words(document.get("content") or "", f"'content' of {brief(name, 40)}"),
            at=moment(document.get("created_at"), f"'created_at' of {brief(name, 40)}"),
            metadata={**shared, "document": name, "document_id": document.get("uuid")},
        )

    draft = Incoming((), run=handle(f"project {key}"), source=source, infer=False)
    pages = [*texts, *sequence(project.get("docs") or [], "'docs'")]
    return conversation(draft, each_message(pages, source, page))


def _memories(memories: dict[str, Any], source: str) -> Iterator[Found]:
    """The summaries that Claude keeps, paragraph by paragraph; they bear no dates."""
    texts: dict[str | None, Any] = {None: memories["conversations_memory"]}
    texts.update(optional(memories.get("project_memories")))
    for project, text in texts.items():
        notes = {
            "imported_from": Claude.name,
            "project_id": project,
            "account_id": memories.get("account_uuid"),
        }
        draft = Incoming((), run=handle(f"memory {project or ''}"), source=source)
        paragraphs = _paragraphs(words(text or "", "a remembered text"))
        said = each_message(paragraphs, source, partial(_paragraph, notes))
        yield from conversation(draft, said)


def _paragraphs(text: str) -> Iterator[tuple[str | None, str]]:
    """Each paragraph with the heading that stands above it."""
    heading = None
    for piece in re.split(r"\n\s*\n", text.strip()):
        if found := _HEADING.fullmatch(piece.strip()):
            heading = found["hashes"] or found["stars"]
        else:
            yield heading, piece


def _paragraph(notes: dict[str, Any], item: tuple[str | None, str]) -> Iterator[Message]:
    heading, text = item
    return message(text, "assistant", metadata={**notes, "heading": heading})


def _key(item: dict[str, Any]) -> str:
    key = handle(item.get("uuid"))
    if key is None:
        raise InvalidInput(f"an item must have a 'uuid', got {brief(item.get('uuid'))}")
    return key


_KINDS = {
    "chat_messages": _talk,
    "prompt_template": _project,
    "conversations_memory": _memories,
}
"""The key by which each kind of item is known, and what reads it."""
