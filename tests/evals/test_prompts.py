"""Long prompts: the scorer, and the two settings of the question."""

import pytest

from engram.evals.prompts import Prompt, matched

ROW = Prompt("vt", "Seen: 12.", " Which?", " It is", ("12", "old tin"), 8)


@pytest.mark.parametrize(
    ("said", "score"),
    [
        ("12 and old tin", 1.0),
        ("OLD TIN, then", 0.5),
        ("123, olden tin", 0.0),
        ("old and tin", 0.0),
        ("", 0.0),
    ],
)
def test_answers_are_found_as_whole_words(said: str, score: float) -> None:
    """Case and marks do not count; part of a word, or words apart, are no answer."""
    assert matched(ROW, said) == score


def test_one_of_several_answers_is_enough_where_they_mean_the_same() -> None:
    """As the questions of RULER are scored."""
    either = Prompt("qa_1", "", "", "", ("12", "old tin"), 8, any_of=True)

    assert matched(either, "It was old tin.") == 1.0
    assert matched(either, "It was gold.") == 0.0


def test_an_aware_row_has_its_question_in_the_context() -> None:
    """The model reads the same; the cache is filled with more of it."""
    aware = ROW.aware()

    assert aware.context == "Seen: 12. Which?"
    assert aware.question == ""
    assert aware.text == ROW.text == "Seen: 12. Which? It is"
