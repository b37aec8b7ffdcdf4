"""Pictures in chat messages: what is written on one is told before the message that brought it.

Both usual shapes of a part are read: ``image_url`` with a ``data:`` address, as OpenAI has it, and
``image`` with a ``source`` in base64, as Anthropic has it.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from engram.errors import InvalidInput, brief
from engram.exchange.screens import Screens, Sight, similarity
from engram.exchange.values import optional

_TIMES = ("time", "timestamp", "created_at")


def pictured(said: Sequence[Mapping[str, Any]], sight: Sight) -> list[dict[str, Any]]:
    """Messages for ``Memory.add``, with the words of their pictures.

    A picture is told by a tool, for who wrote what is on it nobody knows. One that looks like one
    before it is told once, and one that is only an address is not asked for but named in the
    metadata, under ``pictures``.

    Raises:
        InvalidInput: a picture is no image that can be read.
    """
    seen: list[str] = []
    told: list[dict[str, Any]] = []
    for number, message in enumerate(said):
        content = message.get("content")
        parts = content if isinstance(content, list) else []
        sources = [source for part in parts if (source := _source(part))]
        away = [source for source in sources if not source.startswith("data:")]
        for source in sources:
            if source not in away:
                where = f"a picture of message {number}"
                told += _told(_data(source, where), message, sight, seen)
        told += _rest(message, parts, away) if sources else [dict(message)]
    return told


def _source(part: Any) -> str:
    """Where a part keeps its picture; empty where it is something else."""
    kind = optional(part).get("type")
    if kind in ("image_url", "input_image"):
        named = part.get("image_url")
        return str(optional(named).get("url", named) or "")
    inner = optional(optional(part).get("source")) if kind == "image" else {}
    if inner.get("type") == "base64":
        return f"data:{inner.get('media_type')};base64,{inner.get('data')}"
    return str(inner.get("url") or "")


def _data(source: str, where: str) -> bytes:
    head, _, data = source.partition(",")
    try:
        if not head.endswith(";base64"):
            raise binascii.Error("it is written otherwise")
        return base64.b64decode(data, validate=True)
    except binascii.Error as fault:
        raise InvalidInput(f"{where} must be base64, got {brief(source)} ({fault})") from None


def _told(
    image: bytes, message: Mapping[str, Any], sight: Sight, seen: list[str]
) -> list[dict[str, Any]]:
    """The words of a picture as a message of a tool, or nothing."""
    imprint = sight.imprint(image)
    if any(similarity(imprint, other) > Screens.ALIKE for other in seen):
        return []
    seen.append(imprint)
    words = sight.words(image).strip()
    if not words:
        return []
    metadata = {
        "modality": "picture",
        "sha256": hashlib.sha256(image).hexdigest(),
        "imprint": imprint,
    }
    times = {key: message[key] for key in _TIMES if key in message}
    return [{"role": "tool", "content": words, "metadata": metadata, **times}]


def _rest(
    message: Mapping[str, Any], parts: Sequence[Any], away: Sequence[str]
) -> list[dict[str, Any]]:
    """What was said with the pictures, where anything was."""
    left = [part for part in parts if not _source(part)]
    if not left and not away:
        return []
    rest = {**message, "content": left}
    if away:
        rest["metadata"] = {**optional(message.get("metadata")), "pictures": list(away)}
    if not left:
        rest["content"] = "(a picture)"
    return [rest]
