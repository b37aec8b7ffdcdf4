"""The twin of bAbI: seeded, too long for a small k, and not solved by the last sentences."""

from collections import Counter

import pytest

from engram.errors import InvalidInput
from engram.evals.deducing import exactly
from engram.evals.marking import marked
from engram.evals.run import run
from engram.evals.subjects.recent import FullContext, LastTurns
from engram.evals.summary import summarise
from engram.evals.tasks.stories import Stories


def test_the_same_seed_makes_the_same_stories() -> None:
    """And another seed others; one story is not the next."""
    first = list(Stories(seed=4).episodes())

    assert first == list(Stories(seed=4).episodes())
    assert first != list(Stories(seed=5).episodes())
    assert first[0].conversation != first[1].conversation


@pytest.mark.parametrize("length", [12, 63])
def test_evidence_is_sentences_of_the_story(length: int) -> None:
    """Every id resolves, all kinds occur, ids of questions are their own."""
    episodes = list(Stories(length=length).episodes())
    kinds = Counter(probe.category for each in episodes for probe in each.questions)
    ids = [probe.id for each in episodes for probe in each.questions]

    for episode in episodes:
        known = {turn.id for turn in episode.conversation[0].turns}
        assert len(known) >= length
        assert all(known >= set(probe.evidence) for probe in episode.questions)
    assert len(set(ids)) == len(ids)
    assert {"01 where somebody is", "06 yes or no", "02 where a thing is"} <= kinds.keys()


def test_the_last_sentences_answer_half_and_all_of_them_everything() -> None:
    """So that there is something to remember."""
    task = Stories()
    report = marked(run(task, [LastTurns, FullContext], ks=(10,)), task, exactly)
    last, everything = (summarise(trial, report.ks, seed=0) for trial in report.trials)

    assert 0.3 < last.depths[0].right < 0.7
    assert everything.depths[0].right == 1.0


@pytest.mark.parametrize("wrong", [{"count": 0}, {"length": 11}])
def test_stories_in_which_nothing_happens_are_refused(wrong: dict[str, int]) -> None:
    """The message holds what came."""
    with pytest.raises(InvalidInput, match="at least 12 sentences, got"):
        Stories(**wrong)  # type: ignore[arg-type]
