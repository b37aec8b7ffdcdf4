"""Marks: what a reader who follows rules gets right with what was brought back."""

import math
from dataclasses import replace

import pytest

from engram.evals.marking import held, marked
from engram.evals.roles import Found, Probe, Turn
from engram.evals.run import run
from engram.evals.subjects.bm25 import Bm25
from engram.evals.subjects.recent import FullContext, LastTurns
from engram.evals.summary import summarise
from engram.evals.tasks.linked import Linked
from engram.evals.tasks.planted import Planted


def probe(answer: str) -> Probe:
    """A question with this answer."""
    return Probe("q", "?", answer, "any")


def test_an_answer_is_held_where_its_words_stand_together_in_one_turn() -> None:
    """Without case and marks; not across turns, and not as a part of another word."""
    turns = [Turn("1", "They met in New York, in May."), Turn("2", "York is new to her.")]

    assert held(probe("new york"), turns) == 1.0
    assert held(probe("New York!"), turns[1:]) == 0.0
    assert held(probe("May York"), turns) == 0.0
    assert held(probe("ne"), turns) == 0.0
    assert held(probe("May"), []) == 0.0


@pytest.mark.parametrize("answer", ["", " ", "...", "yes", "No", "the"])
def test_what_stands_in_any_text_is_not_marked(answer: str) -> None:
    """Finding it would prove nothing."""
    assert held(probe(answer), [Turn("1", "Yes and no.")]) is None


def test_marks_are_taken_at_every_depth_of_the_report() -> None:
    """They never fall with depth here, and a subject that does not rank has the same at each."""
    task = Linked(count=20)
    report = marked(run(task, [Bm25, LastTurns, FullContext], ks=(1, 3, 10)), task, held)
    words, last, everything = (summarise(trial, report.ks, seed=0) for trial in report.trials)

    assert all(len(o.marks) == 3 for trial in report.trials for o in trial.outcomes)
    assert [depth.right for depth in everything.depths] == [1.0, 1.0, 1.0]
    rights = [depth.right for depth in last.depths]
    assert rights == sorted(rights)
    assert rights[-1] < 0.5
    assert words.rights["2 passages"][0] == 20
    deepest = everything.depths[-1]
    assert deepest.right_low == deepest.right_high == 1.0


def test_questions_without_an_answer_and_those_rules_cannot_judge_have_no_marks() -> None:
    """Their share is then unknown, not 0."""
    task = Planted(count=1, sessions=4, chatter=2)
    plain = run(task, [Bm25], ks=(1,))

    report = marked(plain, task, lambda *_: None)
    strict = marked(plain, task, lambda *_: 1.0)

    assert report == plain
    assert math.isnan(summarise(report.trials[0], report.ks, seed=0).depths[0].right)
    for outcome in strict.trials[0].outcomes:
        assert outcome.marks == ((1.0,) if outcome.probe.answerable else ())
    assert replace(strict.trials[0].outcomes[0], marks=()) == plain.trials[0].outcomes[0]


class Clips(LastTurns):
    """Shows no more than the first words of what it brings back."""

    def retrieve(self, question: str, k: int, at: float | None) -> Found:
        """As the last turns, but clipped."""
        found = super().retrieve(question, k, at)
        return replace(found, texts=tuple("Once upon" for _ in found.turns))


def test_of_a_turn_that_is_shown_in_part_only_that_part_is_read() -> None:
    """Who points at the evidence and shows a scrap of it has not answered."""
    task = Linked(count=3)
    report = marked(run(task, [LastTurns, Clips], ks=(6,)), task, held)
    whole, clipped = (summarise(trial, report.ks, seed=0).depths[0] for trial in report.trials)

    assert (whole.recall, whole.right) == (1.0, 1.0)
    assert (clipped.recall, clipped.right) == (1.0, 0.0)
