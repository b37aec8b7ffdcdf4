"""Small talk and questions are filed nowhere."""

import pytest

from engram.plaintext.text.filing import stores_of


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Yes!",
        "How are you?",
        "Haha, that is so funny!",
        "Where did you go yesterday?",
        "x" * 63,
    ],
)
def test_what_says_nothing_lasting_is_filed_nowhere(text: str) -> None:
    """The message itself is kept all the same."""
    assert stores_of(text, 1e9) == frozenset()
