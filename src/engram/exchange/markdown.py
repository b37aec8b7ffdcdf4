"""Markdown notes: a file, or a folder of them such as an Obsidian vault or Basic Memory.

Each section is a message. So is each line ``- [category] observation #tag`` and each line
``- relation [[Other note]]``, for these are memories of their own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from engram.errors import InvalidInput
from engram.exchange.files import Opening, Part, each_part
from engram.exchange.front_matter import Value, front_matter
from engram.exchange.roles import Found, Incoming
from engram.exchange.values import (
    conversation,
    each_message,
    handle,
    message,
    moment,
    sentence,
)
from engram.plaintext.roles import Message

_FILES = re.compile(r"\.(?:md|markdown)$", re.IGNORECASE)
_FENCE = re.compile(r"\s{0,3}(?P<mark>`{3,}|~{3,})")
_HEADING = re.compile(r"(?P<level>#{1,6})[ \t](?P<words>.*)$")
_OBSERVATION = re.compile(r"[-*]\s+\[(?P<category>[^\]\[]{2,60})\]\s+(?P<text>.+)$")
_RELATION = re.compile(
    r"[-*]\s+(?P<relation>\w[\w '-]{0,60}?)\s+\[\[(?P<target>[^\]\[]+)\]\]"
    r"(?P<context> \([^()]*\))?$"
)
_CONTEXT = re.compile(r" \((?P<context>[^()]*)\)$")
_TAG = re.compile(r"(?:^|\s)#([^\s#]+)")
_DATES = ("date", "created", "created_at")


@dataclass(slots=True)
class _Section:
    """Lines from one heading to the next; ``plain`` marks those that are no code.

    ``above`` are the headings that it stands under, its own last, each with its level.
    """

    above: tuple[tuple[int, str], ...] = ()
    first: int = 1
    lines: list[str] = field(default_factory=list)
    plain: list[bool] = field(default_factory=list)

    @property
    def heading(self) -> str:
        """The path of headings to it."""
        return " > ".join(words for _, words in self.above)


@dataclass(frozen=True, slots=True)
class Markdown:
    """Each note is one conversation of one's own; hidden folders are skipped."""

    name: ClassVar[str] = "markdown"
    opening: Opening = Opening()

    def sniff(self, path: Path, head: bytes) -> bool:
        """By the suffix, of the file or of anything in the folder or archive."""
        return any(_FILES.search(name) for name in self.opening.names(path))

    def read(self, path: Path) -> Iterator[Found]:
        """Yield the notes, sorted by their path."""
        yield from each_part(self.opening.parts(path, _FILES), self._note)

    def _note(self, part: Part) -> Iterator[Found]:
        text = self.opening.text(part).replace("\r\n", "\n")
        settings, start = front_matter(text)
        sections = list(_sections(text[start:], 1 + text[:start].count("\n")))
        title = _title(part, settings, sections)
        notes = {
            "imported_from": self.name,
            "path": part.name,
            "title": title,
            "front_matter": settings,
        }
        at = _written(settings)

        def read(section: _Section) -> Iterator[Message]:
            return _messages(section, title, at, {**notes, "heading": section.heading})

        draft = Incoming((), run=handle(f"{self.name} {part.name}"), source=str(part))
        return conversation(draft, each_message(sections, str(part), read))


def _sections(text: str, first: int) -> Iterator[_Section]:
    section, fence = _Section(first=first), ""
    for number, line in enumerate(text.split("\n"), first):
        mark = _FENCE.match(line)
        heading = None if fence or mark else _HEADING.match(line)
        if heading:
            yield section
            section = _Section(_below(section.above, heading), number)
        section.lines.append(line)
        section.plain.append(not (fence or mark or heading))
        if mark and not fence:
            fence = mark["mark"]
        elif mark and mark["mark"].startswith(fence):
            fence = ""
    yield section


def _below(above: tuple[tuple[int, str], ...], found: re.Match[str]) -> tuple[tuple[int, str], ...]:
    """The path to a new heading; levels that a note skips are not made up."""
    level = len(found["level"])
    words = found["words"].strip().rstrip("#").rstrip()
    return (*(one for one in above if one[0] < level), (level, words))


def _title(part: Part, settings: dict[str, Value], sections: list[_Section]) -> str:
    named = settings.get("title")
    tops = (section.above[0][1] for section in sections if section.above)
    return named if isinstance(named, str) and named else next(tops, part.stem)


def _written(settings: dict[str, Value]) -> float | None:
    """The date of a note, where its settings say one that can be read."""
    for key in _DATES:
        try:
            return moment(settings[key], key)
        except (KeyError, InvalidInput):
            continue  # the words stay in the metadata
    return None


def _messages(
    section: _Section, title: str, at: float | None, notes: dict[str, Any]
) -> Iterator[Message]:
    """The prose of a section, then its observations and relations, each with its line."""
    prose: list[str] = []
    own: list[Message] = []
    for number, (line, plain) in enumerate(
        zip(section.lines, section.plain, strict=True), section.first
    ):
        known = _marked(line, title) if plain else None
        if known is None:
            prose.append(line)
        else:
            text, marks = known
            own.extend(message(text, at=at, metadata={**notes, **marks, "line": number}))
    if any(line.strip() for line in prose[1 if section.above else 0 :]):
        text = "\n".join(prose).strip()
        yield from message(text, at=at, metadata={**notes, "line": section.first})
    yield from own


def _marked(line: str, title: str) -> tuple[str, dict[str, Any]] | None:
    """An observation or a relation in words, with its parts."""
    if edge := _RELATION.match(line.strip()):
        relation, target, context = edge.group("relation", "target", "context")
        marks = {"relation": relation, "target": target, "context": (context or "").strip(" ()")}
        return sentence(title, relation, target), marks
    seen = _OBSERVATION.match(line.strip())
    if seen is None:
        return None
    aside = _CONTEXT.search(seen["text"])
    return seen["text"], {
        "category": seen["category"],
        "context": aside["context"] if aside else None,
        "tags": _TAG.findall(seen["text"]),
    }
