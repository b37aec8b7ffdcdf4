"""What can be run by name, and the one call that runs it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TypedDict, Unpack

from engram.adapters.embedders import embedder as embedder_of
from engram.errors import EngramError, InvalidInput, UnknownMethod
from engram.evals.deducing import exactly
from engram.evals.marking import held, marked
from engram.evals.roles import Episode, Grade, Progress, Subject, SubjectMaker, Task
from engram.evals.run import KS, Report, run
from engram.evals.subjects.bm25 import Bm25
from engram.evals.subjects.memory import Engram
from engram.evals.subjects.recent import FullContext, LastTurns
from engram.evals.subjects.vectors import PlainVectors
from engram.evals.tasks.babi import Babi
from engram.evals.tasks.beam import Beam
from engram.evals.tasks.booksort import BookSort, MadeBooks, in_order
from engram.evals.tasks.lihua import LiHua
from engram.evals.tasks.linked import Linked
from engram.evals.tasks.locomo import Locomo
from engram.evals.tasks.longmemeval import LongMemEval
from engram.evals.tasks.madial import Madial
from engram.evals.tasks.memdaily import MemDaily
from engram.evals.tasks.memorybank import MemoryBank
from engram.evals.tasks.mined import Mined
from engram.evals.tasks.msc import MadeChats, Msc
from engram.evals.tasks.multihop import MultiHop
from engram.evals.tasks.planted import Planted, Twin
from engram.evals.tasks.stories import Stories
from engram.ports import Embedder


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark.

    Attributes:
        read: reads its data.
        twin: makes the synthetic twin that stands in without data, from a seed.
        grade: marks answers by rules, where the data allows that.
    """

    read: Callable[[Path], Task]
    twin: Callable[[int], Task] | None = None
    grade: Grade | None = None


def _planted(twin_of: Twin, *, assistant_turns: bool = True) -> Callable[[int], Task]:
    return lambda seed: Planted(twin_of, seed=seed, assistant_turns=assistant_turns)


_USER_ONLY = partial(Beam, assistant_turns=False, name="beam-user")

BENCHMARKS: Mapping[str, Benchmark] = {
    "babi": Benchmark(Babi, Stories, exactly),
    "beam": Benchmark(Beam, _planted("beam")),
    "beam-user": Benchmark(_USER_ONLY, _planted("beam", assistant_turns=False)),
    "lihua": Benchmark(LiHua, _planted("lihua")),
    "locomo": Benchmark(Locomo, _planted("locomo")),
    "longmemeval": Benchmark(LongMemEval, _planted("longmemeval")),
    "madial": Benchmark(Madial),
    "memdaily": Benchmark(MemDaily),
    "memorybank-probes": Benchmark(MemoryBank, _planted("memorybank-probes")),
    "mined": Benchmark(Mined),
    "msc": Benchmark(Msc, MadeChats),
    "multihop": Benchmark(MultiHop, Linked, held),
    "sort": Benchmark(BookSort, MadeBooks, in_order),
}

BASELINES: Mapping[str, Callable[[], Subject]] = {
    "bm25": Bm25,
    "last-n": LastTurns,
    "full-context": FullContext,
}
"""In every report, named or not: a figure without them says nothing. So is ``vectors``, which
needs the embedder."""


class Options(TypedDict, total=False):
    """How ``evaluate`` runs.

    ``top_k`` turns are asked for (10), and recall is reported there and at the usual depths below.
    ``limit`` asks only the first so many questions. ``embedder`` is engram's and that of
    ``vectors``, as for ``Memory.open``; ``none`` is words only. ``model`` (``none``) is engram's,
    for presets that ask one. ``seed`` (0) is of the twin and of
    the confidence intervals. ``progress`` is told after every episode of every subject.
    """

    top_k: int
    limit: int | None
    embedder: str | None
    model: str | None
    seed: int
    progress: Progress | None


def evaluate(
    benchmark: str,
    data: Path | None = None,
    subjects: Sequence[str] = ("engram",),
    **options: Unpack[Options],
) -> Report:
    """Run subjects and baselines over a benchmark.

    Args:
        benchmark: a name of ``BENCHMARKS``.
        data: its file or folder; None runs the synthetic twin, where there is one.
        subjects: ``engram``, ``engram:PRESET``, ``vectors`` or a baseline. The baselines run
            in any case.
        options: see ``Options``.

    Raises:
        UnknownMethod: no benchmark or subject has that name.
        InvalidInput: data is needed or unreadable, a number is out of range, or ``vectors`` is
            asked for without an embedder.
    """
    top_k, seed = options.get("top_k", 10), options.get("seed", 0)
    if top_k < 1:
        raise InvalidInput(f"top_k must be at least 1 turn, got {top_k!r}")
    task = _task(benchmark, data, seed)
    report = run(
        task,
        _makers(subjects, options.get("embedder"), options.get("model")),
        sorted({k for k in KS if k < top_k} | {top_k}),
        limit=options.get("limit"),
        seed=seed,
        progress=options.get("progress"),
    )
    grade = BENCHMARKS[benchmark].grade
    return report if grade is None else marked(report, task, grade)


@dataclass(frozen=True, slots=True)
class _Published:
    """A task out of a file that somebody else wrote: other fields are the file's fault."""

    benchmark: str
    data: Path
    task: Task

    @property
    def name(self) -> str:
        return self.task.name

    def episodes(self) -> Iterator[Episode]:
        try:
            yield from self.task.episodes()
        except EngramError:
            raise
        except (LookupError, TypeError, AttributeError, ValueError) as fault:
            raise InvalidInput(
                f"data must be as {self.benchmark} was published, got {str(self.data)!r} "
                f"({fault!r}); see docs/evaluations.md for its form"
            ) from fault


def _task(benchmark: str, data: Path | None, seed: int) -> Task:
    row = BENCHMARKS.get(benchmark)
    if row is None:
        raise _unknown("benchmark", benchmark, list(BENCHMARKS))
    if data is not None:
        return _Published(benchmark, data, row.read(data))
    if row.twin is None:
        twins = sorted(name for name, other in BENCHMARKS.items() if other.twin)
        raise InvalidInput(
            f"{benchmark!r} must be given its data, got none; a synthetic twin have only: "
            f"{', '.join(twins)}"
        )
    return row.twin(seed)


def _makers(
    subjects: Sequence[str], embedder: str | None, advised: str | None
) -> list[SubjectMaker]:
    """Subjects in the order given, then the baselines; the model is loaded once."""
    model = embedder_of(embedder)
    if model is None and "vectors" in subjects:
        raise InvalidInput("the subject 'vectors' must have an embedder, got 'none'; name one")
    baselines = [*BASELINES] if model is None else ["vectors", *BASELINES]
    return [_maker(name, model, advised) for name in dict.fromkeys([*subjects, *baselines])]


def _maker(name: str, model: Embedder | None, advised: str | None) -> SubjectMaker:
    if name in BASELINES:
        return BASELINES[name]
    if name == "vectors" and model is not None:
        return partial(PlainVectors, model)
    kind, _, preset = name.partition(":")
    if kind == "engram":
        encoder = "none" if model is None else model
        return partial(Engram, preset or "hybrid", encoder, advised or "none")
    raise _unknown("subject", name, ["engram", "engram:PRESET", "vectors", *BASELINES])


def _unknown(what: str, name: str, known: Sequence[str]) -> UnknownMethod:
    near = get_close_matches(name, known, n=1)
    hint = f"nearest: {near[0]}" if near else f"there are: {', '.join(known)}"
    return UnknownMethod(f"no {what} is called {name!r}; {hint}")
