"""The options that commands share, and what they stand for.

A command takes the group it needs as ``**shared: Unpack[Looking]``; ``door.command`` spells the
options out for Typer.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypedDict, cast

import typer

from engram.cli.output import Output
from engram.config import settings
from engram.errors import InvalidInput, StoreError

if TYPE_CHECKING:
    from engram.memory import Memory
    from engram.plaintext.asking import Looking as Look
    from engram.plaintext.intake import Ids
    from engram.plaintext.store.connect import Durability

_SCOPE, _STORE = "Whose memory", "Store"


class Store(TypedDict):
    """Which store, and how it is opened."""

    path: Annotated[
        str | None,
        typer.Option(
            "--path",
            metavar="FILE",
            help="Store; else ENGRAM_PATH, else your own in the XDG data folder.",
            rich_help_panel=_STORE,
        ),
    ]
    preset: Annotated[
        str | None,
        typer.Option(
            "--preset",
            metavar="KEY",
            help="Which parts do the work; see engram list.",
            rich_help_panel=_STORE,
        ),
    ]
    embedder: Annotated[
        str | None,
        typer.Option(
            "--embedder",
            metavar="NAME",
            help="wordllama, none (words only), ollama:MODEL, fastembed:NAME...",
            rich_help_panel=_STORE,
        ),
    ]
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="NAME",
            help="Language model that the preset may ask: ollama:MODEL, openai:MODEL...",
            rich_help_panel=_STORE,
        ),
    ]
    budget: Annotated[
        int | None,
        typer.Option(
            "--budget",
            metavar="TOKENS",
            min=0,
            help="What the model may take of a user's day (UTC).",
            rich_help_panel=_STORE,
        ),
    ]
    durability: Annotated[
        str | None,
        typer.Option(
            "--durability",
            metavar="LEVEL",
            help="full, normal or off: what a power cut may cost.",
            rich_help_panel=_STORE,
        ),
    ]


class Who(TypedDict):
    """Whose memory it is."""

    user: Annotated[
        str | None,
        typer.Option(
            "--user",
            "-u",
            metavar="ID",
            help="Whose memory; else ENGRAM_USER.",
            rich_help_panel=_SCOPE,
        ),
    ]
    agent: Annotated[
        str | None,
        typer.Option("--agent", metavar="ID", help="Only this agent's.", rich_help_panel=_SCOPE),
    ]
    run: Annotated[
        str | None,
        typer.Option(
            "--run", metavar="ID", help="Only this conversation's.", rich_help_panel=_SCOPE
        ),
    ]
    app: Annotated[
        str | None,
        typer.Option(
            "--app",
            metavar="ID",
            help="Application; with the user it chooses the space.",
            rich_help_panel=_SCOPE,
        ),
    ]


class What(TypedDict):
    """Which memories, and at what time."""

    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="TIME", help="What was true then, such as 2025-06-01."),
    ]
    known_at: Annotated[
        str | None,
        typer.Option("--known-at", metavar="TIME", help="What this memory held then."),
    ]
    filters: Annotated[
        str | None,
        typer.Option(
            "--filter",
            metavar="JSON",
            help='On fields and metadata, such as \'{"speaker": "Ana"}\'.',
        ),
    ]


class Opening(Store, Output):
    """Commands on a whole store."""


class Scoped(Who, Store, Output):
    """Commands on one scope of it."""


class Looking(What, Who, Store, Output):
    """Commands that search or list a scope."""


RecordId = Annotated[str, typer.Argument(metavar="ID", help="Id of a memory, as shown.")]
MaybeId = Annotated[str | None, typer.Argument(metavar="ID", help="Id of a memory, as shown.")]
Metadata = Annotated[
    str | None,
    typer.Option("--metadata", metavar="JSON", help='Your own, such as \'{"city": "Oslo"}\'.'),
]


@contextmanager
def opened(shared: Opening | Scoped | Looking, *, begin: bool = False) -> "Iterator[Memory]":
    """The memory that the options name.

    Args:
        shared: the options.
        begin: make the store when there is none; a command that only reads does not.

    Raises:
        StoreError: there is none, or it cannot be used.
    """
    path = settings().path if shared["path"] is None else shared["path"]
    if not str(path).strip():
        raise InvalidInput("--path must name a file, got ''; leave it out for your own store")
    if not begin and path != ":memory:" and not Path(path).expanduser().exists():
        raise StoreError(f"{path}: there is no store here yet; 'engram add' begins one")
    from engram.memory import Memory  # numpy and the parts, which help never needs
    from engram.plaintext.advising import Budget

    with Memory.open(
        path,
        preset="hybrid" if shared["preset"] is None else shared["preset"],
        embedder=shared["embedder"],
        model=shared["model"],
        budget=Budget(tokens=shared["budget"]),
        durability=cast("Durability | None", shared["durability"]),  # the store checks it
    ) as memory:
        note(shared, str(memory.path))
        yield memory


def note(shared: Output, text: str) -> None:
    """A dim line on stderr, for people only."""
    if not (shared["as_json"] or shared["quiet"]):
        from engram.cli.show import plain, to_stderr  # see ``opened``

        to_stderr(plain(text, "dim"))


def ids(shared: Scoped | Looking) -> "Ids":
    """The ids that were given; none of them means any scope, where a call allows that."""
    given = {
        "user_id": settings().user if shared["user"] is None else shared["user"],
        "agent_id": shared["agent"],
        "run_id": shared["run"],
        "app_id": shared["app"],
    }
    return cast("Ids", {name: value for name, value in given.items() if value is not None})


def look(shared: Looking) -> "Look":
    """The scope, the two clocks and the filter."""
    found = cast("Look", ids(shared))
    found["as_of"], found["known_at"] = shared["as_of"], shared["known_at"]
    found["filters"] = parsed(shared["filters"], "--filter")
    return found


def parsed(text: str | None, option: str) -> Any:
    """The value of an option that is JSON; None stays None.

    Raises:
        InvalidInput: it is not JSON.
    """
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"{option} must be JSON, got {text!r:.60} ({error})") from None
