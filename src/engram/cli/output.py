"""How a command speaks: to a person, or with ``--json`` to a program."""

import codecs
import json
import re
from typing import Annotated, Any, TextIO, TypedDict

import typer

AS_JSON = "engram.json"
"""Under this key the context knows that a program is listening."""

_PANEL = "Output"
_CONTROL = re.compile(r"[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What could move a terminal's cursor, and is left as it is in JSON."""

_DRAWN = {
    **dict(zip("█▉▊▋▌▍▎▏━▶┫│─·✓✗“”‘’", "#++++   =>||--vx\"\"''", strict=True)),
    "…": "...",
}
"""What we draw with, for a terminal that lacks it."""


def _listening(ctx: typer.Context, value: bool) -> bool:
    ctx.meta[AS_JSON] = value
    return value


class Output(TypedDict):
    """How a command speaks."""

    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="One JSON document on stdout and nothing else.",
            callback=_listening,
            rich_help_panel=_PANEL,
        ),
    ]
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", help="No notes and no progress on stderr.", rich_help_panel=_PANEL
        ),
    ]


def encoded(document: Any, stream: TextIO, indent: int | None = None) -> str:
    """JSON that a stream of any encoding can carry and a terminal can show."""
    unicode = codecs.lookup(stream.encoding or "ascii").name.startswith("utf")
    text = json.dumps(document, ensure_ascii=not unicode, indent=indent)
    return _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def legible(fault: UnicodeError) -> tuple[str, int]:
    """Error handler of a stream: what its encoding lacks is drawn plainly, or is its number."""
    assert isinstance(fault, UnicodeEncodeError)
    lacking = fault.object[fault.start : fault.end]
    shown = (_DRAWN.get(char) or _number(char) for char in lacking)
    return "".join(shown), fault.end


def _number(char: str) -> str:
    return char.encode("ascii", "backslashreplace").decode()
