"""A progress bar on stderr, where a person is watching."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from engram.cli.output import Output


class Tick(Protocol):
    """Is told how far the work is."""

    def __call__(self, done: int, total: int, what: str = "") -> None:
        """Show ``done`` of ``total``; a total of 0 is unknown."""
        ...


@contextmanager
def progress(out: Output, what: str) -> Iterator[Tick]:
    """A bar while the block runs: it pulses until it is told how much there is to do."""
    if out["as_json"] or out["quiet"] or not sys.stderr.isatty():
        yield unwatched
        return
    from rich.console import Console  # with its bars rich takes longer to load than most commands
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def tick(done: int, total: int, what: str = "") -> None:
            bar.update(task, completed=done, total=total or None, description=what or None)

        yield tick


def unwatched(done: int, total: int, what: str = "") -> None:
    """Nobody is watching, or a program is."""
