"""Run subjects over a task: who found what, at what cost."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from time import perf_counter

from engram.errors import InvalidInput
from engram.evals.metrics import sessions_of
from engram.evals.roles import Episode, Found, Probe, Progress, Subject, SubjectMaker, Task

KS = (1, 3, 5, 10, 20, 50)
"""The depths that recall is usually reported at."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one subject brought back for one question.

    ``turns`` and ``sessions`` are ids, best first; ``homes`` are the sessions of the turns, one for
    each, and ``costs`` their tokens;
    ``seconds`` is the time of the call. ``marks`` say how right a reader is with the first turns,
    one for each depth of the report; empty where nobody marks. For the rest see ``Found``.
    """

    probe: Probe
    turns: tuple[str, ...]
    sessions: tuple[str, ...]
    homes: tuple[str, ...]
    costs: tuple[int, ...]
    seconds: float
    confidence: float | None
    abstain: bool | None
    texts: tuple[str, ...] = ()
    marks: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """One subject over the whole task. ``ingest`` is in seconds, ``bytes`` of all its stores.

    ``calls`` to a language model were made by then.
    """

    subject: str
    embedder: str
    ranked: bool
    outcomes: tuple[Outcome, ...]
    ingest: float
    items: int
    bytes: int
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """Every trial of one task. ``depth`` is how many turns were asked for: the largest k."""

    task: str
    ks: tuple[int, ...]
    seed: int
    episodes: int
    sessions: int
    turns: int
    questions: int
    notes: tuple[str, ...]
    trials: tuple[Trial, ...]

    @property
    def depth(self) -> int:
        """How many turns every ranking subject was asked for."""
        return max(self.ks)


def run(
    task: Task,
    subjects: Sequence[SubjectMaker],
    ks: Sequence[int] = KS,
    *,
    limit: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Report:
    """Put every subject through every episode.

    Args:
        task: the benchmark.
        subjects: makers of empty subjects, called once an episode.
        ks: depths of recall, each at least 1.
        limit: ask only the first so many questions; None asks all.
        seed: of the confidence intervals; the task has its own.
        progress: told after every episode of every subject.

    Raises:
        InvalidInput: no k, a k below 1, a limit below 1, no episode, or a subject that returns
            turns it was not shown.
    """
    if not ks or min(ks) < 1:
        raise InvalidInput(f"ks must be numbers of at least 1, got {tuple(ks)!r}; try {KS}")
    episodes = _first(task, limit)
    steps = _Steps(len(episodes) * len(subjects), progress)
    trials = tuple(_trial(maker, episodes, max(ks), steps) for maker in subjects)
    return Report(
        task=task.name,
        ks=tuple(sorted(set(ks))),
        seed=seed,
        episodes=len(episodes),
        sessions=sum(len(episode.conversation) for episode in episodes),
        turns=sum(len(s.turns) for episode in episodes for s in episode.conversation),
        questions=sum(len(episode.questions) for episode in episodes),
        notes=tuple(f"{episode.id} {note}" for episode in episodes for note in episode.notes),
        trials=trials,
    )


class _Steps:
    """Counts episodes done and tells who listens."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def step(self, what: str) -> None:
        self._done += 1
        if self._progress:
            self._progress(self._done, self._total, what)


def _first(task: Task, limit: int | None) -> list[Episode]:
    """Take episodes until there are enough questions, and cut the last one's."""
    if limit is not None and limit < 1:
        raise InvalidInput(f"limit must be at least 1 question, got {limit!r}; None asks all")
    taken: list[Episode] = []
    asked = 0
    for episode in task.episodes():
        room = len(episode.questions) if limit is None else limit - asked
        if limit is not None and room <= 0:
            break
        kept = episode.questions[:room]
        asked += len(kept)
        taken.append(Episode(episode.id, episode.conversation, kept, episode.notes))
    if not asked:
        raise InvalidInput(f"a task must ask something, {task.name!r} has no question in its data")
    return taken


def _trial(maker: SubjectMaker, episodes: Sequence[Episode], k: int, steps: _Steps) -> Trial:
    outcomes: list[Outcome] = []
    ingest, items, size, calls = 0.0, 0, 0, 0
    name, embedder, ranked = "", "", True
    for episode in episodes:
        with closing(maker()) as subject:
            name, embedder, ranked = subject.name, subject.embedder, subject.ranked
            began = perf_counter()
            for session in episode.conversation:
                subject.observe(session)
            subject.settle()
            ingest += perf_counter() - began
            stored = subject.stored()
            items, size = items + stored.items, size + stored.bytes
            calls += stored.calls
            outcomes.extend(_ask(subject, episode, k))
        steps.step(f"{name} {episode.id}")
    return Trial(name, embedder, ranked, tuple(outcomes), ingest, items, size, calls)


def _ask(subject: Subject, episode: Episode, k: int) -> list[Outcome]:
    session_of = {t.id: session.id for session in episode.conversation for t in session.turns}
    outcomes = []
    for probe in episode.questions:
        began = perf_counter()
        found = subject.retrieve(probe.question, k, probe.at)
        seconds = perf_counter() - began
        _refuse_strangers(subject, found, session_of)
        outcomes.append(
            Outcome(
                probe=probe,
                turns=found.turns,
                sessions=sessions_of(found.turns, session_of),
                homes=tuple(session_of[turn] for turn in found.turns),
                costs=found.costs,
                seconds=seconds,
                confidence=found.confidence,
                abstain=found.abstain,
                texts=found.texts,
            )
        )
    return outcomes


def _refuse_strangers(subject: Subject, found: Found, known: Mapping[str, str]) -> None:
    """A ranking that repeats or invents ids would count more than it found."""
    unique = len(set(found.turns)) == len(found.turns) == len(found.costs)
    if not unique or not known.keys() >= set(found.turns):
        raise InvalidInput(
            "a subject must return turns that it was shown, each once and with its cost, "
            f"{subject.name!r} returned {found.turns[:5]!r}...; correct its retrieve()"
        )
