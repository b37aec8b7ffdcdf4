"""The runner: who is scored, who is refused, and what a report says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from engram.errors import InvalidInput
from engram.evals.roles import Episode, Found, Probe, Session, Stored, Turn
from engram.evals.run import run
from engram.evals.summary import summarise
from engram.evals.tasks.planted import Planted


@dataclass
class Given:
    """A subject that brings back what a table says, in the table's order."""

    table: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    name: str = "given"
    embedder: str = "none"
    ranked: bool = True
    heard: list[Session] = field(default_factory=list)

    def observe(self, session: Session) -> None:
        self.heard.append(session)

    def settle(self) -> None:
        self.heard.sort(key=lambda session: session.at or 0.0)

    def stored(self) -> Stored:
        return Stored(items=len(self.heard), bytes=1)

    def retrieve(self, question: str, k: int, at: float | None) -> Found:
        found = self.table.get(question, ())[:k]
        return Found(found, (10,) * len(found), confidence=0.5, abstain=not found)

    def close(self) -> None:
        self.heard.clear()


@dataclass(frozen=True)
class Small:
    """Two sessions of two turns, three questions."""

    name: str = "small"

    def episodes(self) -> Iterator[Episode]:
        one = Session("S1", (Turn("1", "tea"), Turn("2", "milk")), 0.0)
        two = Session("S2", (Turn("3", "rain"), Turn("4", "sun")), 60.0)
        questions = (
            Probe("a", "drinks?", "tea and milk", "many", ("1", "2"), ("S1",)),
            Probe("b", "weather?", "sun", "one", ("4",), ("S2",)),
            Probe("c", "colour?", "", "none", answerable=False),
        )
        yield Episode("only", (one, two), questions, ("repaired nothing",))


def evidence_of(task: Planted) -> dict[str, tuple[str, ...]]:
    """What a cheat would know."""
    return {p.question: p.evidence for episode in task.episodes() for p in episode.questions}


@pytest.mark.parametrize("twin", ["locomo", "longmemeval"])
def test_a_cheat_that_sees_the_evidence_finds_all_and_an_empty_one_nothing(twin: str) -> None:
    """The two ends of the scale, on every category of the twin."""
    task = Planted(twin_of=twin, count=1)  # type: ignore[arg-type]
    table = evidence_of(task)
    report = run(task, [lambda: Given(table), Given], ks=(10,))
    cheat, empty = (summarise(trial, report.ks, seed=0) for trial in report.trials)

    assert cheat.depths[0].recall == cheat.depths[0].all == cheat.mrr == 1.0
    assert cheat.depths[0].sessions == 1.0
    assert all(recalls == (1.0,) for _, recalls in cheat.categories.values())
    assert empty.depths[0].recall == empty.depths[0].sessions == empty.mrr == 0.0


def test_recall_is_the_mean_over_questions_that_can_be_scored() -> None:
    """One of two turns found, then one of one; the unanswerable question counts nowhere."""
    report = run(Small(), [lambda: Given({"drinks?": ("3", "1"), "weather?": ("4",)})], ks=(1, 2))
    summary = summarise(report.trials[0], report.ks, seed=0)
    first, second = summary.depths

    assert summary.scored == summary.sessions_scored == 2
    assert (first.recall, second.recall) == (0.5, 0.75)
    assert (second.any, second.all) == (1.0, 0.5)
    assert second.sessions == 1.0
    assert second.tokens == 15.0
    assert summary.mrr == (0.5 + 1.0) / 2
    assert dict(summary.categories) == {"many": (1, (0.0, 0.5)), "one": (1, (1.0, 1.0))}
    assert summary.abstention is not None
    assert (summary.abstention.refused, summary.abstention.wrongly) == (1.0, 0.0)
    assert summary.abstention.auroc == 0.5


def test_a_subject_that_does_not_rank_is_scored_as_a_whole() -> None:
    """Everything is placed in context, so k does not cut it and rank means nothing."""
    whole = {"drinks?": ("1", "2", "3", "4"), "weather?": ("1", "2", "3", "4")}

    @dataclass
    class Whole(Given):
        ranked: bool = False

        def retrieve(self, question: str, k: int, at: float | None) -> Found:
            return Found(whole.get(question, ()), (10,) * len(whole.get(question, ())))

    report = run(Small(), [Whole], ks=(1,))
    summary = summarise(report.trials[0], report.ks, seed=0)

    assert summary.depths[0].recall == 1.0
    assert summary.depths[0].tokens == 40.0
    assert summary.mrr != summary.mrr  # NaN


def test_only_so_many_questions_are_asked_as_the_limit_allows() -> None:
    """Episodes that are not needed are not read either."""
    report = run(Planted(count=3), [Given], ks=(1,), limit=5)

    assert (report.questions, report.episodes) == (5, 1)
    assert len(report.trials[0].outcomes) == 5


def test_progress_is_told_after_every_episode_of_every_subject() -> None:
    """Done, in all, and what."""
    told: list[tuple[int, int, str]] = []
    run(Small(), [Given, Given], ks=(1,), progress=lambda *step: told.append(step))

    assert told == [(1, 2, "given only"), (2, 2, "given only")]


@pytest.mark.parametrize("found", [("1", "1"), ("nobody said this",)])
def test_a_ranking_with_repeats_or_inventions_is_refused(found: tuple[str, ...]) -> None:
    """Either would find more than there is."""
    with pytest.raises(InvalidInput, match="turns that it was shown, each once"):
        run(Small(), [lambda: Given({"drinks?": found})], ks=(5,))


@pytest.mark.parametrize(("ks", "limit"), [((), None), ((0,), None), ((1,), 0)])
def test_depths_and_limits_below_one_are_refused(ks: tuple[int, ...], limit: int | None) -> None:
    """Nothing could be found there."""
    with pytest.raises(InvalidInput, match="at least 1"):
        run(Small(), [Given], ks=ks, limit=limit)


def test_a_task_without_questions_is_refused() -> None:
    """A report of nothing would read like a zero."""

    @dataclass(frozen=True)
    class Silent:
        name: str = "silent"

        def episodes(self) -> Iterator[Episode]:
            yield Episode("empty", (), ())

    with pytest.raises(InvalidInput, match="must ask something"):
        run(Silent(), [Given], ks=(1,))
