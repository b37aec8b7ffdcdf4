"""Commands that look back and undo: history, diff, log, revert."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Unpack

import typer
from rich.console import RenderableType
from rich.text import Text

from engram.cli.door import HISTORY, command
from engram.cli.options import Opening, RecordId, Scoped, ids, opened
from engram.cli.show import clipped, indented, minute, plain, speaker, table, tell, when
from engram.errors import NotFound

if TYPE_CHECKING:
    from engram.memory import Memory

_LONGEST = 120  # characters of one side of a change

Point = typer.Argument(help="A commit (its id or how it begins) or a time such as 2026-05-01.")


@command(HISTORY)
def history(record_id: RecordId, **shared: Unpack[Scoped]) -> None:
    """Every version of a memory: when it changed, by which commit, and what it rests on.

    Example: engram history 01a20b78-e09e-7ed4-8afe-fdfcf1215a58
    """
    with opened(shared) as memory:
        versions = memory.history(record_id, **ids(shared))
        related = _related(memory, versions[-1])
    rows = [
        (
            f"v{version['version']}",
            minute(version["commit"]["at"]),
            version["state"],
            _version(version),
        )
        for version in versions
    ]
    shown = table("", "from", "state", "memory", rows=rows, wide="memory")
    about = [indented(_relative(kind, record)) for kind, record in related]
    document = {
        "versions": versions,
        "related": [{"as": kind, **record} for kind, record in related],
    }
    tell(shared, document, plain(record_id, "dim"), shown, *about)


def _version(version: Mapping[str, Any]) -> Text:
    commit = version["commit"]
    why = f" ({commit['reason']})" if commit["reason"] else ""
    by = f" by {commit['actor']}" if commit["actor"] else ""
    body = plain(clipped(version["memory"])) if version["memory"] else plain("(erased)", "red")
    return body.append_text(plain(f"\n{commit['method']}{by}{why} {commit['id']}", "dim"))


def _related(memory: "Memory", version: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """What the memory was read out of, what it replaced, and what replaced it."""
    after = version.get("superseded_by")
    roles = {after: "merged into" if version["state"] == "merged" else "replaced by"}
    wanted = [*version.get("parents", ()), *([after] if after else [])]
    found: list[tuple[str, Mapping[str, Any]]] = []
    for record_id in dict.fromkeys(wanted):
        record: Mapping[str, Any]
        try:
            record = memory.get(record_id)
        except NotFound:  # an erase took it; that it was there is all that is left
            record = {"id": record_id, "memory": None, "kind": "erased"}
        role = "rests on" if record["kind"] == "raw" else "replaced"
        found.append((roles.get(record_id, role), record))
    return found


def _relative(kind: str, record: Mapping[str, Any]) -> Text:
    if record["memory"] is None:
        return Text("  ").join([plain(kind, "dim"), plain("(erased)", "red"), plain(record["id"])])
    by = ", ".join(part for part in (speaker(record), when(record)) if part)
    quote = plain(f"“{clipped(record['memory'])}”")
    return Text("  ").join([plain(kind, "dim"), quote, plain(by), plain(record["id"], "dim")])


@command(HISTORY)
def diff(
    a: Annotated[str, Point],
    b: Annotated[str | None, Point] = None,
    **shared: Unpack[Scoped],
) -> None:
    """What changed after one commit or time, up to another or to now.

    Example: engram diff 2026-05-01 2026-06-01
    """
    with opened(shared) as memory:
        found = memory.diff(a, b, **ids(shared))
    shown = [shape for change in found["results"] for shape in _change(change)]
    tell(shared, found, *(shown or ["Nothing changed."]))


def _change(change: Mapping[str, Any]) -> Iterable[RenderableType]:
    """Before and after, with the parts that differ where the text is the same."""
    before, after = change["before"], change["after"]
    yield plain(f"{(after or before or {'kind': 'erased'})['kind']} {change['id']}", "dim")
    if before and after and before["memory"] == after["memory"]:
        yield indented(plain(clipped(after["memory"])))
        for part in change["changed"]:
            yield indented(_side("-", f"{part}: {_short(before[part])}", "red"))
            yield indented(_side("+", f"{part}: {_short(after[part])}", "green"))
        return
    if before:
        yield indented(_side("-", clipped(before["memory"]), "red"))
    if after:
        yield indented(_side("+", clipped(after["memory"]), "green"))


def _side(sign: str, text: str, style: str) -> Text:
    return plain(f"{sign} {text}", style)


def _short(value: Any) -> str:
    return clipped("" if value is None else str(value), most=_LONGEST)


@command(HISTORY)
def log(
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", help="Most commits.")] = 20,
    **shared: Unpack[Opening],
) -> None:
    """The last commits of the store, newest first.

    Example: engram log -n 5
    """
    with opened(shared) as memory:
        commits = memory.log(limit)
    tell(shared, {"results": commits}, _commits(commits))


def _commits(commits: Sequence[Mapping[str, Any]]) -> RenderableType:
    rows = [
        (minute(c["at"]), c["method"], plain(c["id"], "dim"), f"{c['actor']} {c['reason']}".strip())
        for c in commits
    ]
    return table("at", "what", "commit", "why", rows=rows, wide="why")


@command(HISTORY)
def revert(
    commit: Annotated[str, typer.Argument(help="A commit: its id, or how it begins.")],
    reason: Annotated[str, typer.Option(help="Why, for the log.")] = "",
    **shared: Unpack[Opening],
) -> None:
    """Undo a commit by a new one. Everything can be undone but an erase.

    Example: engram revert 01a20b78-e09e --reason "added by mistake"
    """
    with opened(shared) as memory:
        done = memory.revert(commit, reason=reason)
    tell(shared, done, f"reverted {done['reverted']}\ncommit {done['commit']}")
