"""Commands that recall: search, ask, context, get."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Unpack

import typer
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from engram.cli.door import RECALL, command
from engram.cli.options import Looking, MaybeId, ids, look, opened
from engram.cli.show import (
    bar,
    clipped,
    day,
    facts,
    indented,
    matched,
    plain,
    quoted,
    speaker,
    table,
    tell,
    when,
)
from engram.cli.write import either

NOTHING = "Nothing relevant is remembered."

TopK = Annotated[int, typer.Option("--top-k", "-k", metavar="N", help="Most results.")]


@command(RECALL)
def search(
    query: Annotated[list[str], typer.Argument(help="A question or some words.")],
    top_k: TopK = 5,
    threshold: Annotated[float, typer.Option(metavar="SHARE", help="Least score, 0 to 1.")] = 0.0,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what each channel gave to each result.")
    ] = False,
    **shared: Unpack[Looking],
) -> None:
    """Find what bears on a query, best first.

    Example: engram search where does Ana live -k 3 --as-of 2025-06-01
    """
    words = " ".join(query)
    with opened(shared) as memory:
        found = memory.search(
            words, top_k=top_k, threshold=threshold, explain=explain, **look(shared)
        )
    shown: list[RenderableType] = []
    if found["results"]:
        shown.append(_results(found["results"], words))
    doubt = [plain("Unsure: none of this may bear on it." if shown else NOTHING, "dim")]
    why: list[RenderableType] = []
    if explain:
        why += [_reading(found["query"]), *map(_channels, found["results"])]
    tell(shared, found, *shown, *(doubt if found["abstain"] else []), *why)


@command(RECALL)
def ask(
    question: Annotated[list[str], typer.Argument(help="A question.")],
    **shared: Unpack[Looking],
) -> None:
    """Answer a question in the words that were said, with evidence, or say that nothing is known.

    No model writes the answer: it is the best memory, and the words that it rests on.

    Example: engram ask where does Ana live
    """
    words = " ".join(question)
    with opened(shared) as memory:
        found = memory.search(words, top_k=1, **look(shared))
    best = None if found["abstain"] else found["results"][0]
    answer = {
        "answer": best and clipped(best["memory"], words),
        "confidence": found["confidence"],
        "abstain": found["abstain"],
        "evidence": best["sources"] if best else [],
        "id": best and best["id"],
    }
    if best is None:
        tell(shared, answer, NOTHING)
        return
    said = answer["answer"]
    evidence = [indented(quoted(source, words, said=said)) for source in best["sources"]]
    sure = plain(f"confidence {found['confidence']:.2f}", "dim")
    tell(shared, answer, plain(said, "bold"), *evidence, indented(sure))


@command(RECALL)
def context(
    query: Annotated[list[str], typer.Argument(help="What the prompt is about.")],
    tokens: Annotated[int, typer.Option(metavar="N", help="Most tokens.")] = 1000,
    **shared: Unpack[Looking],
) -> None:
    """Recall written for a prompt: dated, quoted as data, within a budget of tokens.

    Example: engram context plans for the summer --tokens 500
    """
    with opened(shared) as memory:
        packed = memory.context(" ".join(query), tokens=tokens, **look(shared))
    tell(shared, packed, packed["text"] or NOTHING)


@command(RECALL)
def get(
    record_id: MaybeId = None,
    every: Annotated[bool, typer.Option("--all", help="List them, oldest first.")] = False,
    limit: Annotated[int, typer.Option(metavar="N", help="With --all: most on a page.")] = 100,
    cursor: Annotated[
        str | None, typer.Option(metavar="NEXT", help="With --all: where the last page ended.")
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(help="With --all: states to list, else active; can be repeated."),
    ] = None,
    **shared: Unpack[Looking],
) -> None:
    """Show one memory whole, or list them all.

    Example: engram get --all --user ana --filter '{"kind": "fact"}'
    """
    either(record_id, every=every)
    if record_id is not None and (shared["as_of"] or shared["known_at"] or shared["filters"]):
        raise typer.BadParameter("--as-of, --known-at and --filter go with --all")
    with opened(shared) as memory:
        if record_id is not None:
            record = memory.get(record_id, **ids(shared))
            tell(shared, record, facts((name, value) for name, value in record.items()))
            return
        page = memory.get_all(
            limit=limit, cursor=cursor, states=state or ["active"], **look(shared)
        )
    more = [plain(f"more: --cursor {page['next']}", "dim")] if page["next"] else []
    tell(shared, page, _listing(page["results"]), *more)


def _results(found: Sequence[Mapping[str, Any]], query: str) -> Table:
    rows = [
        (
            bar(result["score"]),
            when(result),
            clipped(speaker(result), most=12),
            Text("\n").join(
                [matched(clipped(result["memory"], query), query), plain(result["id"], "dim")]
            ),
        )
        for result in found
    ]
    return table("score", "date", "who", "memory", rows=rows, wide="memory")


def _listing(found: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        (
            when(record),
            record["kind"],
            clipped(speaker(record), most=12),
            plain(f"{clipped(record['memory'])}\n").append(record["id"], "dim"),
        )
        for record in found
    ]
    return table("date", "kind", "who", "memory", rows=rows, wide="memory")


def _reading(query: Mapping[str, Any]) -> Table:
    """How the query was understood."""
    periods = [f"{day(start)} to {day(end)}" for start, end in query["periods"]]
    return facts({**query, "periods": periods}.items())


def _channels(result: Mapping[str, Any]) -> Text:
    """What each channel gave to a result, the largest first; those that gave nothing are silent."""
    given = sorted(result["explain"].items(), key=lambda each: -abs(each[1]))
    parts = [f"{name} {value:+.2f}" for name, value in given if value]
    return Text.assemble(bar(result["score"]), "  ", plain("  ".join(parts)))
