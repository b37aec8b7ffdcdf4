"""Commands through which memories come and go: import, export."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Unpack, cast

import typer

from engram.cli.door import KEEP, REMEMBER, command
from engram.cli.options import Scoped, ids, note, opened
from engram.cli.progress import Tick, progress, unwatched
from engram.cli.show import facts, plain, table, tell
from engram.errors import InvalidInput

if TYPE_CHECKING:
    from engram.exchange.roles import Incoming, Reader
    from engram.memory import Memory
    from engram.plaintext.intake import Ids

OURS = "engram"
"""The name of our own archive, beside the formats of others."""

SCREENS = "screens"
"""The name of images as a format; they are read by what an extra installs."""

_MARK = b'{"engram":"archive"'
"""How it begins, whatever its version."""


@command(REMEMBER, "import")
def bring(
    source: Annotated[
        Path, typer.Argument(metavar="PATH", exists=True, help="A file, folder or archive.")
    ],
    form: Annotated[
        str | None, typer.Option("--format", metavar="NAME", help="Else it is recognised.")
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of text that is not UTF-8, such as latin-1."),
    ] = None,
    infer: Annotated[
        bool, typer.Option("--infer/--no-infer", help="Also read facts out of it.")
    ] = True,
    **shared: Unpack[Scoped],
) -> None:
    """Read the export of another product, messages as JSON or JSON lines, or our own archive.

    A second import of the same file adds only what is new. A folder of screenshots is read by OCR.

    Example: engram import conversations.json --user ana
    """
    from engram.plaintext.intake import scope_of  # with the store; see ``opened``

    scope_of(**ids(shared))  # what is wrong with an option is no fault of every conversation
    reader = None if _is_ours(source, form) else _reader(source, form, encoding)
    with opened(shared, begin=True) as memory, progress(shared, f"reading {source.name}") as tick:
        if reader is None:
            moved = memory.import_(_archived(source), progress=tick)
            counted = {"format": OURS, **moved, "problems": []}
        else:
            note(shared, f"format: {reader.name}")
            counted = _taken(reader, source, Intake(memory, ids(shared), infer=infer), tick)
    problems = counted["problems"]
    rows = [(problem["source"], problem["reason"]) for problem in problems]
    shown = facts((name, value) for name, value in counted.items() if name != "problems")
    tell(shared, counted, shown, *([table("left out", "why", rows=rows)] if rows else []))


def _is_ours(source: Path, form: str | None) -> bool:
    if form is not None:
        return form == OURS
    from engram.exchange.files import Opening  # see ``_reader``

    return source.is_file() and Opening().head(source).startswith(_MARK)


def _archived(source: Path) -> Iterator[str]:
    """The lines of our own archive; one that is no text is an error that says where."""
    from engram.exchange.files import Opening, Part  # see ``_reader``

    for _, line in Opening().lines(Part(source, source.name, source.stat().st_size)):
        yield line


def _reader(source: Path, form: str | None, encoding: str | None) -> "Reader":
    from engram.exchange import formats, screens  # all readers, which only an import needs
    from engram.exchange.files import Opening

    opening = Opening(encoding=encoding)
    if form == SCREENS or (form is None and screens.all_images(source, opening)):
        from engram.adapters.screens import Eyes  # loads its models

        return screens.Screens(Eyes(), opening)
    return formats.detect(source, opening) if form is None else formats.reader(form, opening)


def _taken(reader: "Reader", source: Path, intake: "Intake", tick: Tick) -> dict[str, Any]:
    """What became of a source. Screenshots take long and come to little: each frame is told."""
    from engram.exchange.screens import Screens  # see ``_reader``

    if not isinstance(reader, Screens):
        return intake.take(reader, source, tick)
    counted = intake.take(replace(reader, progress=tick), source, unwatched)
    return {**counted, "frames": dict(reader.counts)}


class Intake:
    """Adds what a reader yields, and counts what became of it."""

    def __init__(self, memory: "Memory", given: "Ids", *, infer: bool) -> None:
        self._memory = memory
        self._given = given
        self._infer = infer
        self._events: Counter[str] = Counter()
        self._messages = 0
        self._problems: list[dict[str, str]] = []

    def take(self, reader: "Reader", source: Path, tick: Tick) -> dict[str, Any]:
        """Read all of a source; what cannot be stored is listed and the rest goes on."""
        done = 0
        for incoming in self._readable(reader, source):
            try:
                self._add(incoming)
            except InvalidInput as fault:
                self._left_out(incoming.source, str(fault))
            done += 1
            tick(done, 0)
        return {
            "format": reader.name,
            "conversations": done,
            "messages": self._messages,
            "events": dict(self._events),
            "problems": self._problems,
        }

    def _readable(self, reader: "Reader", source: Path) -> "Iterator[Incoming]":
        from engram.exchange.roles import Problem  # see ``_reader``

        for found in reader.read(source):
            if isinstance(found, Problem):
                self._left_out(found.source, found.reason)
            else:
                yield found

    def _add(self, incoming: "Incoming") -> None:
        theirs: Mapping[str, str | None] = {
            "user_id": incoming.user,
            "agent_id": incoming.agent,
            "run_id": incoming.run,
        }
        scope = cast("Ids", {**theirs, **self._given})
        infer = self._infer and incoming.infer
        added = self._memory.add(list(incoming.messages), infer=infer, **scope)
        self._messages += len(incoming.messages)
        self._events.update(result["event"] for result in added["results"])

    def _left_out(self, where: str, why: str) -> None:
        self._problems.append({"source": where, "reason": why})


@command(KEEP)
def export(
    target: Annotated[
        str, typer.Argument(metavar="FILE", help="A file to write or replace; - is stdout.")
    ],
    **shared: Unpack[Scoped],
) -> None:
    """Write everything as JSON lines: every version, with what proves it.

    With --user or --app only that space. With - the counts go to stderr.

    Example: engram export backup.jsonl
    """
    if target == "-" and shared["as_json"]:
        raise typer.BadParameter("- writes the archive itself, leave --json out", param_hint="FILE")
    with opened(shared) as memory, progress(shared, "writing") as tick:
        if target == "-":
            # An archive is UTF-8 wherever it goes, or its digests are wrong.
            sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
            moved = memory.export(sys.stdout, progress=tick, **ids(shared))
            note(shared, f"{moved['commits']} commits, {moved['entries']} entries")
            return
        moved = memory.export(target, progress=tick, **ids(shared))
    shown = plain(f"{moved['commits']} commits, {moved['entries']} entries -> {target}")
    tell(shared, {"path": target, **moved}, shown)
