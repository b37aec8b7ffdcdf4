"""The conversation is spoken, and remembered line by line."""

import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from engram.demo.script import HOUR, Calendar, Line, moment
from engram.demo.stage import VOICES, Stage, bar
from engram.memory import Memory

_VISIBLE = 7
"""Lines that are on the screen at once."""

_BAR = 30
"""Columns of the month with the most messages."""


@dataclass(frozen=True, slots=True)
class Recital:
    """What was said and how long remembering it took; waiting does not count.

    ``seconds`` are spent in ``Memory.add``, one call and one durable commit for each line.
    """

    lines: int
    chats: int
    seconds: float

    @property
    def rate(self) -> float:
        """Lines a second."""
        return self.lines / max(self.seconds, 1e-9)


def recite(stage: Stage, memory: Memory, calendar: Calendar, script: Sequence[Line]) -> Recital:
    """Add every line at its own time, and show them go by where there is a screen."""
    spent = 0.0
    recent: deque[Line] = deque(maxlen=_VISIBLE)
    screen = Live(console=stage.console, transient=True, refresh_per_second=25)
    if stage.console.is_terminal:
        screen.start()
    try:
        for done, line in enumerate(script, start=1):
            calendar.now = line.at
            began = time.perf_counter()
            memory.add(line.message(), run_id=line.run_id)
            spent += time.perf_counter() - began
            recent.append(line)
            if screen.is_started:
                screen.update(_frame(stage, list(recent), done, len(script), spent))
                stage.wait()
    finally:
        screen.stop()
    calendar.now += HOUR
    said = Recital(len(script), len({line.run_id for line in script}), spent)
    _summary(stage, script, said)
    return said


def _frame(
    stage: Stage, recent: Sequence[Line], done: int, total: int, spent: float
) -> RenderableType:
    """What is on the screen while the lines go by."""
    rows = [_spoken(line, stage.width - 4) for line in recent]
    rows += [Text("")] * (_VISIBLE - len(rows))
    foot = Table.grid(padding=(0, 2, 0, 0))
    foot.add_row(
        Text(f"  {moment(recent[-1].time):%B %Y}".ljust(16), style="bold"),
        ProgressBar(total=total, completed=done, width=max(10, stage.width - 54)),
        Text(f"{done:>4} of {total}"),
        Text(f"{done / max(spent, 1e-9):,.0f} messages/s", style="dim"),
    )
    return Group(*rows, Text(""), foot)


def _spoken(line: Line, columns: int) -> Text:
    words = Text("  ")
    words.append(f"{line.name:<11}", style=VOICES.get(line.name, "magenta"))
    words.append(" ".join(line.content.split()), style="dim")
    words.truncate(columns, overflow="ellipsis")
    return words


def _summary(stage: Stage, script: Sequence[Line], said: Recital) -> None:
    """The year at a glance: one bar a month."""
    months = Counter(f"{moment(line.time):%b %Y}" for line in script)
    most = max(months.values())
    columns = max(1, min(_BAR, stage.width - 20))
    table = Table.grid(padding=(0, 2, 0, 0))
    for month, count in months.items():
        table.add_row(
            Text(month, style="dim"), Text(bar(count / most, columns), "cyan"), f"{count:>4}"
        )
    stage.show(table)
    stage.console.print()
    stage.verdict(
        f"{said.lines} messages of {said.chats} chats remembered: {said.rate:,.0f} a second, "
        "each one safe on the disk before the next",
        held=True,
    )
