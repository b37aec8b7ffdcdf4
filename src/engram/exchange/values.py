"""From what a file says to messages: checked shapes, cleaned text, times in UTC seconds."""

import hashlib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from engram.errors import InvalidInput, brief
from engram.exchange.roles import Found, Incoming, Problem
from engram.plaintext.roles import Message

LONGEST_TEXT = 4 * 1024 * 1024  # characters, as at the front door
LONGEST_ID = 256  # characters, as at the front door
MOST_AT_ONCE = 1000  # messages of one Incoming; a longer chat comes in several
_DEEPEST = 50  # levels of metadata
_ROLES: Mapping[str, str] = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "bot": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = -62_135_510_400.0  # 2 January of year 1
_LATEST = 253_402_128_000.0  # 30 December 9999
_LONE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


def mapping(value: Any, what: str) -> dict[str, Any]:
    """The object itself; ``what`` names it in the error.

    Raises:
        InvalidInput: it is something else.
    """
    if not isinstance(value, dict):
        raise InvalidInput(f"{what} must be an object, got {brief(value)}")
    return value


def sequence(value: Any, what: str) -> list[Any]:
    """The list itself; ``what`` names it in the error.

    Raises:
        InvalidInput: it is something else.
    """
    if not isinstance(value, list):
        raise InvalidInput(f"{what} must be a list, got {brief(value)}")
    return value


def words(value: Any, what: str) -> str:
    """The text itself; ``what`` names it in the error.

    Raises:
        InvalidInput: it is something else.
    """
    if not isinstance(value, str):
        raise InvalidInput(f"{what} must be text, got {brief(value)}")
    return value


def optional(value: Any) -> dict[str, Any]:
    """The object itself, or an empty one where it is missing or something else."""
    return value if isinstance(value, dict) else {}


def role_of(value: Any) -> str:
    """``user``, ``assistant``, ``system`` or ``tool``.

    Raises:
        InvalidInput: no role is called so.
    """
    found = known_role(value)
    if found is None:
        raise InvalidInput(f"a role must be one of {', '.join(_ROLES)}, got {brief(value)}")
    return found


def known_role(value: Any) -> str | None:
    """The role that is called so, or None."""
    return _ROLES.get(value.strip().lower()) if isinstance(value, str) else None


def moment(value: Any, what: str = "a time") -> float | None:
    """Seconds since 1970, UTC, of a number or ISO 8601 text; without a zone it is UTC.

    Raises:
        InvalidInput: it is neither, or lies outside the years 1 to 9999.
    """
    if value is None:
        return None
    found = math.nan
    if isinstance(value, str):
        found = _iso(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        found = float(value) if abs(value) < _LATEST else math.inf
    if not _EARLIEST <= found <= _LATEST:
        raise InvalidInput(f"{what} must be ISO 8601 or seconds since 1970, got {brief(value)}")
    return found


def _iso(text: str) -> float:
    try:
        read = datetime.fromisoformat(text.strip())
        return ((read if read.tzinfo else read.replace(tzinfo=UTC)) - _EPOCH).total_seconds()
    except (ValueError, OverflowError):
        return math.nan


def handle(value: Any) -> str | None:
    """A foreign id or name as one of ours: one line, at most 256 characters; None where blank.

    One that is longer keeps its beginning and ends in a hash, so that it stays the same and unique.
    """
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        return None
    text = _CONTROL.sub(" ", _LONE.sub("\ufffd", str(value))).strip()
    if len(text) > LONGEST_ID:
        mark = hashlib.sha256(text.encode()).hexdigest()[:16]
        text = f"{text[: LONGEST_ID - len(mark) - 1]}~{mark}"
    return text or None


def message(
    text: str,
    role: str = "user",
    *,
    name: Any = None,
    at: float | None = None,
    metadata: Mapping[str, Any],
) -> Iterator[Message]:
    """One message, or none where the text is blank. Metadata that is None or empty is left out.

    Halves of characters, which cut-off exports hold, are replaced and counted in the metadata.

    Raises:
        InvalidInput: it is too long, or its metadata is nested too deeply.
    """
    if not text.strip():
        return
    if len(text) > LONGEST_TEXT:
        raise InvalidInput(
            f"a message may hold {LONGEST_TEXT} characters, got {len(text)}; split it into parts"
        )
    clean, halves = _LONE.subn("\ufffd", text)
    kept = {key: plain(value) for key, value in metadata.items() if value not in (None, "", [], {})}
    if halves:
        kept["replaced_characters"] = halves
    yield Message(clean, role, handle(name), at, kept)


def plain(value: Any, depth: int = 0) -> Any:
    """A JSON value that can be stored: valid Unicode, finite numbers, not nested too deeply.

    Raises:
        InvalidInput: it is nested more than 50 levels deep.
    """
    if depth > _DEEPEST:
        raise InvalidInput(f"metadata may be nested {_DEEPEST} levels deep, got more")
    if isinstance(value, str):
        return _LONE.sub("\ufffd", value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {plain(str(key)): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, depth + 1) for item in value]
    return value


def sentence(head: str, relation: str, tail: str) -> str:
    """An edge of somebody's graph in words: ``Ada works at Lovelace Ltd``."""
    return f"{head} {relation.replace('_', ' ')} {tail}"


def each(
    items: Iterable[Any],
    where: str,
    read: Callable[[Any, str], Iterator[Found]],
    noun: str = "item",
) -> Iterator[Found]:
    """Read every item; one that is malformed becomes a Problem and the rest goes on."""
    for number, item in enumerate(items, 1):
        source = f"{where}, {noun} {number}"
        try:
            yield from read(item, source)
        except InvalidInput as fault:
            yield Problem(source, str(fault))


def each_message(
    items: Iterable[Any], where: str, read: Callable[[Any], Iterator[Message]]
) -> Iterator[Message | Problem]:
    """Read every message; one that is malformed becomes a Problem and the rest goes on."""
    for number, item in enumerate(items, 1):
        try:
            yield from read(item)
        except InvalidInput as fault:
            yield Problem(f"{where}, message {number}", str(fault))


def conversation(draft: Incoming, found: Iterable[Message | Problem]) -> Iterator[Found]:
    """Fill ``draft``; what could not be read comes first."""
    kept: list[Message] = []
    for one in found:
        if isinstance(one, Problem):
            yield one
        else:
            kept.append(one)
    if kept:
        yield replace(draft, messages=tuple(kept))


def by_day(draft: Incoming, found: Iterable[Message | Problem]) -> Iterator[Found]:
    """Cut an endless chat into its days, UTC: each is one conversation with a run of its own."""
    batch: list[Message] = []
    for one in found:
        if isinstance(one, Problem):
            yield one
            continue
        if batch and (_day(one) != _day(batch[0]) or len(batch) == MOST_AT_ONCE):
            yield _one_day(draft, batch)
            batch = []
        batch.append(one)
    if batch:
        yield _one_day(draft, batch)


def _day(one: Message) -> str:
    return "" if one.at is None else datetime.fromtimestamp(one.at, UTC).date().isoformat()


def _one_day(draft: Incoming, batch: list[Message]) -> Incoming:
    run = handle(f"{draft.run} {_day(batch[0])}")
    return replace(draft, messages=tuple(batch), run=run)
