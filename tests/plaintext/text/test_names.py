"""Names are found by their capitals, and told apart by the words around them."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.plaintext.text.names import names


def found(text: str) -> list[tuple[str, str]]:
    """Names with their kinds."""
    return [(name.text, name.kind) for name in names(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hey Mel! I moved to Oslo.", [("Mel", "person"), ("Oslo", "place")]),
        ("my friend Kaveh called", [("Kaveh", "person")]),
        ("We visited Karlsberg", [("Karlsberg", "place")]),
        ("She works at Acme Inc.", [("Acme Inc", "organisation")]),
        ("I joined Globex", [("Globex", "organisation")]),
        ("Dr. Smith lives in New York City", [("Dr. Smith", "person"), ("New York City", "place")]),
        ("I read the book by J. R. Tolkien", [("J. R. Tolkien", "other")]),
        ("Caroline's mom is here", [("Caroline", "person")]),
        ("Bye Joanna", [("Joanna", "person")]),
        ("Ana lives in São Paulo", [("Ana", "person"), ("São Paulo", "place")]),
        ("I met Zorblax. Zorblax was kind.", [("Zorblax", "other"), ("Zorblax", "other")]),
    ],
)
def test_a_name_has_a_kind(text: str, expected: list[tuple[str, str]]) -> None:
    """Cues and a small gazetteer decide; the rest is other."""
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Yesterday was good.",
        "I'm happy. Thanks!",
        "THE END IS NEAR",
        "On Monday in May",
        "我住在北京",
        "Wow! Great news.",
        "What a day",
        "I think I'll go",
        "Sounds good",
        "42",
        "привет всем",
    ],
)
def test_a_capital_alone_is_no_name(text: str) -> None:
    """Starts of sentences, days, months, "I" and shouting."""
    assert found(text) == []


@given(st.text(alphabet=st.sampled_from("aAbB .'’-!éÉ1İ我"), max_size=40))
def test_spans_are_the_words_of_the_name(text: str) -> None:
    """Whatever the text."""
    assert all(text[name.start : name.end] == name.text for name in names(text))


@pytest.mark.parametrize("piece", ["A", "A ", "a", "Ana ", "Ana's ", "A. ", "in Oslo ", "'", "-A"])
def test_hostile_text_is_quick(piece: str) -> None:
    """Two hundred thousand characters take under a second."""
    text = (piece * 200_000)[:200_000]
    start = process_time()

    names(text)

    assert process_time() - start < 1
