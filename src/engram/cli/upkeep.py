"""Commands that keep a store: erase, tend, check, stats."""

import sys
from typing import Annotated, Any, Unpack

import typer

from engram.cli.door import KEEP, command
from engram.cli.options import MaybeId, Opening, Scoped, ids, opened
from engram.cli.progress import progress
from engram.cli.show import facts, plain, table, tell
from engram.cli.write import Everything, either

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@command(KEEP)
def erase(
    record_id: MaybeId = None,
    every: Everything = False,
    yes: Yes = False,
    **shared: Unpack[Scoped],
) -> None:
    """Destroy a memory, so that no byte of it stays in the file. Cannot be undone.

    Takes along its versions, and what was read out of it and rests on nothing else.

    Example: engram erase 01a20b78-e09e-7ed4-8afe-fdfcf1215a58 --yes
    """
    either(record_id, every=every)
    scope = ids(shared)
    with opened(shared) as memory:
        if record_id is None:
            scope = {"user_id": "default", **scope}
            what = ", ".join(f"{name} {value}" for name, value in scope.items())
            _sure(f"every memory of {what}", memory.path, yes=yes)
        else:
            _sure(repr(memory.get(record_id, **scope)["memory"])[:60], memory.path, yes=yes)
        with progress(shared, "erasing"):
            receipt = memory.erase(record_id, **scope)
    tell(shared, receipt, _receipt(receipt))


def _sure(what: str, where: object, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter("erase needs --yes where nobody can be asked", param_hint="--yes")
    typer.confirm(f"Destroy {what} in {where}, for good?", abort=True, err=True)


def _receipt(receipt: dict[str, Any]) -> Any:
    left = "no" if receipt["scrubbed"] else "yes: another process reads; engram tend finishes it"
    return facts(
        [
            ("erased", f"{len(receipt['ids'])} memories, {receipt['versions']} versions"),
            ("left in the file", left),
            ("not reached", receipt["backups"]),
            ("at", receipt["at"]),
            ("commit", receipt["commit"]),
        ]
    )


@command(KEEP)
def tend(**shared: Unpack[Scoped]) -> None:
    """Maintenance: expire and forget what is due, finish vectors and erases that were cut short.

    Example: engram tend --user ana
    """
    with opened(shared) as memory, progress(shared, "tending") as tick:
        done = memory.tend(progress=tick, **ids(shared))
    rows = [(method, str(count)) for method, count in done["changed"].items()]
    shown = table("what", "memories", rows=rows) if rows else plain("Nothing was due.")
    tell(shared, done, shown, *(f"commit {commit['id']}" for commit in done["commits"]))


@command(KEEP)
def check(
    repair: Annotated[
        bool, typer.Option("--repair", help="Rebuild what follows from the log.")
    ] = False,
    **shared: Unpack[Opening],
) -> None:
    """Verify a store against its log. The exit code is 1 when something is wrong.

    Example: engram check --repair --path copy.db
    """
    with opened(shared) as memory, progress(shared, "checking") as tick:
        health = memory.check(repair=repair, progress=tick)
    counted = [(name, health[name]) for name in ("records", "versions", "commits", "content_hash")]
    findings = [problem.partition(": ")[::2] for problem in health["problems"]]
    verdict = plain("sound", "green") if health["ok"] else plain("damaged", "bold red")
    if health["repaired"]:
        verdict.append(", what follows from the log was rebuilt")
    shown = [table("where", "problem", rows=findings, wide="problem")] if findings else []
    tell(shared, health, facts([("store", verdict), *counted]), *shown)
    if not health["ok"]:
        raise typer.Exit(1)


@command(KEEP)
def stats(**shared: Unpack[Scoped]) -> None:
    """Counts, sizes, embedder and content hash.

    Example: engram stats --json
    """
    with opened(shared) as memory:
        found = memory.stats(**ids(shared))
    tell(shared, found, facts(found.items()))
