"""How the play looks: a few shapes, each used by every act."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.rule import Rule
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from engram.demo.script import moment

WIDEST = 100
"""Columns; longer lines are hard to read."""

VOICES: Mapping[str, str] = {"Ana": "cyan", "Ben": "green", "Iris": "yellow", "web_search": "red"}
_SHOWN = 190
"""Characters of a quotation that are shown; the rest becomes an ellipsis."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A line that a memory rests on. ``start`` to ``end`` are the characters that matter."""

    id: str
    text: str
    start: int
    end: int
    speaker: str
    at: str
    run_id: str
    metadata: Mapping[str, Any]


def evidence(result: Mapping[str, Any], fragment: str = "") -> Evidence:
    """The line behind a search result.

    Args:
        result: as ``Memory.search`` gives it: a verbatim line, or something read out of one.
        fragment: what to point at in a verbatim line.
    """
    derived = result["kind"] != "raw"
    line = result["sources"][0] if derived else {**result, **result["fields"]}
    text = line["memory"]
    start = line["start"] if derived else text.find(fragment)
    end = line["end"] if derived else start + len(fragment)
    place = (start, end) if 0 <= start < end else (0, 0)
    return Evidence(
        id=line["id"],
        text=text,
        start=place[0],
        end=place[1],
        speaker=line["speaker"] or "",
        at=line["event_time"],
        run_id=line["run_id"] or "",
        metadata=line["metadata"],
    )


def day(time: str | None) -> str:
    """A time as people write a day: "3 May 2026"; "now" for an open end."""
    if time is None:
        return "now"
    return f"{moment(time).day} {moment(time):%b %Y}"


@dataclass(frozen=True, slots=True)
class _Indented:
    """A renderable with something at its left on each of its lines, and no blanks at its right."""

    body: RenderableType
    left: str
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        narrower = options.update(width=options.max_width - len(self.left))
        for line in console.render_lines(self.body, narrower, pad=False):
            yield Segment(self.left, Style.parse(self.style))
            yield from _trimmed(line)
            yield Segment.line()


class Stage:
    """Writes the play to a console, and waits where somebody is watching.

    Args:
        console: where it is shown; in a pipe the same words come without colour.
        pace: seconds that a line stays before the next; 0 never waits.
    """

    def __init__(self, console: Console, pace: float = 0.0) -> None:
        self.console = console
        self.pace = pace
        self.width = min(console.width, WIDEST)
        self._act = 0

    def show(self, *parts: RenderableType, indent: int = 2) -> None:
        """Print something under the act's title, as wide as the play is."""
        for part in parts:
            self.console.print(_Indented(part, " " * indent), width=self.width, end="")

    def title(self, name: str, below: str) -> None:
        """Open the evening."""
        self.console.print()
        self.show(Text(name, style="bold cyan"), Text(below, style="dim"))
        self.console.print()

    def act(self, title: str) -> None:
        """Begin an act; there is a moment to read the one before."""
        self.wait(40)
        self._act += 1
        heading = Text.assemble((f"{self._act}  ", "bold cyan"), (title, "bold"))
        self.console.print()
        self.console.print(Rule(heading, align="left", style="bright_black"), width=self.width)
        self.console.print()

    def wait(self, lines: float = 1) -> None:
        """Let as many lines' time go by."""
        if self.pace > 0:
            time.sleep(self.pace * lines)

    def asks(self, question: str, note: str = "") -> None:
        """Somebody asks."""
        self.show(Text.assemble((question, "bold"), (f"  {note}" if note else "", "dim")))

    def quote(self, said: Evidence, score: float | None = None) -> None:
        """A line of the conversation, with who said it, when and in which chat."""
        words = Text("“") + _clipped(said) + Text("”")
        who = Text.assemble((said.speaker, VOICES.get(said.speaker, "magenta")))
        who.append(f" · {day(said.at)}, {moment(said.at):%H:%M} · {said.run_id}", style="dim")
        if score is not None:
            who.append(f" · score {score:.2f}", style="dim")
        self.show(_Indented(Group(words, who), "│ ", "bright_black"), indent=4)

    def verdict(self, text: str, *, held: bool) -> None:
        """Whether the act kept its promise, as measured just now."""
        mark, style = ("✓", "bold green") if held else ("✗", "bold red")
        self.show(_marked(mark, style, Text(text, style="" if held else "red")))


def facts(rows: Sequence[tuple[str, RenderableType]]) -> Table:
    """Two columns: what, and what about it."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, value in rows:
        table.add_row(name, value)
    return table


def bar(part: float, columns: int) -> str:
    """A bar of 0 to ``columns`` columns, to an eighth of one."""
    eighths = round(max(0.0, min(1.0, part)) * columns * 8)
    return "█" * (eighths // 8) + ("", *"▏▎▍▌▋▊▉")[eighths % 8]


def _trimmed(line: Sequence[Segment]) -> Sequence[Segment]:
    kept = list(line)
    while kept and not kept[-1].text.strip():
        kept.pop()
    return [*kept[:-1], kept[-1]._replace(text=kept[-1].text.rstrip())] if kept else kept


def _marked(mark: str, style: str, text: Text) -> Table:
    row = Table.grid(padding=(0, 1, 0, 0))
    row.add_row(Text(mark, style=style), text)
    return row


def _clipped(said: Evidence) -> Text:
    """The words around what matters, cut between words."""
    text, start, end = said.text, 0, len(said.text)
    if len(text) > _SHOWN:
        middle = (said.start + said.end) // 2
        start = max(0, min(middle - _SHOWN // 2, len(text) - _SHOWN))
        end = start + _SHOWN
        start = 0 if start == 0 else text.find(" ", start) + 1
        end = len(text) if end >= len(text) else text.rfind(" ", 0, end)
    words = Text(("… " if start else "") + text[start:end] + (" …" if end < len(text) else ""))
    shift = (2 if start else 0) - start
    if said.end > said.start:
        words.stylize("bold green", max(0, said.start + shift), max(0, said.end + shift))
    return words
