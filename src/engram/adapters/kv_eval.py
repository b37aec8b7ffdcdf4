"""What a cache costs and what it keeps: rows of long prompts, run through caches side by side.

The context of a row goes into a fresh cache; the question follows, and the answer is written one
token at a time, always the likeliest. Rows that follow each other with the same context share one
filled cache. Needs torch and transformers, which the model and the caches bring.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from importlib import import_module
from itertools import groupby
from statistics import fmean, median
from time import perf_counter
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

from engram.adapters.kv_reading import Reader, attached, fill, step
from engram.errors import InvalidInput

_FEW = 64  # tokens

FULL = "full"
"""The entry that all others are compared with."""


class Row(Protocol):
    """One prompt, in the shape of kvpress; see ``engram.evals.prompts.Prompt``."""

    @property
    def task(self) -> str:
        """What the tables call its task."""
        ...

    @property
    def context(self) -> str:
        """What the cache is filled with."""
        ...

    @property
    def question(self) -> str:
        """What is asked after it; may be empty."""
        ...

    @property
    def answer_prefix(self) -> str:
        """How the answer begins; may be empty."""
        ...

    @property
    def max_new_tokens(self) -> int:
        """How much may be written."""
        ...


R = TypeVar("R", bound=Row)


@runtime_checkable
class Forkable(Protocol):
    """A cache that knows a cheaper copy than a deep one."""

    def fork(self) -> Any:
        """A cache that goes on alone."""
        ...


CacheMaker: TypeAlias = Callable[[Any], Any]
"""Makes an empty ``transformers.Cache`` for a model."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a comparison.

    Attributes:
        preset: its name; one of them must be ``full``.
        ratio: the share of the entries that it removes, 0 for none.
        make: makes its empty cache.
    """

    preset: str
    ratio: float
    make: CacheMaker


@dataclass(frozen=True, slots=True)
class Figures:
    """One entry on one task. The ``of_full`` figures are relative to ``full`` on the same rows.

    Attributes:
        rows: how many prompts.
        score: mean of the scorer, 0 to 1.
        resident: bytes that the filled cache holds, before the question; mean.
        first: seconds from the empty cache to the first token of the answer; median.
        token: seconds for each further token; median, nan where there is none.
    """

    preset: str
    ratio: float
    task: str
    rows: int
    score: float
    resident: float
    first: float
    token: float
    score_of_full: float
    resident_of_full: float
    first_of_full: float
    token_of_full: float


@dataclass(frozen=True, slots=True)
class _Trial:
    score: float
    resident: int
    first: float
    tokens: tuple[float, ...]


def compare(
    reader: Reader,
    entries: Sequence[Entry],
    rows: Sequence[R],
    score: Callable[[R, str], float],
    *,
    resident: Callable[[Any], int] | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> list[Figures]:
    """Run every entry over every row. Entries take turns at each context, so load hits them alike.

    Args:
        reader: the model, left as it was.
        entries: ``full`` among them.
        rows: those that share a context next to each other.
        score: marks what was written, 0 to 1.
        resident: counts the bytes of a filled cache; ``held_bytes``, if not given.
        progress: told the rows done, all entries together, the rows in all, and the preset.

    Returns:
        Tasks in the order of the rows, and for each the entries in their order.

    Raises:
        InvalidInput: there is no row, or ``full`` is missing or there twice, or an entry is.
    """
    keys = [(entry.preset, entry.ratio) for entry in entries]
    if [preset for preset, _ in keys].count(FULL) != 1 or len(set(keys)) < len(keys):
        raise InvalidInput(f"entries must differ, with one {FULL!r} among them, got {keys!r}")
    if not rows:
        raise InvalidInput("rows must hold at least one prompt, got none")
    _warm(reader, entries, rows[0])
    trials: dict[str, list[list[_Trial]]] = {}
    done = 0
    for (task, context), shared in groupby(rows, lambda row: (row.task, row.context)):
        asked = list(shared)
        for entry, found in zip(
            entries, trials.setdefault(task, [[] for _ in entries]), strict=True
        ):
            found += _run(reader, entry, context, asked, score, resident or held_bytes)
            done += len(asked)
            if progress is not None:
                progress(done, len(rows) * len(entries), entry.preset)
    return [
        figures for task, found in trials.items() for figures in _against_full(task, entries, found)
    ]


def held_bytes(cache: Any) -> int:
    """Bytes of all tensors that a cache holds, however deep; shared storage counts once."""
    torch: Any = import_module("torch")
    storages: dict[int, int] = {}
    seen: set[int] = set()
    waiting = [cache]
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, torch.Tensor):
            storage = value.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
        else:
            waiting += _parts(value)
    return sum(storages.values())


def _parts(value: Any) -> Iterable[Any]:
    """What a value of a cache is made of; models, configurations and functions are not."""
    if isinstance(value, dict):
        return value.values()
    if isinstance(value, list | tuple | set | frozenset):
        return value
    if isinstance(value, str | bytes | type) or callable(value):
        return ()
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    named = [getattr(value, name) for name in slots if hasattr(value, name)]
    return [*named, *getattr(value, "__dict__", {}).values()]


def _warm(reader: Reader, entries: Sequence[Entry], row: Row) -> None:
    """Let libraries set themselves up before anything is timed."""
    torch: Any = import_module("torch")
    (make,) = (entry.make for entry in entries if entry.preset == FULL)
    with torch.inference_mode():
        fill(reader.model, make(reader.model), reader.encode(row.context, True)[:_FEW])


def _run(
    reader: Reader,
    entry: Entry,
    context: str,
    rows: Sequence[R],
    score: Callable[[R, str], float],
    resident: Callable[[Any], int],
) -> Iterator[_Trial]:
    """The rows of one context; each goes on from a copy of the filled cache."""
    torch: Any = import_module("torch")
    with torch.inference_mode():
        filled = entry.make(reader.model)
        with attached(filled, reader.model):
            ids = reader.encode(context, True)
            last, filling = _timed(fill, reader.model, filled, ids)
        held = resident(filled)
        for row in rows:
            cache = filled.fork() if isinstance(filled, Forkable) else deepcopy(filled)
            with attached(cache, reader.model):
                said, asking, tokens = _answer(reader, cache, row, len(ids), last)
            yield _Trial(score(row, reader.decode(said)), held, filling + asking, tuple(tokens))


def _answer(
    reader: Reader, cache: Any, row: Row, read: int, last: int
) -> tuple[list[int], float, list[float]]:
    """The ids written, the seconds to the first beyond the filling, and those to each further."""
    asked = reader.encode(row.question + row.answer_prefix, False)
    asking, tokens = 0.0, []
    if asked:
        last, asking = _timed(step, reader.model, cache, asked, read)
    said = [last]
    while len(said) < row.max_new_tokens and said[-1] not in reader.ends:
        place = read + len(asked) + len(said) - 1
        last, seconds = _timed(step, reader.model, cache, said[-1:], place)
        said.append(last)
        tokens.append(seconds)
    return said, asking, tokens


def _timed(call: Callable[..., int], *arguments: Any) -> tuple[int, float]:
    """The id that a call gives, and its seconds."""
    start = perf_counter()
    return call(*arguments), perf_counter() - start


def _against_full(
    task: str, entries: Sequence[Entry], trials: Sequence[Sequence[_Trial]]
) -> Iterator[Figures]:
    means = [_means(each) for each in trials]
    (full,) = (mean for entry, mean in zip(entries, means, strict=True) if entry.preset == FULL)
    for entry, mean, found in zip(entries, means, trials, strict=True):
        shares = [_share(value, whole) for value, whole in zip(mean, full, strict=True)]
        yield Figures(entry.preset, entry.ratio, task, len(found), *mean, *shares)


def _means(trials: Sequence[_Trial]) -> tuple[float, float, float, float]:
    tokens = [seconds for trial in trials for seconds in trial.tokens]
    return (
        fmean(trial.score for trial in trials),
        fmean(trial.resident for trial in trials),
        median(trial.first for trial in trials),
        median(tokens) if tokens else float("nan"),
    )


def _share(value: float, whole: float) -> float:
    return value / whole if whole else float("nan")
