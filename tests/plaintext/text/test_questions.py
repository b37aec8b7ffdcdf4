"""Questions that a message answers, and the words of it that do."""

import pytest

from engram.plaintext.roles import Record
from engram.plaintext.text.questions import QUESTIONS, pairs
from engram.plaintext.text.relations import RELATIONS


def of(text: str, speaker: str = "Ana", role: str = "user") -> list[tuple[str, str]]:
    """Question and answer of each pair."""
    fields = {"role": role, "speaker": speaker} if speaker else {"role": role}
    return [(pair.question, pair.answer) for pair in pairs(Record("", text, fields=fields))]


@pytest.mark.parametrize(
    ("text", "question", "answer"),
    [
        ("I live in Bergen now.", "Where does Ana live?", "Bergen"),
        ("I'm 34 years old", "How old is Ana?", "34"),
        ("I have 3 children.", "How many children does Ana have?", "3"),
        ("My favourite colour is teal.", "What is Ana's favourite colour?", "teal"),
        ("My sister works at Equinor.", "Where does Ana's sister work?", "Equinor"),
        ("The capital of Norland is Osk.", "What is the capital of Norland?", "Osk"),
        ("Norland's largest harbour is Osk.", "What is Norland's largest harbour?", "Osk"),
        ("A quokka is a small marsupial.", "What is a quokka?", "a small marsupial"),
        ("Anna Voss is the mayor of Osk.", "Who is Anna Voss?", "the mayor of Osk"),
        ("TCP stands for transmission control.", "What does TCP mean?", "transmission control"),
        ("## Where is the key?\nUnder the mat.", "Where is the key?", "Under the mat."),
    ],
)
def test_what_a_text_states_and_defines_becomes_a_question(
    text: str, question: str, answer: str
) -> None:
    """The question can be understood alone, the answer stands in the text."""
    assert (question, answer) in of(text)


@pytest.mark.parametrize(
    "text",
    ["", "?", "Hello!", "This is a test.", "It is a pity.", "If I lived in Bergen, I would sail."],
)
def test_a_text_that_tells_nothing_answers_nothing(text: str) -> None:
    """Pronouns, suppositions and greetings are left alone."""
    assert of(text) == []


def test_a_speaker_without_a_name_is_the_user() -> None:
    """As facts call them."""
    assert of("I live in Bergen.", speaker="") == [("Where does the user live?", "Bergen")]


def test_an_answer_is_where_its_span_says() -> None:
    """Whatever stands before it."""
    text = "Hi. The capital of Norland is Osk. I live in Osk."

    found = pairs(Record("", text, fields={"role": "user"}))

    assert [text[pair.start : pair.end] for pair in found] == ["Osk", "Osk"]
    assert found[0].start < found[1].start


def test_every_relation_that_is_read_has_a_question() -> None:
    """Else what is stated by it would have no pair."""
    assert {relation.name for relation in RELATIONS} == set(QUESTIONS)
