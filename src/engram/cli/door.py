"""The door itself: the application, how commands are hung on it, and how errors leave it."""

import inspect
import json
import sys
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, get_args, get_type_hints

import typer
from typer.core import TyperGroup

from engram.cli.output import AS_JSON
from engram.errors import EngramError

REMEMBER, RECALL, HISTORY, KEEP, METHODS = "Remember", "Recall", "History", "Keep", "Methods"

Function = TypeVar("Function", bound=Callable[..., None])
Bag: TypeAlias = inspect.Parameter


class Door(TyperGroup):
    """Says errors that were raised on purpose in one line; all others are bugs and stay loud."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command and turn its errors into exit codes."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # a reader that has gone is met here, and not at shutdown
        except EngramError as error:
            _say(error, as_json=ctx.meta.get(AS_JSON, False))
            raise typer.Exit(1) from None
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


def command(panel: str, name: str | None = None) -> Callable[[Function], Function]:
    """Hang a function on the door.

    Args:
        panel: the heading of ``engram --help`` that it stands under.
        name: where the function cannot have the command's name.
    """

    def hang(function: Function) -> Function:
        vars(function)["__signature__"] = _spelled_out(inspect.signature(function))
        return app.command(name, rich_help_panel=panel)(function)

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


def _say(error: EngramError, *, as_json: bool) -> None:
    if as_json:
        said = {"error": {"kind": type(error).__name__, "message": str(error)}}
        print(json.dumps(said, ensure_ascii=False), file=sys.stderr)
        return
    from engram.cli.show import plain, to_stderr  # most runs have no error to show

    to_stderr(plain(f"error: {error}", "red"))
