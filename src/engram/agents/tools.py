"""Tools: what a model can do to a file store. A call is an object, and its result is a text.

What a call gets wrong is told in its result and changes nothing; a Python file whose syntax would
be wrong is not written.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from engram.agents.asking import clipped
from engram.agents.evaluators import syntax
from engram.agents.files import FileStore, checked_path
from engram.errors import EngramError, InvalidInput
from engram.plaintext.advice import fields

Call: TypeAlias = Mapping[str, Any]

LONGEST_LIST = 100
"""Paths that ``list`` shows."""

MANUAL = """\
{"tool": "list", "path": "src"}: the files below a folder; without a path all files
{"tool": "read", "path": "a.py", "start": 1, "end": 80}: lines of a file; all without start and end
{"tool": "write", "path": "a.py", "text": "..."}: a whole file, new or over the old one
{"tool": "append", "path": "a.py", "text": "..."}: lines after the last one of a file
{"tool": "delete", "path": "a.py"}: take a file away
{"tool": "done", "summary": "..."}: the instruction is carried out; what was done, in two sentences
"""
"""What a model is told."""

_TEXT = {"type": "string"}
_LINE = {"type": "integer", "minimum": 1}
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "list": (),
    "read": ("path",),
    "write": ("path", "text"),
    "append": ("path", "text"),
    "delete": ("path",),
    "done": ("summary",),
}
SCHEMA = fields(
    {
        "tool": {"type": "string", "enum": [*_NEEDS]},
        "path": _TEXT,
        "text": _TEXT,
        "start": _LINE,
        "end": _LINE,
        "summary": _TEXT,
    },
    optional=["path", "text", "start", "end", "summary"],
)
"""JSON Schema of a call."""


def lacking(call: Call) -> str:
    """What a call lacks, in one line; empty if nothing."""
    missing = [name for name in _NEEDS[call["tool"]] if name not in call]
    return f"{call['tool']} needs {' and '.join(missing)}" if missing else ""


def used(store: FileStore, call: Call, most: int) -> str:
    """The result of any call but ``done``, in at most so many tokens."""
    wrong = lacking(call)
    if wrong:
        return f"error: {wrong}"
    try:
        return clipped(_TOOLS[call["tool"]](store, call), most)
    except EngramError as error:
        return clipped(f"error: {error}", most)


def overview(store: FileStore) -> list[str]:
    """Every file with the number of its lines."""
    return [f"{path} ({_lines(store.files[path])})" for path in store.paths()]


def _list(store: FileStore, call: Call) -> str:
    below = call.get("path", "").strip("/.")
    found = [
        each for each in overview(store) if not below or each.startswith((f"{below}/", f"{below} "))
    ]
    rest = len(found) - LONGEST_LIST
    more = [f"and {rest} more; list a folder"] if rest > 0 else []
    return "\n".join([*found[:LONGEST_LIST], *more]) or "There are no files."


def _read(store: FileStore, call: Call) -> str:
    path, start, end = call["path"], call.get("start"), call.get("end")
    if start and end and start > end:
        raise InvalidInput(f"start must not be after end, got {start!r} and {end!r}")
    lines = store.read(path, start, end)
    return "\n".join([f"{path} ({_lines(store.read(path))}), from line {start or 1}:", *lines])


def _write(store: FileStore, call: Call) -> str:
    return _kept(store, checked_path(call["path"]), _split(call["text"]))


def _append(store: FileStore, call: Call) -> str:
    path = checked_path(call["path"])
    old = store.files.get(path, ())
    return _kept(store, path, [*old, *_split(call["text"])])


def _delete(store: FileStore, call: Call) -> str:
    store.delete(call["path"])
    return f"{call['path']} is gone."


def _kept(store: FileStore, path: str, lines: list[str]) -> str:
    wrong = syntax(path, "".join(f"{line}\n" for line in lines))
    if wrong:
        raise InvalidInput(f"nothing was written, for the syntax would be wrong: {wrong}")
    store.write(path, lines)
    return f"{path} has {_lines(lines)}."


def _split(text: str) -> list[str]:
    plain = text.replace("\r\n", "\n").removesuffix("\n")
    return plain.split("\n") if plain else []


def _lines(lines: list[str] | tuple[str, ...]) -> str:
    return f"{len(lines)} line{'' if len(lines) == 1 else 's'}"


_TOOLS: Mapping[str, Callable[[FileStore, Call], str]] = {
    "list": _list,
    "read": _read,
    "write": _write,
    "append": _append,
    "delete": _delete,
}
