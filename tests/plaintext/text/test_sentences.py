"""Sentences are found in talk of all kinds, in linear time."""

from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.plaintext.text.sentences import sentences


def split(text: str) -> list[str]:
    """The sentences themselves."""
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dr. Smith paid 3.50 dollars. He left!", ["Dr. Smith paid 3.50 dollars.", "He left!"]),
        ("i went home. then i slept", ["i went home.", "then i slept"]),
        ("I live in the U.S. now. Bye", ["I live in the U.S. now.", "Bye"]),
        ("We met at 5 p.m. Then we ate.", ["We met at 5 p.m.", "Then we ate."]),
        ("J. R. Tolkien wrote it.", ["J. R. Tolkien wrote it."]),
        ("No. 5 is alive. He said no. I left.", ["No. 5 is alive.", "He said no.", "I left."]),
        ("1. First\n2. Second", ["1. First", "2. Second"]),
        ("Wait... what? Sure", ["Wait... what?", "Sure"]),
        ('"What?" he said. "No." Then', ['"What?" he said.', '"No."', "Then"]),
        ("Hi 😀 Now go", ["Hi 😀", "Now go"]),
        ("Wow! 😀😀 Next", ["Wow! 😀😀", "Next"]),
        ("今日は。元気？はい", ["今日は。", "元気？", "はい"]),
        ("first line\nwraps here\nNew line", ["first line\nwraps here", "New line"]),
        ("one\n\ntwo", ["one", "two"]),
        ("v1.2.3 is out", ["v1.2.3 is out"]),
        ("नमस्ते। आप कैसे हैं?", ["नमस्ते।", "आप कैसे हैं?"]),
        ("", []),
        (" \n\t ", []),
        ("a", ["a"]),
    ],
)
def test_sentences_end_where_people_end_them(text: str, expected: list[str]) -> None:
    """Abbreviations, decimals, quotes, lines, emoji and full stops of other scripts."""
    assert split(text) == expected


@given(st.text(alphabet=st.sampled_from("aA1 .!?\n\"'。😀é…()"), max_size=60))
def test_spans_are_trimmed_in_order_and_cover_everything(text: str) -> None:
    """Nothing but white space lies between two sentences."""
    spans = sentences(text)

    assert "".join("".join(split(text)).split()) == "".join(text.split())
    assert all(text[start:end] == text[start:end].strip() for start, end in spans)
    assert all(left.end <= right.start for left, right in pairwise(spans))


@pytest.mark.parametrize(
    "piece", ["a", ".", "\n", " ", "😀", '"', "。", "(", "1", ". ", "a\n", "1. "]
)
def test_long_runs_take_linear_time(piece: str) -> None:
    """Two hundred thousand characters take under a second."""
    text = (piece * 200_000)[:200_000]
    start = process_time()

    sentences(text)

    assert process_time() - start < 1
