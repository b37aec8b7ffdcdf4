"""The command that talks: chat."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Unpack

import typer
from rich.console import Console
from rich.text import Text

from engram.cli.door import RECALL, command
from engram.cli.options import Scoped, ids, opened
from engram.cli.show import clipped, plain, speaker, tell, when
from engram.config import settings
from engram.errors import EngramError, InvalidInput

if TYPE_CHECKING:
    from engram.cli.talk import Talk, Turn

_LISTED = 20  # memories that /memories shows
_SIGNS = {"new": "+", "changed": "~", "gone": "-"}
_HELP = (
    ("/memories", f"the last {_LISTED} memories"),
    ("/forget ID", "put a memory out of recall; the start of an id that was shown will do"),
    ("/undo", "take the last turn back, with what was learned from it"),
    ("/quit", "end; so does the end of the input"),
)


@command(RECALL)
def chat(
    once: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Say only this, and end; - reads it from stdin."),
    ] = None,
    recall: Annotated[
        int, typer.Option(metavar="N", min=1, help="Most tokens of recalled memory in a turn.")
    ] = 1000,
    tokens: Annotated[
        int, typer.Option(metavar="N", min=1, help="Most tokens of an answer.")
    ] = 1024,
    **shared: Unpack[Scoped],
) -> None:
    """Talk with a language model that remembers, in this and in later conversations.

    Shows what it recalls before each answer, and what it learned after. /help lists what else can
    be typed. With --json it takes --once.

    Example: engram chat --model ollama:llama3.2 --once "Where do I live?"
    """
    named = settings().model if shared["model"] is None else shared["model"]
    if named in (None, "", "none"):
        raise InvalidInput(
            "engram chat needs a language model, got none; pass --model, such as "
            "--model ollama:llama3.2, or set ENGRAM_MODEL"
        )
    if shared["as_json"] and once is None:
        raise typer.BadParameter(
            "--json answers one text; give it with --once", param_hint="--json"
        )
    with opened(shared, begin=True) as memory:
        from engram.cli.talk import Talk  # see ``opened``

        assert memory.counsel is not None
        talk = Talk(memory, memory.counsel, ids(shared), recall=recall, tokens=tokens)
        if once is None:
            _loop(talk)
        else:
            _once(talk, sys.stdin.read() if once == "-" else once, shared)


def _once(talk: "Talk", said: str, shared: Scoped) -> None:
    """One turn; for a program as one document, with all that was learned from it."""
    console = Console(highlight=False)
    heard = _unheard if shared["as_json"] else _aloud(console)
    turn = _turn(talk, said, console, heard, wait=True, quiet=shared["as_json"])
    document = {
        "answer": turn.answer,
        "run_id": talk.run,
        "recalled": [{"id": each["id"], "memory": each["memory"]} for each in turn.recalled],
        "learned": [_change(each) for each in turn.learned],
        "model": turn.model,
    }
    tell(shared, document)


def _loop(talk: "Talk") -> None:
    """Turn after turn; a mistake ends a turn, not the conversation."""
    console = Console(highlight=False)
    console.print(plain("/help lists what can be typed beside talk.", "dim"))
    for said in _lines():
        try:
            if said.startswith("/"):
                if not _ordered(talk, said, console):
                    return
            else:
                _turn(talk, said, console, _aloud(console), wait=False, quiet=False)
        except EngramError as error:
            console.print()
            console.print(plain(f"error: {error}", "red"), soft_wrap=True)


def _turn(
    talk: "Talk",
    said: str,
    console: Console,
    heard: Callable[[str], None],
    *,
    wait: bool,
    quiet: bool,
) -> "Turn":
    """Recall, answer, learn; each shown when it is known."""
    turn, quoted = talk.recalled(said)
    if not quiet:
        for record in turn.recalled:
            console.print(_recalled(record), soft_wrap=True)
    talk.answered(turn, quoted, heard)
    turn.learned = talk.learned(wait=wait)
    if not quiet:
        console.print()
        for change in turn.learned:
            console.print(_learned(_change(change)), soft_wrap=True)
        console.print(_took(turn.model), soft_wrap=True)
    return turn


def _lines() -> Iterator[str]:
    """What is typed, line by line, without blank ones."""
    typed = _typed() if sys.stdin.isatty() else sys.stdin
    yield from filter(None, (line.strip() for line in typed))


def _typed() -> Iterator[str]:
    with suppress(ImportError):
        import readline  # noqa: F401 - lets a line be edited and found again
    with suppress(EOFError):
        while True:
            yield input("> ")


def _ordered(talk: "Talk", said: str, console: Console) -> bool:
    """Do what a line with a slash says; False to end."""
    order, _, rest = said.partition(" ")
    if order == "/quit":
        return False
    if order == "/memories":
        for record in talk.memories(_LISTED):
            console.print(_recalled(record, ""), soft_wrap=True)
    elif order == "/forget" and rest.strip():
        gone = talk.forget(rest.strip())
        console.print(plain(f"out of recall: {clipped(gone['memory'])}", "dim"), soft_wrap=True)
    elif order == "/undo":
        made = talk.undo()
        console.print(plain(f"taken back: the last turn, {len(made)} commits", "dim"))
    else:
        for name, what in _HELP:
            console.print(plain(f"{name:12}{what}", "dim"), soft_wrap=True)
    return True


def _aloud(console: Console) -> Callable[[str], None]:
    """Shows an answer while it comes."""
    return lambda piece: console.print(plain(piece), end="", soft_wrap=True)


def _unheard(_piece: str) -> None:
    """A program gets the whole answer at the end."""


def _recalled(record: Mapping[str, Any], label: str = "recalled ") -> Text:
    kind = "" if record["kind"] == "raw" else record["kind"]
    by = " ".join(part for part in (when(record), kind, speaker(record)) if part)
    return plain(f"  {label}{by}: {clipped(record['memory'])}  {record['id']}", "dim")


def _change(change: Mapping[str, Any]) -> dict[str, Any]:
    """What became of one memory, in short."""
    before, after = change["before"], change["after"]
    record = after or before
    held = record["state"] == "active"
    event = "new" if before is None else "changed" if after is not None and held else "gone"
    short = {name: record[name] for name in ("id", "kind", "memory", "state")}
    return {"event": event, **short, "changed": change["changed"]}


def _learned(change: Mapping[str, Any]) -> Text:
    how = change["changed"] or ([] if change["state"] == "active" else [change["state"]])
    about = f" ({', '.join(how)})" if how else ""
    said = f"{change['kind']}: {clipped(change['memory'])}{about}"
    return plain(f"  {_SIGNS[change['event']]} {said}  {change['id']}", "dim")


def _took(model: Mapping[str, Any]) -> Text:
    about = "about " if model["estimated"] else ""
    used = f"{about}{model['tokens_in']}+{model['tokens_out']} tokens"
    return plain(f"  {used}, {model['seconds']:.1f} s", "dim")
