"""The options of the commands of caches, and what they stand for."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engram.cli.options import note
from engram.cli.output import Output
from engram.errors import InvalidInput

if TYPE_CHECKING:
    from engram.adapters.kv_eval import Entry
    from engram.adapters.kv_reading import Reader
    from engram.evals.tasks.ruler import Ruler

FULL = "full"
_COUNT, _LONGEST = 5, 4096

Model = Annotated[str, typer.Argument(metavar="MODEL", help="Folder of the model.")]
Preset = Annotated[
    str, typer.Option(metavar="KEYS", help="Keys of engram list --room activation, joined by +.")
]
Budget = Annotated[
    str | None,
    typer.Option(metavar="N", help="What a head keeps: tokens (1024) or a share (0.25)."),
]
Prompt = Annotated[str | None, typer.Option(metavar="TEXT", help="What the model reads.")]
PromptFile = Annotated[
    str | None, typer.Option(metavar="FILE", help="The same from a file in UTF-8; - is stdin.")
]
Most = Annotated[int, typer.Option(metavar="N", min=1, help="Most tokens that are written.")]
Against = Annotated[
    str | None, typer.Option(metavar="KEYS", help="Another preset, run after it: full.")
]
Chunk = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Tokens of the prompt read at once; entries are dropped after each. Else all, or 512 "
        "where none is dropped.",
    ),
]
Device = Annotated[str, typer.Option(metavar="NAME", help="As torch names it, such as cuda:0.")]
Presets = Annotated[
    str, typer.Option(metavar="KEYS", help="Presets with commas between; + joins keys to one.")
]
Ratios = Annotated[
    str, typer.Option(metavar="SHARES", help="Shares of the entries that are removed.")
]
Ratio = Annotated[str, typer.Option(metavar="SHARE", help="Share of the entries that is removed.")]
Tasks = Annotated[
    str,
    typer.Option(
        metavar="NAMES",
        help="RULER's tasks, its groups needle, tracking, aggregation and questions, ruler for "
        "all, or recall and passkey, which tiny models learn.",
    ),
]


def _made(folder: Path | None) -> Path | None:
    """The folder, made before the work is done and not after."""
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise typer.BadParameter(f"no folder can be made here ({fault})") from None
    return folder


class Rows(Output):
    """Which rows are measured, and where the figures go."""

    length: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Tokens of a row; else the window, up to 4096."),
    ]
    count: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Contexts of each task; else 5.")
    ]
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="Of the rows; else 0.")]
    query_aware: Annotated[
        bool,
        typer.Option("--query-aware", help="The question is read before anything is dropped."),
    ]
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for the figures: JSON, Markdown and PNG.",
            callback=_made,
        ),
    ]
    device: Annotated[str | None, typer.Option(metavar="NAME", help="As torch names it; else cpu.")]


def split(text: str) -> list[str]:
    """The names between commas, each once.

    Raises:
        InvalidInput: there is none.
    """
    found = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not found:
        raise InvalidInput(f"names with commas between must hold at least one, got {text!r}")
    return found


def text_of(prompt: str | None, file: str | None) -> str:
    """The prompt, out of one of the two options.

    Raises:
        InvalidInput: both or none are given, the file cannot be read, or there is no text.
    """
    if (prompt is None) == (file is None):
        raise InvalidInput(
            f"one of --prompt and --prompt-file must be given, got {'both' if file else 'none'}"
        )
    text = prompt or ""
    if file is not None:
        try:
            text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            raise InvalidInput(
                f"--prompt-file must be a text in UTF-8, got {file!r}, which cannot be read "
                f"({fault})"
            ) from None
    if not text:
        raise InvalidInput("a prompt must hold at least one token, got ''; write one")
    return text


def kept(text: str | None) -> int | float | None:
    """What a head keeps: tokens, or a share.

    Raises:
        InvalidInput: it is no number, or keeps nothing.
    """
    if text is None:
        return None
    try:
        keep = float(text) if not text.strip().isdecimal() else int(text)
    except ValueError:
        keep = 0
    if not keep > 0 or (isinstance(keep, float) and keep > 1):
        raise InvalidInput(
            f"--budget must be tokens, at least 1, or a share above 0 and up to 1.0, got {text!r}"
        )
    return keep


def shares(text: str) -> list[float]:
    """Shares of the entries that are removed.

    Raises:
        InvalidInput: one is no share, or all entries would go.
    """
    try:
        found = [float(each) for each in split(text)]
    except ValueError:
        found = []
    if not found or not all(0 <= share < 1 for share in found):
        raise InvalidInput(
            f"a ratio is the share of the entries that is removed, from 0 to below 1, got {text!r}"
        )
    return found


def drops(preset: str) -> bool:
    """Whether a preset drops entries, and so takes a budget.

    Raises:
        UnknownMethod: a key is not known.
        InvalidInput: there is no key.
    """
    from engram.catalogue import find, whole  # grows with every method, and help needs none of it

    rows = [find(key.strip(), "activation") for key in preset.split("+")]
    return any("scorer" in whole(row) for row in rows)


def maker(preset: str, budget: int | float | None, tokens: int) -> Callable[[Any], Any]:
    """Makes empty caches of a preset for a model, whose attention is left alone.

    A share is one of the tokens that are to come, where a cache drops entries while they come: of
    the first few it would keep nothing.
    """
    from engram import MemoryCache  # with torch
    from engram.catalogue import build, find, whole

    rows = [whole(find(key.strip(), "activation")) for key in preset.split("+")]
    facts = [getattr(build(row["scorer"]), "facts", {}) for row in rows if "scorer" in row]
    if isinstance(budget, float) and any("surprisal" in each for each in facts):
        budget = max(1, int(budget * tokens))
    return lambda model: MemoryCache.for_model(model, preset, budget=budget, attach=False)


def entries(presets: Sequence[str], ratios: Sequence[float], tokens: int) -> "list[Entry]":
    """Full, and every preset at every ratio; one that drops nothing has one entry."""
    from engram.adapters.kv_eval import Entry  # see ``drops``

    found = [Entry(FULL, 0.0, maker(FULL, None, tokens))]
    for preset in presets:
        if drops(preset):
            found += [
                Entry(preset, ratio, maker(preset, round(1 - ratio, 9), tokens)) for ratio in ratios
            ]
        elif preset != FULL:
            found.append(Entry(preset, 0.0, maker(preset, None, tokens)))
    return found


def opened(model: str, device: str | None) -> "Reader":
    """The model in a folder, and what reads it.

    Raises:
        InvalidInput: there is none.
        MissingExtra: torch or transformers is not installed.
    """
    from engram.adapters.kv_folder import reader  # see ``drops``

    return reader(model, device or "cpu")


def beyond(reader: "Reader", tokens: int, what: str, shared: Output) -> bool:
    """Whether more tokens are read than the model was trained for, which is said and goes on."""
    over = reader.window is not None and tokens > reader.window
    if over:
        note(
            shared,
            f"{what} {tokens:,} tokens and the model was trained to read {reader.window:,}: what "
            "it writes beyond may make no sense",
        )
    return over


def made(shared: Rows, reader: "Reader") -> "Ruler":
    """The rows that the options ask for, as many tokens of this model as they say."""
    from engram.evals.tasks.ruler import Ruler  # see ``drops``

    length = shared["length"] or min(_LONGEST, reader.window or _LONGEST)
    return Ruler(
        length,
        count=shared["count"] or _COUNT,
        query_aware=shared["query_aware"],
        tokens=lambda text: len(reader.encode(text, True)),
        seed=shared["seed"] or 0,
    )
