"""Forms of memories for one model: promote, demote, forms."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Unpack

import typer
from rich.console import RenderableType

from engram.cli.door import KEEP, command
from engram.cli.options import Scoped, Who, ids, note, opened
from engram.cli.output import Output
from engram.cli.progress import progress
from engram.cli.show import facts, minute, plain, table, tell

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from engram.memory import Memory


class Forming(Who, Output):
    """Commands on forms: their model is not the one that a preset may ask."""

    path: Annotated[
        str | None,
        typer.Option(
            "--path",
            metavar="FILE",
            help="Store; else ENGRAM_PATH, else your own in the XDG data folder.",
            rich_help_panel="Store",
        ),
    ]


FormId = Annotated[str, typer.Argument(metavar="FORM", help="Id of a form; see engram forms.")]


@command(KEEP)
def promote(
    record_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of memories.")],
    model: Annotated[
        str,
        typer.Option(metavar="FOLDER", help="Folder of a model of transformers, with tokenizer."),
    ],
    preset: Annotated[
        str,
        typer.Option(metavar="KEY", help="full, or kivi: a fifth of the bytes, a small error."),
    ] = "full",
    **shared: Unpack[Forming],
) -> None:
    """Let a model read memories once, and keep what it made of them beside the store.

    Their text stays. A change of one of them ends the form; it is made anew when it is attached.

    Example: engram promote 01a20b78-e09e-7ed4-8afe-fdfcf1215a58 --model models/llama
    """
    with _opened(shared) as memory, progress(shared, "reading") as tick:
        made = memory.promote(
            record_ids, model=model, preset=preset, progress=tick, **ids(_scoped(shared))
        )
    tell(shared, made, _facts(made))


@command(KEEP)
def demote(form_id: FormId, **shared: Unpack[Forming]) -> None:
    """Give a form up and destroy its file. Its memories stay as they are, as text.

    Example: engram demote 6cb45acb-dce4-5c4a-9ecf-83c03171b245
    """
    with _opened(shared) as memory:
        gone = memory.demote(form_id, **ids(_scoped(shared)))
    if not gone["destroyed"]:
        note(shared, "another process holds the file; engram tend destroys it")
    text = f"{len(gone['records'])} memories are text again; {gone['bytes']:,} bytes are free"
    tell(shared, gone, text)


@command(KEEP, "forms")
def forms_(
    record_id: Annotated[
        str | None, typer.Option("--of", metavar="ID", help="Only those that this memory is in.")
    ] = None,
    **shared: Unpack[Forming],
) -> None:
    """The forms of memories: for which model, of how many tokens and bytes, fresh or stale.

    Example: engram forms --user ana
    """
    with _opened(shared) as memory:
        found = memory.forms(record_id, **ids(_scoped(shared)))
    rows = [
        (
            plain(form["id"], "dim"),
            plain(form["state"], "green" if form["state"] == "fresh" else "yellow"),
            str(len(form["records"])),
            f"{form['tokens']:,}",
            f"{form['bytes']:,}",
            str(form["uses"]),
            f"{form['preset']} {form['model'][:8]}",
        )
        for form in found
    ]
    heads = ("form", "state", "memories", "tokens", "bytes", "uses", "for")
    shown = table(*heads, rows=rows, wide="for") if rows else plain("There are no forms.")
    tell(shared, {"results": found}, shown)


def _facts(made: Mapping[str, Any]) -> RenderableType:
    return facts(
        [
            ("form", made["id"]),
            ("state", made["state"]),
            ("memories", len(made["records"])),
            ("tokens", f"{made['tokens']:,}"),
            ("bytes", f"{made['bytes']:,}"),
            ("preset", made["preset"]),
            ("model", made["model"]),
            ("made", minute(made["made_at"])),
        ]
    )


def _scoped(shared: Forming) -> Scoped:
    """The options of any store: as the file was last opened, with no model to ask."""
    return {
        **shared,
        "preset": None,
        "embedder": None,
        "model": None,
        "budget": None,
        "durability": None,
    }


def _opened(shared: Forming) -> "AbstractContextManager[Memory]":
    return opened(_scoped(shared))
