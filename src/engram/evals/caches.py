"""Caches side by side: which prompts they are given, who is on the front, tables and a picture."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from engram.adapters.kv_eval import FULL, Figures
from engram.errors import InvalidInput
from engram.evals.prompts import Prompt
from engram.evals.report import markdown_table
from engram.evals.tasks.passkey import Passkey
from engram.evals.tasks.recall import Recall
from engram.evals.tasks.ruler import KINDS, Ruler
from engram.extras import require

GROUPS = tuple(dict.fromkeys(kind.group for kind in KINDS.values()))
"""The groups of RULER's tasks."""

SMALL = ("recall", "passkey")
"""Tasks that a model which was trained for minutes can do."""

ALL = "all"
"""Stands for the mean over tasks."""

_PAIRS, _QUESTIONS = 32, 4  # of a context of recall


def names(given: Sequence[str]) -> tuple[str, ...]:
    """Tasks by name; a group stands for its tasks, ``ruler`` for all of RULER.

    Raises:
        InvalidInput: there is no such task.
    """
    found: list[str] = []
    for name in given:
        of_group = [task for task, kind in KINDS.items() if name in (kind.group, "ruler")]
        if not of_group and name not in KINDS and name not in SMALL:
            raise InvalidInput(
                f"tasks are {', '.join((*SMALL, *GROUPS, *KINDS))}, ruler for all of RULER; got "
                f"{name!r}"
            )
        found += of_group or [name]
    return tuple(dict.fromkeys(found))


def prompts(tasks: Sequence[str], made: Ruler) -> Iterator[Prompt]:
    """The rows of some tasks.

    Args:
        tasks: as ``names`` gives them.
        made: length, count, seed and whether the question is known, for every task.

    Raises:
        InvalidInput: the length has no room for a task.
    """
    alike: dict[str, Any] = {
        "length": made.length,
        "query_aware": made.query_aware,
        "seed": made.seed,
    }
    for task in tasks:
        if task == "passkey":
            yield from Passkey(count=made.count, **alike).prompts()
        elif task == "recall":
            pairs = max(_QUESTIONS, min(_PAIRS, made.length // 8))
            yield from Recall(pairs=pairs, count=made.count, **alike).prompts()
        else:
            yield from replace(made, tasks=(task,)).prompts()


@dataclass(frozen=True, slots=True)
class Line:
    """One preset at one ratio, in the mean over tasks; ``best`` where it is on the front.

    ``figures`` has ``ALL`` as its task.
    """

    figures: Figures
    best: bool


def lines(found: Sequence[Figures]) -> list[Line]:
    """The mean over tasks of each entry, in their order.

    On the front is what nothing beats: nothing that is held in no more bytes scores higher, and
    nothing that scores as high is held in fewer.
    """
    keys = dict.fromkeys((each.preset, each.ratio) for each in found)
    some = [[each for each in found if (each.preset, each.ratio) == key] for key in keys]
    (full,) = (_means(each) for each in some if each[0].preset == FULL)
    means = [_mean(each, full) for each in some]
    return [Line(each, not any(_beats(other, each) for other in means)) for each in means]


def _means(some: Sequence[Figures]) -> list[float]:
    """Score, bytes and times; what could not be measured for a task is left out."""
    return [
        _known(getattr(each, name) for each in some)
        for name in ("score", "resident", "first", "token")
    ]


def _mean(some: Sequence[Figures], full: Sequence[float]) -> Figures:
    own = _means(some)
    shares = [one / whole if whole else math.nan for one, whole in zip(own, full, strict=True)]
    rows = sum(each.rows for each in some)
    return Figures(some[0].preset, some[0].ratio, ALL, rows, *own, *shares)


def _known(values: Iterator[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return fmean(known) if known else math.nan


def _beats(one: Figures, other: Figures) -> bool:
    """Whether one is nowhere worse and somewhere better."""
    as_good = one.score >= other.score and one.resident <= other.resident
    return as_good and (one.score > other.score or one.resident < other.resident)


def document(found: Sequence[Figures]) -> dict[str, Any]:
    """Every figure, and the mean over tasks with the front, as plain data."""
    return {
        "entries": [{**asdict(line.figures), "front": line.best} for line in lines(found)],
        "tasks": [asdict(each) for each in found],
    }


def cells(figures: Figures) -> list[str]:
    """Share removed, score, bytes, time to the first token and of a token; each with % of full."""
    return [
        f"{100 * figures.ratio:.0f}%",
        beside(f"{figures.score:.2f}", figures.score_of_full),
        beside(size(figures.resident), figures.resident_of_full),
        beside(f"{1000 * figures.first:,.0f}", figures.first_of_full),
        beside(f"{1000 * figures.token:.1f}", figures.token_of_full),
    ]


def beside(value: str, share: float) -> str:
    """A figure and how it stands to that of full; a dash where it was not measured."""
    if value == "nan":
        return "–"
    return f"{value} {100 * share:.0f}%" if math.isfinite(share) else value


def size(held: float) -> str:
    """Bytes in MB, in three digits."""
    return f"{held / 1e6:.3g}" if held < 1e9 else f"{held / 1e6:,.0f}"


def to_markdown(found: Sequence[Figures]) -> str:
    """A table of the means, and one of every task."""
    heads = ["preset", "removed", "score, of full", "MB, of full", "first token ms, of full"]
    heads += ["token ms, of full"]
    means = [
        [line.figures.preset, *cells(line.figures), "front" if line.best else ""]
        for line in lines(found)
    ]
    each = [[one.task, one.preset, *cells(one)] for one in found]
    return (
        "\n\n".join(
            (
                markdown_table([*heads, ""], means),
                markdown_table(["task", *heads], each),
            )
        )
        + "\n"
    )


def plot(found: Sequence[Figures], target: Path) -> None:
    """Draw score against bytes, a line a preset, and the front.

    Args:
        found: of ``compare``.
        target: file to write; the suffix chooses the format.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    pyplot = require("matplotlib.figure", extra="plot", purpose="drawing a comparison")
    figure = pyplot.Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    told = lines(found)
    by_preset: dict[str, list[Figures]] = {}
    for line in told:
        by_preset.setdefault(line.figures.preset, []).append(line.figures)
    for at, (preset, some) in enumerate(by_preset.items()):
        mark = {"marker": _MARKS[at % len(_MARKS)], "label": preset}
        axes.plot(*_points(some), **_FULL if preset == FULL else mark)
    front = [line.figures for line in told if line.best]
    axes.plot(*_points(front), color="black", linewidth=5, alpha=0.15, label="front", zorder=0)
    axes.set(xlabel="bytes of the cache, % of full", ylabel="score", ylim=(-0.02, 1.02))
    axes.set_xlim(left=0)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8)
    figure.savefig(target)


_MARKS = "osD^v<>P*Xh"
_FULL: Mapping[str, Any] = {"marker": "*", "markersize": 14, "color": "black", "label": FULL}


def _points(some: Sequence[Figures]) -> tuple[list[float], list[float]]:
    """Bytes and scores, by bytes."""
    pairs = sorted((100 * each.resident_of_full, each.score) for each in some)
    return [x for x, _ in pairs], [y for _, y in pairs]
