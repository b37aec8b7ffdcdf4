"""The command line: every verb of ``Memory``, for people and, with ``--json``, for programs."""

import sys
from typing import Annotated

import typer

from engram import __version__
from engram.cli import catalogue, demo, evals, exchange, history, read, upkeep, write
from engram.cli.door import app

__all__ = ["app", "main"]

# Importing a module of commands hangs them on the door.
_COMMANDS = (catalogue, demo, evals, exchange, history, read, upkeep, write)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"engram {__version__}")
        raise typer.Exit


@app.callback()
def engram(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say it and exit.")
    ] = False,
) -> None:
    """One memory for an AI, in one file on your disk."""


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        # What is stored is any Unicode; a terminal or a pipe of another encoding gets escapes.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    app(prog_name="engram")


if __name__ == "__main__":
    main()
