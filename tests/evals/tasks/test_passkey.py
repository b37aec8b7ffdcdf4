"""Passkey: five digits at a depth that is chosen, and texts to learn from."""

import random
import re

import pytest

from engram.errors import InvalidInput
from engram.evals import lexicon
from engram.evals.tasks.passkey import Passkey, told


@pytest.mark.parametrize("length", [32, 33, 256, 1000])
def test_rows_have_exactly_their_length_and_can_be_answered(length: int) -> None:
    """The key stands behind the words that the answer begins with."""
    for row in Passkey(length, count=2).prompts():
        assert 1 + lexicon.count(row.text) + row.max_new_tokens == length
        found = re.search(rf"{row.answer_prefix}((?: \d){{5}})", f" {row.context}")
        assert found is not None
        assert (found[1].strip(),) == row.answer


def test_the_key_lies_at_the_depth_that_is_asked_for() -> None:
    """From the very beginning to the very end."""
    first, middle, last = Passkey(500, (0.0, 0.5, 1.0), count=1).prompts()

    places = [row.context.index("the pass") / len(row.context) for row in (first, middle, last)]
    assert places[0] == 0.0
    assert places[1] == pytest.approx(0.5, abs=0.05)
    assert last.context.endswith(f"remember {last.answer[0]} .")


def test_keys_are_drawn_from_many() -> None:
    """Nobody passes by saying the same each time; the digits of a key differ."""
    keys = [row.answer[0] for row in Passkey(40, count=10).prompts()]

    assert len(set(keys)) > 45
    assert {len(set(key.split())) for key in keys} == {5}


def test_a_text_to_learn_from_marks_where_the_key_is_said_again() -> None:
    """Twice after the first time, the last time at the very end."""
    ids, answers = told(random.Random(2), 64)

    key = ids[59:]
    assert len(ids) == 64
    assert [ids[place] for place in answers] == key[1:] + key
    assert answers[4:] == [59, 60, 61, 62, 63]
    assert [ids[at : at + 5] for at in range(answers[0] - 1)].count(key) == 1


def test_the_question_is_part_of_the_context_when_it_is_to_be_known() -> None:
    """The answer is still begun for the model."""
    row = next(Passkey(64, query_aware=True).prompts())

    assert row.question == ""
    assert row.context.endswith("what is it ?")


@pytest.mark.parametrize("settings", [(31,), (64, (0.5, 1.1)), (64, (0.5,), 0)])
def test_rows_that_cannot_be_are_refused(settings: tuple[int, ...]) -> None:
    """Too short, no such depth, no rows."""
    with pytest.raises(InvalidInput, match="must be at least"):
        Passkey(*settings)  # type: ignore[arg-type]
