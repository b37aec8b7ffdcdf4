"""engram as a subject: what it is shown, and how its results are read back."""

from collections.abc import Iterator

import pytest

from engram.evals.roles import Session, Turn
from engram.evals.run import run
from engram.evals.subjects.memory import Engram
from engram.evals.subjects.recent import LastTurns
from engram.evals.summary import summarise
from engram.evals.tasks.planted import Planted

MAY = 1_715_000_000.0  # 6 May 2024


@pytest.fixture
def subject() -> Iterator[Engram]:
    """A memory without an embedder that heard two sessions."""
    made = Engram(embedder="none")
    first = (
        Turn("D1:1", "I planted a walnut tree behind the barn.", "user", "Ana", MAY),
        Turn("D1:2", "Mine died in the frost.", "assistant", "Ben", MAY + 1),
    )
    later = MAY + 30 * 86_400
    second = (Turn("D2:1", "The accordion is back from repair.", "user", "Ana", later),)
    made.observe(Session("D1", first, MAY))
    made.observe(Session("D2", second, later))
    made.settle()
    yield made
    made.close()


def test_results_are_read_back_as_the_turns_that_they_rest_on(subject: Engram) -> None:
    """Each once, best first, with what it costs, and never more than k."""
    found = subject.retrieve("Where is the walnut tree?", 2, MAY + 60 * 86_400)

    assert found.turns[0] == "D1:1"
    assert len(found.turns) == len(found.costs) == len(set(found.turns)) <= 2
    assert found.costs[0] >= 10
    assert found.confidence is not None
    assert 0.0 <= found.confidence <= 1.0
    assert found.abstain is not None


def test_what_is_held_is_counted(subject: Engram) -> None:
    """At least the three turns, in a file of some size; no embedder."""
    stored = subject.stored()

    assert stored.items >= 3
    assert stored.bytes > 4096
    assert subject.embedder == "none"
    assert subject.name == "engram hybrid"


@pytest.mark.parametrize("twin", ["locomo", "longmemeval"])
def test_engram_finds_far_more_than_the_last_turns(twin: str) -> None:
    """A claim that must hold in every version, without an embedder."""
    task = Planted(twin, count=1, sessions=6, chatter=4)  # type: ignore[arg-type]
    report = run(task, [lambda: Engram(embedder="none"), LastTurns], ks=(10,))
    ours, last = (summarise(trial, report.ks, seed=0) for trial in report.trials)

    assert ours.depths[0].recall > 0.5
    assert ours.depths[0].recall > 3 * last.depths[0].recall
