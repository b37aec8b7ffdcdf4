"""The commands of caches: kv run, kv compare, kv bench."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import typer

from engram.cli.door import METHODS, app, command
from engram.cli.kv_options import (
    FULL,
    Against,
    Budget,
    Chunk,
    Device,
    Model,
    Most,
    Preset,
    Presets,
    Prompt,
    PromptFile,
    Ratio,
    Ratios,
    Rows,
    Tasks,
    beyond,
    drops,
    entries,
    kept,
    made,
    maker,
    opened,
    shares,
    split,
    text_of,
)
from engram.cli.kv_screen import by_group, compared, heard, runs
from engram.cli.options import note
from engram.cli.output import Output
from engram.cli.progress import progress
from engram.cli.show import plain, tell
from engram.errors import InvalidInput, MissingExtra

if TYPE_CHECKING:
    from engram.adapters.kv_eval import Figures
    from engram.adapters.kv_reading import Reader
    from engram.adapters.kv_run import Ran

_CHUNK = 512  # tokens read at once where nothing is dropped, so that the bar moves

kv = typer.Typer(
    no_args_is_help=True,
    help="What a model holds while it reads and writes: run a cache, compare presets, bench them."
    "\n\nMODEL is a folder with a causal language model of transformers; nothing is downloaded.\n\n"
    "Example: engram kv run MODEL --preset kivi+snapkv --budget 0.25 --prompt-file long.txt",
)
app.add_typer(kv, name="kv", rich_help_panel=METHODS)


@command(METHODS, on=kv)
def run(
    model: Model,
    preset: Preset = FULL,
    budget: Budget = None,
    prompt: Prompt = None,
    prompt_file: PromptFile = None,
    max_new_tokens: Most = 64,
    against: Against = None,
    chunk: Chunk = None,
    device: Device = "cpu",
    **shared: Unpack[Output],
) -> None:
    """Let a model read a prompt through a cache and write on: text, speed, and bytes.

    Example: engram kv run MODEL --preset kivi --prompt "Once upon a time" --against full
    """
    text, keep = text_of(prompt, prompt_file), kept(budget)
    plan = _plan(preset, against, keep)
    reader = opened(model, device)
    ids = reader.encode(text, True)
    over = beyond(reader, len(ids) + max_new_tokens, "prompt and answer have", shared)
    found: dict[str, tuple[Ran, int]] = {}
    caches = {each: maker(each, own, len(ids))(reader.model) for each, own in plan.items()}
    for each, cache in caches.items():
        if len(plan) > 1:
            _head(shared, each)
        size = chunk or (None if drops(each) else _CHUNK)
        found[each] = _ran(reader, cache, ids, max_new_tokens, size, each, shared)
    documents = [
        {"preset": each, "budget": plan[each], **asdict(ran), "pace": ran.pace, "plain": whole}
        for each, (ran, whole) in found.items()
    ]
    about = {"model": model, "window": reader.window, "beyond_window": over, "runs": documents}
    tell(shared, _finite(about), "", runs(found))


@command(METHODS, on=kv)
def compare(
    model: Model,
    presets: Presets = "snapkv,h2o,streaming,kivi",
    ratios: Ratios = "0.25,0.5,0.75,0.9",
    tasks: Tasks = "niah_multikey_1,vt,fwe,qa_1",
    **shared: Unpack[Rows],
) -> None:
    """Presets at several ratios, each beside full: score, bytes, time; a star marks the front.

    A preset that drops nothing has one line. With --out a picture shows score against bytes.

    Example: engram kv compare MODEL --presets snapkv,h2o --ratios 0.5,0.9 --tasks recall
    """
    found, title = _measured(shared, model, split(presets), shares(ratios), tasks)
    tell(shared, _document(found), plain(title, "bold"), compared(found))


@command(METHODS, on=kv)
def bench(
    model: Model,
    presets: Presets = FULL,
    ratio: Ratio = "0.5",
    tasks: Tasks = "ruler",
    **shared: Unpack[Rows],
) -> None:
    """RULER's tasks at any length with an exact scorer, by group, for one preset or several.

    Example: engram kv bench MODEL --presets snapkv,adakv --ratio 0.75 --length 4096
    """
    removed = shares(ratio)
    if len(removed) > 1:
        raise InvalidInput(f"--ratio takes one share, got {ratio!r}; engram kv compare takes more")
    found, title = _measured(shared, model, split(presets), removed, tasks)
    if any(each.ratio for each in found):
        title += f", {removed[0]:.0%} removed"
    tell(shared, _document(found), plain(title, "bold"), *by_group(found))


def _plan(
    preset: str, against: str | None, keep: int | float | None
) -> dict[str, int | float | None]:
    """Presets to run, each with its budget."""
    for each in filter(None, (preset, against)):
        if drops(each) and keep is None:
            raise InvalidInput(
                f"the preset {each!r} drops entries and needs --budget, got none; pass tokens "
                "kept, such as --budget 1024, or a share, such as --budget 0.25"
            )
    plan = {preset: keep}
    if against is not None and against != preset:
        if not drops(preset) and drops(against):
            plan[preset] = None  # the budget is the other's
        plan[against] = keep if drops(against) else None
    return plan


def _ran(
    reader: "Reader",
    cache: Any,
    ids: Sequence[int],
    most: int,
    chunk: int | None,
    preset: str,
    shared: Output,
) -> "tuple[Ran, int]":
    """One run under the eyes of whoever watches, and the bytes of transformers' own cache."""
    from engram.adapters.kv_folder import plain_bytes  # help needs no model
    from engram.adapters.kv_run import run as go

    plain_bytes(reader.model, 1)  # lets libraries set themselves up before anything is timed
    with heard(shared, preset) as ear:
        ran = go(reader, cache, ids, most, chunk=chunk, heard=ear)
    return ran, plain_bytes(reader.model, ran.seen)


def _measured(
    shared: Rows, model: str, presets: list[str], ratios: list[float], tasks: str
) -> "tuple[list[Figures], str]":
    """Every preset on every row under a progress bar, kept where it is wanted; and a title."""
    from engram.adapters.kv_eval import compare as measure  # help needs none of these
    from engram.evals.caches import names, prompts
    from engram.evals.prompts import matched

    wanted = names(split(tasks))
    for preset in presets:
        drops(preset)  # says at once that there is no such preset
    reader = opened(model, shared["device"])
    rows = made(shared, reader)
    chosen = entries(presets, ratios, rows.length)
    for entry in chosen:
        entry.make(reader.model)  # what does not go together is said before anything is measured
    beyond(reader, rows.length, "rows have", shared)
    with progress(shared, "making rows") as tick:
        asked = list(prompts(wanted, rows))
        found = measure(reader, chosen, asked, matched, resident=_resident, progress=tick)
    if shared["out"] is not None:
        _keep(shared["out"], found, shared)
    known = "known" if rows.query_aware else "unknown"
    return found, f"{len(asked)} rows of {rows.length:,} tokens, question {known}"


def _resident(cache: Any) -> int:
    """Bytes in fast memory; what is offloaded does not count."""
    usage = cache.memory_usage()
    return int(getattr(usage, "resident", usage.total))


def _head(shared: Output, preset: str) -> None:
    """The name of a run above its text."""
    if not shared["as_json"]:
        tell(shared, None, plain(preset, "bold"))


def _document(found: "Sequence[Figures]") -> Any:
    from engram.evals.caches import document  # loads every task

    return _finite(document(found))


def _finite(value: Any) -> Any:
    from engram.evals.report import finite  # with numpy

    return finite(value)


def _keep(folder: Path, found: "Sequence[Figures]", shared: Output) -> None:
    """The figures as files."""
    from engram.evals.caches import plot, to_markdown  # loads every task

    texts = {"kv.json": json.dumps(_document(found), indent=1), "kv.md": to_markdown(found)}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    try:
        plot(found, folder / "kv.png")
        drawn = ["kv.png"]
    except MissingExtra as missing:  # the figures are the report, the picture is a help
        note(shared, f"no picture: {missing}")
        drawn = []
    note(shared, f"wrote {', '.join(str(folder / name) for name in [*texts, *drawn])}")
