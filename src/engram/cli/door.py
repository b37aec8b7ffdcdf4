"""The door itself: the application, how commands are hung on it, and how errors leave it."""

import inspect
import sys
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, get_args, get_type_hints

import typer
from typer.core import TyperGroup

from engram.cli.output import AS_JSON, encoded
from engram.errors import EngramError

PANELS = REMEMBER, RECALL, HISTORY, KEEP, METHODS = (
    "Remember",
    "Recall",
    "History",
    "Keep",
    "Methods",
)

Function = TypeVar("Function", bound=Callable[..., None])
Bag: TypeAlias = inspect.Parameter

_UsageError: Any = typer.BadParameter.__base__


class Door(TyperGroup):
    """Says errors that were raised on purpose in one line; all others are bugs and stay loud."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The commands in the order of their panels."""
        known: Any = self.commands
        names = super().list_commands(ctx)
        return sorted(names, key=lambda name: PANELS.index(known[name].rich_help_panel))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options before the command; without anything that is the help."""
        given = [*args]  # they are taken off the list as they are read
        try:
            return super().parse_args(ctx, args)
        except _UsageError as error:
            if not given:
                raise
            raise _misused(error, ctx, as_json="--json" in given) from None

    def invoke(self, ctx: Any) -> Any:
        """Run a command and turn its errors into exit codes."""
        as_json = "--json" in ctx.args  # where the options cannot be read, nobody else knows
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # a reader that has gone is met here, and not at shutdown
        except EngramError as error:
            _say(type(error).__name__, str(error), as_json=ctx.meta.get(AS_JSON, False))
            raise typer.Exit(1) from None
        except _UsageError as error:
            raise _misused(error, ctx, as_json=as_json) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        return result


app = typer.Typer(
    name="engram",
    cls=Door,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def command(
    panel: str, name: str | None = None, on: typer.Typer = app
) -> Callable[[Function], Function]:
    """Hang a function on the door.

    Args:
        panel: the heading of ``engram --help`` that it stands under.
        name: where the function cannot have the command's name.
        on: the door, or a room of commands behind it.
    """

    def hang(function: Function) -> Function:
        vars(function)["__signature__"] = _spelled_out(inspect.signature(function))
        return on.command(name, rich_help_panel=panel)(function)

    return hang


def _spelled_out(signature: inspect.Signature) -> inspect.Signature:
    """The signature with ``**shared: Unpack[Options]`` replaced by the options, one by one."""
    *own, bag = signature.parameters.values()
    if bag.kind is not Bag.VAR_KEYWORD:
        return signature
    (options,) = get_args(bag.annotation)
    shared = [
        Bag(name, Bag.KEYWORD_ONLY, default=_nothing(hint), annotation=hint)
        for name, hint in get_type_hints(options, include_extras=True).items()
    ]
    return signature.replace(parameters=[*own, *shared])


def _nothing(hint: Any) -> Any:
    """What an option is when it is not given."""
    return False if get_args(hint)[0] is bool else None


def _misused(error: Any, ctx: Any, *, as_json: bool) -> typer.Exit:
    """Say what is wrong with the arguments, and where it is written how they should be."""
    said = " ".join(error.format_message().split())
    if not said:  # nothing was asked, and the help has been shown
        return typer.Exit(2)
    wrong = said if said.endswith((".", "?")) else f"{said}."
    inner = f"{ctx.command_path} {ctx.invoked_subcommand or ''}".strip()
    right = error.ctx.command_path if error.ctx else inner
    _say("UsageError", f"{wrong} See {right} --help", as_json=as_json)
    return typer.Exit(2)


def _say(kind: str, message: str, *, as_json: bool) -> None:
    if as_json:
        said = {"error": {"kind": kind, "message": message}}
        print(encoded(said, sys.stderr), file=sys.stderr)
        return
    from engram.cli.show import plain, to_stderr  # most runs have no error to show

    to_stderr(plain(f"error: {message}", "red"))
