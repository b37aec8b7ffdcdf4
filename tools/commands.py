"""Reads the command line: every command of the Typer application, with what it takes."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer

from engram.cli import app


@dataclass(frozen=True)
class Parameter:
    """One argument or option. ``name`` is as typed: ``TEXT``, ``--json``."""

    name: str
    help: str
    default: str


@dataclass(frozen=True)
class Command:
    """One command, by its whole name: ``engram add``."""

    name: str
    help: str
    parameters: tuple[Parameter, ...]

    @property
    def summary(self) -> str:
        """The first sentence of the help."""
        return self.help.split("\n\n")[0].replace("\n", " ")

    @property
    def usage(self) -> str:
        """The name with its arguments."""
        words = [each.name for each in self.parameters if not each.name.startswith("-")]
        options = ["[OPTIONS]"] if len(words) < len(self.parameters) else []
        return " ".join([self.name, *options, *words])


def commands() -> list[Command]:
    """All commands that are not hidden, in the order of the application."""
    return list(_commands(typer.main.get_command(app), "engram"))


def _commands(node: Any, name: str) -> Iterator[Command]:
    below = getattr(node, "commands", None)
    if below is None:
        yield Command(name, inspect.cleandoc(node.help or ""), tuple(_parameters(node)))
        return
    for word, child in below.items():
        if not child.hidden:
            is_default = word == getattr(node, "default", None)
            yield from _commands(child, name if is_default else f"{name} {word}")


def _parameters(node: Any) -> Iterator[Parameter]:
    for each in node.params:
        is_argument = each.param_type_name == "argument"
        switches = sorted([*each.opts, *each.secondary_opts], key=len)
        name = each.name.upper() if is_argument else ", ".join(switches)
        yield Parameter(name, each.help or "", _shown(each.default))


def _shown(default: object) -> str:
    silent = default in (None, False, ()) or callable(default)
    return "" if silent else f"`{default}`"
