"""The command line: every verb of ``Memory``, for people and, with ``--json``, for programs."""

import codecs
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from engram import __version__
from engram.cli import (
    agent,
    catalogue,
    chat,
    demo,
    evals,
    exchange,
    forms,
    history,
    kv,
    read,
    reveal,
    upkeep,
    write,
)
from engram.cli.door import app
from engram.cli.output import legible

__all__ = ["app", "main"]

# Importing a module of commands hangs them on the door.
_COMMANDS = (
    agent,
    catalogue,
    chat,
    demo,
    evals,
    exchange,
    forms,
    history,
    kv,
    read,
    reveal,
    upkeep,
    write,
)


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
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # whoever started us closed it
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - to the end
    codecs.register_error(legible.__qualname__, legible)
    for stream in (sys.stdout, sys.stderr):
        # What is stored is any Unicode; a terminal or a pipe may know less.
        stream.reconfigure(errors=legible.__qualname__)  # type: ignore[union-attr]
    app(prog_name="engram")
