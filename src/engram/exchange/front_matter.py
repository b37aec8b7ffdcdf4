"""The block of settings at the top of a Markdown note, read as far as notes use YAML.

Scalars stay text; lists are read in both forms, and indented text under ``|`` or ``>`` is joined.
Anything deeper is kept as the text that it is.
"""

import re
from typing import TypeAlias

Value: TypeAlias = str | list[str]

_BLOCK = re.compile(r"\A---[ \t]*\n(?P<inside>.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.M)
_KEY = re.compile(r"(?P<key>[^\s:#\-\[{][^:]*):(?:\s+(?P<value>.*))?$")
_ITEM = re.compile(r"\s*-\s+(?P<item>.+)$")
_FOLDED = frozenset({"|", ">", "|-", ">-", "|+", ">+"})


def front_matter(text: str) -> tuple[dict[str, Value], int]:
    """The settings of a note, and the number of characters that they take at its top."""
    block = _BLOCK.match(text)
    if block is None:
        return {}, 0
    found: dict[str, Value] = {}
    key = ""
    for line in block["inside"].splitlines():
        if named := _KEY.match(line):
            key = named["key"].strip(" \t\"'")
            found[key] = _value((named["value"] or "").strip())
        elif key and line.strip() and not line.startswith("#"):
            found[key] = _longer(found[key], line)
    return found, block.end()


def _value(text: str) -> Value:
    if text.startswith("[") and text.endswith("]"):
        return [_bare(item) for item in text[1:-1].split(",") if item.strip()]
    return "" if text in _FOLDED else _bare(text)


def _longer(value: Value, line: str) -> Value:
    """What is written below a key belongs to it: one more item, or more text."""
    item = _ITEM.match(line)
    if item and not isinstance(value, str):
        return [*value, _bare(item["item"])]
    if item and not value:
        return [_bare(item["item"])]
    if isinstance(value, str):
        return f"{value}\n{line.strip()}".strip()
    return value


def _bare(text: str) -> str:
    text = text.strip()
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if quoted else text
