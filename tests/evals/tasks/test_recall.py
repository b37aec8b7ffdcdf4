"""Recall: rows in which a thing that is asked for was said once, and texts to learn it from."""

import random

import pytest

from engram.errors import InvalidInput
from engram.evals import lexicon
from engram.evals.prompts import Prompt
from engram.evals.tasks.recall import Recall, told


def solved(row: Prompt) -> str:
    """What follows the thing where it was said."""
    key, context = row.question.split()[-1], row.context.split()
    (place,) = (at for at, word in enumerate(context) if word == key)
    return context[place + 1]


@pytest.mark.parametrize(("length", "pairs"), [(8, 1), (72, 33), (512, 32), (134, 64)])
def test_rows_have_exactly_their_length_and_can_be_answered(length: int, pairs: int) -> None:
    """The start, the question and the answer are counted; the thing is said once."""
    made = list(Recall(length, pairs, count=3, questions=1).prompts())

    for row in made:
        assert 1 + lexicon.count(row.text) + row.max_new_tokens == length
        assert (solved(row),) == row.answer


def test_questions_about_one_context_follow_each_other() -> None:
    """Each asks for another thing, so that one filled cache serves them all."""
    made = list(Recall(128, 8, count=2, questions=4).prompts())

    assert len(made) == 8
    assert [row.context for row in made[:4]] == [made[0].context] * 4
    assert made[0].context != made[4].context
    assert len({row.question for row in made[:4]}) == 4


def test_the_question_is_part_of_the_context_when_it_is_to_be_known() -> None:
    """The answer is the same."""
    blind, aware = (Recall(64, 4, count=1, questions=1, query_aware=q) for q in (False, True))

    (row,) = aware.prompts()
    assert row == next(blind.prompts()).aware()


def test_things_are_said_everywhere_in_the_context() -> None:
    """Their distance to the question has no favourite."""
    made = Recall(512, 4, count=40, questions=4).prompts()

    places = sorted(row.context.split().index(row.answer[0]) / 508 for row in made)
    assert places[10] < 0.25
    assert places[-10] > 0.75


@pytest.mark.parametrize("length", [1, 2, 3, 63, 512])
def test_a_text_to_learn_from_marks_its_answers(length: int) -> None:
    """Each was said before, right after the same thing, unless that was asked twice."""
    ids, answers = told(random.Random(3), length, 8)

    assert len(ids) == length
    again = lexicon.number("?")
    for place in answers:
        thing, value = ids[place - 1 : place + 1]
        earlier = {ids[at + 1] for at in range(place - 1) if ids[at] == thing}
        assert earlier - {again} == {value}
    assert length < 63 or answers


@pytest.mark.parametrize(
    "settings",
    [(7, 1, 1, 1), (512, 0, 1, 1), (512, 65, 1, 1), (512, 8, 0, 1), (512, 8, 1, 9), (512, 8, 1, 0)],
)
def test_rows_that_cannot_be_are_refused(settings: tuple[int, int, int, int]) -> None:
    """Too short, too many pairs, nothing to ask."""
    with pytest.raises(InvalidInput, match="must be at least"):
        Recall(*settings)
