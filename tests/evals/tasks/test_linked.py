"""The twin of the multi-hop sets: one passage names who, another one says where."""

import pytest

from engram.errors import InvalidInput
from engram.evals.run import run
from engram.evals.subjects.bm25 import Bm25
from engram.evals.summary import summarise
from engram.evals.tasks.linked import Linked


@pytest.mark.parametrize("count", [2, 3, 63])
def test_only_both_passages_together_answer(count: int) -> None:
    """The work names the person, the person's passage holds the answer, and no other one does."""
    (episode,) = Linked(count=count).episodes()
    texts = {turn.id: turn.text for session in episode.conversation for turn in session.turns}

    assert len(texts) == 2 * count
    assert len(episode.questions) == count
    for probe in episode.questions:
        work, person = (texts[turn] for turn in probe.evidence)
        title, name = work.partition("\n")[0], person.partition("\n")[0]
        assert title in probe.question
        assert name not in probe.question
        assert f"by {name}." in work
        assert [text for text in texts.values() if probe.answer in text] == [person]


def test_the_same_seed_makes_the_same_passages() -> None:
    """And another seed others."""
    assert list(Linked(seed=1).episodes()) == list(Linked(seed=1).episodes())
    assert list(Linked(seed=1).episodes()) != list(Linked(seed=2).episodes())


def test_plain_words_find_one_passage_of_two() -> None:
    """The question names the work; the person's passage shares no rare word with it."""
    report = run(Linked(), [Bm25], ks=(1, 10))
    one, ten = summarise(report.trials[0], report.ks, seed=0).depths

    assert one.recall == 0.5
    assert 0.5 <= ten.recall < 0.6


def test_a_world_of_one_work_is_refused() -> None:
    """There would be nothing to mistake it for."""
    with pytest.raises(InvalidInput, match="at least 2 works, got 1"):
        Linked(count=1)
