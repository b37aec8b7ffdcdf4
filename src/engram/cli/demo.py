"""The command that shows what a memory can do: demo."""

from pathlib import Path
from typing import Annotated, Unpack

import typer
from rich.console import Console

from engram.cli.door import RECALL, command
from engram.cli.output import Output
from engram.cli.show import tell

_PACE = 0.02  # seconds a line on a screen; all of it takes less than a minute


@command(RECALL)
def demo(
    data: Annotated[
        Path | None,
        typer.Option(exists=True, help="A LoCoMo file to play instead of our own conversation."),
    ] = None,
    path: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A new file for the memory, else a temporary one."),
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Without pauses.")] = False,
    **shared: Unpack[Output],
) -> None:
    """Ten months of a conversation are remembered, questioned, damaged, mended and erased.

    The exit code is 1 when a promise was not kept.

    Example: engram demo --fast
    """
    from engram.demo.play import play  # the script and the acts, which no other command needs

    silent = shared["as_json"] or shared["quiet"]
    out = Console(quiet=silent, highlight=False)
    results = play(path, out=out, data=data, pace=_PACE if out.is_terminal and not fast else 0.0)
    if shared["as_json"]:
        tell(shared, results.plain())
    if not results.held:
        raise typer.Exit(1)
