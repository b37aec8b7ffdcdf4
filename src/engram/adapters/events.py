"""Reading what model servers send: nested JSON, and answers that come in pieces."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from engram.adapters.server import Server

_SILENT = (":", "event:", "id:", "retry:")  # lines of a stream that carry no data


def dig(told: Any, *path: str | int) -> Any:
    """What stands at a path of keys and places; None where the path breaks off."""
    for step in path:
        try:
            told = told[step]
        except (LookupError, TypeError):
            return None
    return told


def count(value: Any) -> int | None:
    """A count of tokens; None for what is none."""
    right = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if right else None


def events(server: Server, lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The objects of a stream, one a line or one an event; ``{"done": True}`` for ``[DONE]``.

    Raises:
        ModelFailed: a line is something else, or tells of an error.
    """
    for line in lines:
        if line.startswith(_SILENT):
            continue
        data = line.removeprefix("data:").strip()
        event = {"done": True} if data == "[DONE]" else _object(data)
        if event is None or event.get("error"):
            raise server.strange("its answer in pieces", line, "correct the address, or ask again")
        yield event


def _object(data: str) -> dict[str, Any] | None:
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None
