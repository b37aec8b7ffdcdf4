"""Slack: the workspace export, as a zip or a folder, or one ``YYYY-MM-DD.json`` alone."""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from engram.errors import InvalidInput, brief
from engram.exchange.files import Opening, Part, each_part
from engram.exchange.roles import Found, Incoming
from engram.exchange.values import (
    by_day,
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

_DAYS = re.compile(r"(?:^|/)(?P<channel>[^/]+)/\d{4}-\d\d-\d\d\.json$")
_DAY = re.compile(r"\d{4}-\d\d-\d\d\.json$")
_FILES = re.compile(rf"{_DAYS.pattern}|(?:^|/)(?:org_)?users\.json$")
_SAID = frozenset({None, "bot_message", "file_share", "me_message", "thread_broadcast"})
"""Kinds of messages that somebody wrote; the others report joins, topics, renames."""
_KEPT = ("thread_ts", "subtype", "client_msg_id", "team")
_MARKUP = re.compile(r"<(?P<kind>[@#!]?)(?P<target>[^<>|]+)(?:\|(?P<label>[^<>]*))?>")


@dataclass(frozen=True, slots=True)
class Slack:
    """Each day of each channel is one conversation; notices of the app are left out."""

    name: ClassVar[str] = "slack"
    opening: Opening = Opening()

    def sniff(self, path: Path, head: bytes) -> bool:
        """Channels are folders of days."""
        if path.is_file() and not head.lstrip().startswith(b"["):
            return False
        if _DAY.search(path.name):
            return b'"ts"' in head
        return any(_DAYS.search(name) for name in self.opening.names(path))

    def read(self, path: Path) -> Iterator[Found]:
        """Yield the days of every channel; names come from ``users.json`` where it is there."""
        people: dict[str, str] = {}

        def document(part: Part) -> Iterator[Found]:
            data = self.opening.json(part)
            if not _is_people(part):
                return _day(people, part, data)
            people.update(_people(data))
            return iter(())

        parts = self.opening.parts(path, _FILES)
        yield from each_part(sorted(parts, key=lambda part: not _is_people(part)), document)


def _is_people(part: Part) -> bool:
    return part.name.endswith("users.json")


def _people(data: Any) -> Iterator[tuple[str, str]]:
    """Id and name of everybody; who has no name keeps the id."""
    for item in sequence(data, "users.json"):
        user = optional(item)
        key, name = user.get("id"), _name(optional(user.get("profile"))) or user.get("name")
        if isinstance(key, str) and isinstance(name, str):
            yield key, name


def _name(profile: dict[str, Any]) -> str | None:
    names = (profile.get(key) for key in ("display_name", "real_name", "name"))
    return next((name for name in names if isinstance(name, str) and name.strip()), None)


def _day(people: Mapping[str, str], part: Part, data: Any) -> Iterator[Found]:
    found = _DAYS.search(part.name) or _DAYS.search(part.path.as_posix())
    channel = found["channel"] if found else part.stem
    shared = {"imported_from": Slack.name, "channel": channel}
    draft = Incoming((), run=f"{Slack.name} {channel}", source=str(part))
    said = sequence(data, "a day of a channel")
    return by_day(draft, each_message(said, str(part), partial(_message, people, shared)))


def _message(people: Mapping[str, str], shared: dict[str, Any], data: Any) -> Iterator[Message]:
    said = mapping(data, "a message")
    kind = said.get("subtype")
    if said.get("type") != "message" or not (kind is None or isinstance(kind, str)):
        return
    if kind not in _SAID:
        return
    notes = {**shared, "message_id": said.get("ts"), "user_id": said.get("user")}
    files = sequence(said.get("files") or [], "'files' of a message")
    yield from message(
        _plain(words(said.get("text") or "", "'text' of a message"), people),
        # What an app posts is no word of a person.
        "tool" if kind == "bot_message" else "user",
        name=_author(said, people),
        at=_sent(said.get("ts")),
        metadata={
            **notes,
            **{key: said.get(key) for key in _KEPT},
            "files": [name for file in files if (name := optional(file).get("name"))],
        },
    )


def _author(said: dict[str, Any], people: Mapping[str, str]) -> str | None:
    key = handle(said.get("user")) or handle(said.get("bot_id"))
    return (
        people.get(key or "")
        or _name(optional(said.get("user_profile")))
        or handle(said.get("username"))
        or key
    )


def _sent(ts: Any) -> float | None:
    """A timestamp is text, ``1683554160.000200``, unique in its channel."""
    if not isinstance(ts, str) or not re.fullmatch(r"[0-9]{1,12}(?:\.[0-9]{1,9})?", ts):
        raise InvalidInput(f"'ts' of a message must be seconds since 1970 as text, got {brief(ts)}")
    return moment(float(ts), "'ts' of a message")


def _plain(text: str, people: Mapping[str, str]) -> str:
    """Mentions by name, links by their label and address, the three escaped characters."""

    def shown(found: re.Match[str]) -> str:
        kind, target, label = found.group("kind", "target", "label")
        if kind == "@":
            return f"@{people.get(target, label or target)}"
        if kind:
            return f"{'#' if kind == '#' else '@'}{label or target}"
        return f"{label} ({target})" if label and label not in target else target

    return html.unescape(_MARKUP.sub(shown, text))
