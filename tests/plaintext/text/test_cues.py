"""What reaches back to something said before, and what does not."""

import pytest

from engram.plaintext.text.cues import reaches_back


@pytest.mark.parametrize(
    ("query", "cue"),
    [
        ("What is my sister's name?", "own"),
        ("Did you tell her about the trip?", "told"),
        ("What colour is it?", "pronoun"),
        ("And the kayak?", "going on"),
        ("What about Thursday?", "going on"),
        ("Who won the race?", ""),
        ("Where was the concert?", "past"),
        ("How old is mother?", "kin"),
        ("Is Eva vegetarian?", "person"),
        ("What was discussed?", "earlier"),
    ],
)
def test_a_query_that_takes_something_as_known_reaches_back(query: str, cue: str) -> None:
    """By the first of the cues in it."""
    assert reaches_back(query) == cue


@pytest.mark.parametrize(
    "query",
    [
        "What is the capital of France?",
        "What is 17 times 23?",
        "Write a haiku about autumn.",
        "Can you tell me a joke?",
        "How do I boil an egg?",
        "",
        "?",
        "カラオケ",
    ],
)
def test_a_query_about_the_world_does_not(query: str) -> None:
    """Politeness is about nobody's past."""
    assert reaches_back(query) == ""


def test_case_and_curly_quotes_change_nothing() -> None:
    """People write on phones."""
    assert reaches_back("WHERE WAS THE CONCERT?") == "past"
    assert reaches_back("I’m looking for the key") == "own"
