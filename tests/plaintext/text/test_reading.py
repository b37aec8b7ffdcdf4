"""What a passage answers, read without a model."""

import pytest

from engram.plaintext.text.reading import answers, laid_out, read

SAID = "I live in Bergen, and my cat Momo hates the rain."
SHEET = (
    "# Tides\n\nTides follow the moon. They turn twice a day.\n\nQ: Who wrote this?\nA: Mara Voss"
)


@pytest.mark.parametrize(
    ("question", "passage", "found"),
    [
        ("Where does the user live?", SAID, "Bergen"),
        ("What is the capital of Norland?", "The capital of Norland is Osk.", "Osk"),
        ("What does the cat Momo hate?", SAID, "rain"),
        ("Who wrote this?", SHEET, "Mara Voss"),
        ("What is Tides?", SHEET, "Tides follow the moon."),
        ("Where?", "", ""),
        ("Where is it?", "?!", ""),
    ],
)
def test_the_words_nearest_to_what_was_asked_answer_it(
    question: str, passage: str, found: str
) -> None:
    """What stands below the question itself, else the run of words beside those that it shares."""
    assert read(question, passage) == found


@pytest.mark.parametrize(
    ("question", "answer", "kept"),
    [
        ("Where does the user live?", "Bergen", True),
        ("Where does the user live?", "Oslo", False),
        ("Where does the user live?", "Momo", False),
        ("Does the user live in Bergen?", "Bergen", False),
        ("Where?", "Bergen", False),
        ("Where does the user live?", "", False),
    ],
)
def test_an_answer_that_is_not_read_again_is_none(question: str, answer: str, kept: bool) -> None:
    """It must stand there, beside what was asked, and must not be said by the question."""
    assert answers(question, answer, SAID) is kept


def test_every_name_of_a_list_answers() -> None:
    """A list goes on behind its commas."""
    said = "Ana is allergic to nuts, shrimp and milk."

    kept = [
        each
        for each in ("nuts", "shrimp", "milk", "rain")
        if answers("What is Ana allergic to?", each, said)
    ]

    assert kept == ["nuts", "shrimp", "milk"]


def test_headings_and_lists_of_questions_are_laid_out() -> None:
    """A title asks what it is, a question asks itself; the span is that of the answer."""
    found = [(laid.question, SHEET[laid.start : laid.end], laid.asked) for laid in laid_out(SHEET)]

    assert found == [
        ("What is Tides?", "Tides follow the moon.", False),
        ("Who wrote this?", "Mara Voss", True),
    ]


@pytest.mark.parametrize(
    "text", ["", "#", "# Title", "Q:\nA:", "Q: Why?", "#\n\n#", "plain talk\nhere"]
)
def test_a_text_without_answers_lays_out_nothing(text: str) -> None:
    """A heading or a question with nothing below it asks in vain."""
    assert list(laid_out(text)) == []
