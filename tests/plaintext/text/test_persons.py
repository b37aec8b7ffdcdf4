"""Sentences about somebody, as they are said to them."""

import pytest

from engram.plaintext.text.persons import addressed, starts_with


@pytest.mark.parametrize(
    ("sentence", "head", "said"),
    [
        ("Ana lives in Oslo", "ana", "You live in Oslo"),
        ("Ana studies at Osk College", "ana", "You study at Osk College"),
        ("Ana is 34 years old", "ana", "You are 34 years old"),
        ("Ana was born in Norland", "ana", "You were born in Norland"),
        ("Ana has a cat", "ana", "You have a cat"),
        ("Ana visited Rome", "ana", "You visited Rome"),
        ("Ana's birthday is 3 May", "ana", "Your birthday is 3 May"),
        ("The user likes tea", "user", "You like tea"),
        ("Ben likes tea", "ana", "Ben likes tea"),
        ("Anabel likes tea", "ana", "Anabel likes tea"),
        ("", "ana", ""),
        ("Ana", "ana", "Ana"),
    ],
)
def test_a_sentence_is_turned_to_the_one_it_is_about(sentence: str, head: str, said: str) -> None:
    """The verb follows; a sentence about another stays."""
    assert addressed(sentence, head) == said


def test_the_head_is_found_as_it_is_written() -> None:
    """Facts keep heads in lower case."""
    assert starts_with("Mara Voss lives in Osk", "mara voss") == "Mara Voss"
    assert starts_with("The user lives in Osk", "user") == "The user"
    assert starts_with("Osk is far", "") == ""
