"""How things look: one console, few shapes, no control character of a stored text.

What is stored may come from anywhere, so it is never printed as markup, and what could move a
terminal's cursor is made visible first.
"""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from engram.cli.output import Output, encoded
from engram.plaintext.text.sentences import sentences
from engram.plaintext.text.words import terms

LONGEST = 280  # characters of a memory in a table; ``engram get`` shows all of it
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_WORD = re.compile(r"[^\W_]+")
_EIGHTHS = " ▏▎▍▌▋▊▉"
_BAR = 5  # cells


def tell(out: Output, document: Any, *shown: RenderableType) -> None:
    """Say the result: as JSON for a program, else as the shapes for a person.

    Text is printed as it is, however long its lines are; other shapes keep to the width.
    Beyond a terminal no line ends in the blanks that fill a column.
    """
    if out["as_json"]:
        print(encoded(document, sys.stdout, indent=2))
        return
    console = Console(highlight=False)
    for shape in shown:
        if isinstance(shape, str | Text):
            console.print(plain(shape) if isinstance(shape, str) else shape, soft_wrap=True)
        elif console.is_terminal:
            console.print(shape)
        else:
            with console.capture() as captured:
                console.print(shape)
            print("\n".join(map(str.rstrip, captured.get().splitlines())))


def to_stderr(text: Text) -> None:
    """One line beside the result."""
    Console(stderr=True, highlight=False).print(text, soft_wrap=True)


def plain(text: str, style: str = "") -> Text:
    """A text without effects: what is no visible character becomes its number."""
    told = _CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text.replace("\r\n", "\n"))
    return Text(told, style)


def line(text: str) -> str:
    """The text in one line."""
    return " ".join(text.split())


def clipped(text: str, query: str = "", most: int = LONGEST) -> str:
    """The text in one line; of a long one, the sentence that says most about the query."""
    if len(text) <= most:
        return line(text)
    wanted = set(terms(query, query=True).content)
    pieces = [line(text[span.start : span.end]) for span in sentences(text)]
    best = max(pieces, key=lambda piece: len(wanted.intersection(terms(piece).content)))
    short = best if len(best) <= most else f"{best[: most - 1].rstrip()}…"
    before = "" if pieces[0] == best else "… "
    after = "" if pieces[-1] == best or short.endswith("…") else " …"
    return before + short + after


def matched(text: str, query: str, style: str = "bold yellow") -> Text:
    """The text with the words that the query shares with it set off, as the index sees them."""
    wanted = set(terms(query, query=True).content)
    shown = plain(text)
    for word in _WORD.finditer(shown.plain):
        found = terms(word.group()).content
        if len(found) == 1 and wanted.issuperset(found):
            shown.stylize(style, *word.span())
        elif len(found) > 1:  # a script without spaces: set off the characters that match
            shown.highlight_words(sorted(wanted.intersection(found)), style, case_sensitive=False)
    return shown


def bar(share: float) -> Text:
    """A share as a short bar and its figure."""
    eighths = round(min(max(share, 0.0), 1.0) * _BAR * 8)
    full, rest = divmod(eighths, 8)
    drawn = ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(_BAR)
    return Text.assemble((drawn, "cyan"), f" {share:.2f}")


def day(time: str | None) -> str:
    """The date of a time of ours."""
    return (time or "")[:10]


def minute(time: str | None) -> str:
    """Date and time of a time of ours, UTC, to the minute."""
    return (time or "")[:16].replace("T", " ")


def when(record: Mapping[str, Any]) -> str:
    """The day on which something was said; where nobody knows, the day on which it was stored."""
    return day(record["event_time"] or record.get("created_at"))


def speaker(record: Mapping[str, Any]) -> str:
    """Who said it: a name, else a role, else nothing."""
    said = record["sources"][0] if record.get("sources") else record.get("fields", record)
    return str(said.get("speaker") or said.get("role") or "")


def table(*heads: str, rows: Iterable[Sequence[RenderableType]], wide: str = "") -> Table:
    """Columns under dim heads; only the ``wide`` one wraps and grows."""
    shown = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for head in heads:
        grows = head == wide
        shown.add_column(
            head, overflow="fold", no_wrap=not grows and bool(wide), ratio=1 if grows else None
        )
    for row in rows:
        shown.add_row(*(plain(cell) if isinstance(cell, str) else cell for cell in row))
    return shown


def facts(pairs: Iterable[tuple[str, Any]]) -> Table:
    """Names and values, one a line; what is empty is left out."""
    shown = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    shown.add_column(style="dim", no_wrap=True)
    shown.add_column(overflow="fold")
    for name, value in pairs:
        if value not in (None, "", [], {}):
            shown.add_row(name, value if isinstance(value, Text) else plain(_worded(value)))
    return shown


def _worded(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_worded(inner)}" for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_worded, value))
    return "yes" if value is True else "no" if value is False else str(value)


def indented(shape: RenderableType) -> Padding:
    """A shape that belongs to the line above it."""
    return Padding(shape, (0, 0, 0, 2))


def quoted(source: Mapping[str, Any], query: str = "", *, said: str = "") -> Text:
    """Evidence: the words, who said them and when, and their id.

    Args:
        source: of a search result.
        query: chooses the sentence, where the words are many.
        said: words that were shown already and are not repeated.
    """
    words = clipped(source["memory"][source["start"] : source["end"]], query)
    by = ", ".join(part for part in (speaker(source), day(source["event_time"])) if part)
    parts = [plain(f"“{words}”")] if words != said else []
    parts += [plain(by)] if by else []
    return Text("  ").join([*parts, plain(source["id"], "dim")])
