"""Commands that remember and correct: add, update, delete."""

import sys
from typing import Annotated, Any, Unpack

import typer

from engram.cli.door import REMEMBER, command
from engram.cli.options import MaybeId, Metadata, RecordId, Scoped, ids, opened, parsed
from engram.cli.show import clipped, plain, table, tell
from engram.errors import InvalidInput

_STYLES = {"ADD": "green", "UPDATE": "green", "SUPERSEDE": "yellow", "QUARANTINE": "red"}

Everything = Annotated[bool, typer.Option("--all", help="Every memory of the user (--user...).")]


@command(REMEMBER)
def add(
    text: Annotated[
        list[str], typer.Argument(help="What to remember, as one message; - reads it from stdin.")
    ],
    role: Annotated[str, typer.Option(help="Who spoke: user, assistant, system or tool.")] = "user",
    name: Annotated[str | None, typer.Option(help="The speaker's name.")] = None,
    time: Annotated[
        str | None, typer.Option(help="When it was said, such as 2026-05-03T10:00.")
    ] = None,
    metadata: Metadata = None,
    infer: Annotated[
        bool, typer.Option("--infer/--no-infer", help="Also read facts out of it.")
    ] = True,
    **shared: Unpack[Scoped],
) -> None:
    """Remember something, verbatim, and the facts in it.

    Example: engram add "I moved to Oslo in May" --name Ana --time 2026-05-20
    """
    content = _said(text)
    message = {"role": role, "content": content, "name": name, "time": time}
    with opened(shared, begin=True) as memory:
        own = parsed(metadata, "--metadata")
        done = memory.add(message, metadata=own, infer=infer, **ids(shared))
    _receipt(shared, done)


@command(REMEMBER)
def update(
    record_id: RecordId,
    text: Annotated[list[str], typer.Argument(help="The new text; - reads it from stdin.")],
    metadata: Metadata = None,
    **shared: Unpack[Scoped],
) -> None:
    """Give a memory a new text; the old one stays in its history.

    Facts that were read out of the old text are withdrawn, and read anew out of the new one.

    Example: engram update 01a20b78-e09e-7ed4-8afe-fdfcf1215a58 "I live in Bergen."
    """
    content = _said(text)
    with opened(shared) as memory:
        own = parsed(metadata, "--metadata")
        done = memory.update(record_id, content, metadata=own, **ids(shared))
    _receipt(shared, done)


@command(REMEMBER)
def delete(
    record_id: MaybeId = None,
    every: Everything = False,
    **shared: Unpack[Scoped],
) -> None:
    """Put a memory out of recall. It stays in the history, and revert brings it back.

    To destroy it, use engram erase.

    Example: engram delete 01a20b78-e09e-7ed4-8afe-fdfcf1215a58
    """
    either(record_id, every=every)
    with opened(shared) as memory:
        if record_id is None:
            done = memory.delete_all(**ids(shared))
        else:
            done = memory.delete(record_id, **ids(shared))
    gone = len(done["deleted"])
    said = f"{gone} out of recall; to undo: engram revert {done['commit']}"
    tell(shared, done, said if gone else "Nothing to delete.")


def _said(text: list[str]) -> str:
    """The words; a lone ``-`` stands for those on stdin."""
    if text != ["-"]:
        return " ".join(text)
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as fault:
        raise InvalidInput(
            f"stdin must be {fault.encoding}, got other bytes at {fault.start}; convert it first"
        ) from None


def either(record_id: str | None, *, every: bool) -> None:
    """Refuse an id together with ``--all``, and neither."""
    if (record_id is None) != every:
        raise typer.BadParameter("give the id of a memory, or --all", param_hint="ID")


def _receipt(shared: Scoped, done: dict[str, Any]) -> None:
    rows = [
        (
            plain(result["event"], _STYLES.get(result["event"], "")),
            result["kind"],
            plain(f"{clipped(result['memory'])}\n").append(result["id"], "dim"),
        )
        for result in done["results"]
    ]
    reasons = [f"{r['event']}: {r['reason']}" for r in done["results"] if r.get("reason")]
    shown = table("event", "kind", "memory", rows=rows, wide="memory")
    commit = f"commit {done['commit']}" if done["commit"] else "Nothing was changed."
    tell(shared, done, shown, *map(plain, dict.fromkeys(reasons)), commit)
