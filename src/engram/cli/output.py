"""How a command speaks: to a person, or with ``--json`` to a program."""

from typing import Annotated, TypedDict

import typer

AS_JSON = "engram.json"
"""Under this key the context knows that a program is listening."""

_PANEL = "Output"


def _listening(ctx: typer.Context, value: bool) -> bool:
    ctx.meta[AS_JSON] = value
    return value


class Output(TypedDict):
    """How a command speaks."""

    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="One JSON document on stdout and nothing else.",
            callback=_listening,
            rich_help_panel=_PANEL,
        ),
    ]
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", help="No notes and no progress on stderr.", rich_help_panel=_PANEL
        ),
    ]
