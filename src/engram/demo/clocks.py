"""Acts about time: what changed, and what was known when."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from engram.demo.recall import Outcome
from engram.demo.script import moment
from engram.demo.stage import Stage, day, evidence, facts
from engram.memory import Memory

QUESTION = "Where does Ana live?"
BEFORE = "2026-04-15"
"""A day before the move."""
BETWEEN = "2026-05-05"
"""A day when Ana had moved, and had told nobody yet."""
_YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))


def superseded(stage: Stage, memory: Memory) -> Outcome:
    """The same question about two days has two answers, and both keep their evidence."""
    homes = {}
    for label, as_of in ((f"on {day(BEFORE)}", BEFORE), ("today", None)):
        homes[label] = memory.search(QUESTION, top_k=1, as_of=as_of)["results"][0]
        stage.asks(QUESTION, label)
        stage.show(Text(homes[label]["memory"], style="bold green"), indent=4)
        stage.quote(evidence(homes[label]))
        stage.console.print()
        stage.wait(40)
    then, now = homes.values()
    stage.show(_timeline([memory.history(home["id"]) for home in homes.values()], stage.width - 16))
    stage.console.print()
    held = (
        "Bergen" in then["memory"]
        and "Oslo" in now["memory"]
        and then.get("superseded_by") == now["id"]
    )
    stage.verdict("nothing was overwritten: the old home ended where the new one began", held=held)
    return Outcome(held, {"then": then["memory"], "now": now["memory"], "until": now["valid_from"]})


def two_clocks(stage: Stage, memory: Memory) -> Outcome:
    """What was true on a day, and what the memory held on that day, differ."""
    asks = (
        ("with all that is known today", None),
        ("with what was known that day", BETWEEN),
    )
    stage.asks(QUESTION, f"on {day(BETWEEN)}, five days before she told anybody")
    found = {}
    for label, known_at in asks:
        result = memory.search(QUESTION, top_k=1, as_of=BETWEEN, known_at=known_at)["results"][0]
        found[label] = result["memory"]
    rows = [(label, Text(text, style="bold green")) for label, text in found.items()]
    stage.show(facts(rows), indent=4)
    stage.console.print()
    held = "Oslo" in found[asks[0][0]] and "Bergen" in found[asks[1][0]]
    stage.verdict("so yesterday's decision can be explained with yesterday's knowledge", held=held)
    return Outcome(held, found)


def _timeline(histories: Sequence[Sequence[Mapping[str, Any]]], columns: int) -> Table:
    """One bar a home, over the months of the conversation, and below it when that was learned."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_row("", Text(_months(columns), style="dim"))
    for versions in histories:
        home = versions[-1]
        begin, end = (_column(home[key], columns) for key in ("valid_from", "valid_to"))
        line = Text(" " * begin + "━" * max(1, end - begin), style="cyan")
        line.append("▶" if home["valid_to"] is None else "┫", style="cyan")
        table.add_row(Text(home["fields"]["tail"], style="bold"), line)
        table.add_row("", Text(_dates(versions), style="dim"))
    return table


def _dates(versions: Sequence[Mapping[str, Any]]) -> str:
    """How long it was so, and when each version of that was written down."""
    home = versions[-1]
    learned = ", ".join(day(version["commit"]["at"]) for version in versions)
    return f"{day(home['valid_from'])} to {day(home['valid_to'])} · written on {learned}"


def _months(columns: int) -> str:
    """The names of the months, each where it begins."""
    scale = ""
    for month in range(_YEAR[0].month, _YEAR[1].month):
        begins = datetime(_YEAR[0].year, month, 1, tzinfo=UTC)
        scale = scale.ljust(_column(begins.isoformat(), columns)) + f"{begins:%b}"
    return scale


def _column(time: str | None, columns: int) -> int:
    first, last = _YEAR
    part = 1.0 if time is None else (moment(time) - first) / (last - first)
    return round(max(0.0, min(1.0, part)) * (columns - 1))
