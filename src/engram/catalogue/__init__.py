"""The directory: one row for each published method or benchmark.

Rows are data, a file for each room: listing them imports nothing, and every value is a literal.
``find`` looks a row up, ``whole`` gives all parts of it, ``parts`` makes the objects that it names.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from engram.catalogue import activation, agents, evals, plaintext, vectors
from engram.catalogue.row import Part, Row
from engram.errors import UnknownMethod, brief

__all__ = ["ROWS", "Part", "Row", "build", "find", "parts", "whole"]

_ROOMS = (activation, agents, evals, plaintext, vectors)
ROWS: tuple[Row, ...] = tuple(
    sorted((row for room in _ROOMS for row in room.ROWS), key=lambda row: row.key)
)


def find(key: object, room: str | None = None) -> Row:
    """The row of a key.

    Raises:
        UnknownMethod: no row has that key; the message names the nearest.
    """
    rows = {row.key: row for row in ROWS if room in (None, row.room)}
    name = key if isinstance(key, str) else ""
    if name in rows:
        return rows[name]
    others = {row.key: row.room for row in ROWS}
    if name in others:
        raise UnknownMethod(
            f"{name!r} is no preset of {room}, its room is {others[name]}; "
            f"'engram show {name}' tells how it is used"
        )
    near = get_close_matches(name[:80], rows, n=1, cutoff=0.4)
    hint = f"nearest: {near[0]}" if near else "'engram list' shows them all"
    raise UnknownMethod(f"no method is called {brief(key)}; {hint}")


def whole(row: Row) -> Mapping[str, Any]:
    """Every part of a row, those of the row that it is like among them."""
    if not row.like:
        return row.parts
    base = whole(find(row.like))
    channels = {**base.get("channels", {}), **row.parts.get("channels", {})}
    kept = {name: channel for name, channel in channels.items() if channel is not None}
    return {**base, **row.parts, **({"channels": kept} if "channels" in base else {})}


def build(part: Part, given: Mapping[str, Any] | None = None) -> Any:
    """The object that a part names, with the row's settings.

    Args:
        part: of a row.
        given: what a method may need from outside and cannot have in a row, by the name of its
            field: ``embedder``, ``advisor``.
    """
    path, settings = (part, {}) if isinstance(part, str) else (part["use"], dict(part))
    settings.pop("use", None)
    module, _, name = path.partition(":")
    kind = getattr(import_module(f"engram.{module}"), name)
    wanted = {field.name for field in fields(kind)} if is_dataclass(kind) else set()
    lent = {name: value for name, value in (given or {}).items() if name in wanted}
    inner = {name: build(value, given) for name, value in settings.items() if _is_part(value)}
    return kind(**lent, **settings | inner)


def _is_part(setting: Any) -> bool:
    """A method may work with another, which its row names as a setting."""
    return isinstance(setting, Mapping) and "use" in setting


def parts(row: Row, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Every part of a row as objects: one, a list of them, or channels with their weights."""
    return {role: _made(part, given or {}) for role, part in whole(row).items()}


def _made(part: Any, given: Mapping[str, Any]) -> Any:
    if isinstance(part, list):
        return [build(one, given) for one in part]
    if isinstance(part, (int, float)):
        return part
    if isinstance(part, dict) and "use" not in part:
        return {name: (build(one, given), weight) for name, (one, weight) in part.items()}
    return build(part, given)
