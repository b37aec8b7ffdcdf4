"""The words of the people whom a query names, their questions held back."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.plaintext.indexes.speakers import Speakers
from engram.plaintext.roles import Record, Route, View

Look = Callable[..., AbstractContextManager[View]]
Said = tuple[str | None, str]
PEOPLE = ("Ana", "Ben", "Cem")
TEXTS = (
    "I like the rain.",
    "Do you like the rain?",
    "Do you? I do not. " + "I really do not. " * 4,
)

turns = st.tuples(st.sampled_from(PEOPLE) | st.none(), st.sampled_from(TEXTS))
named = st.lists(st.sampled_from((*PEOPLE, "Dora")), unique=True, max_size=3)


def search(
    look: Look,
    talk: Sequence[Said],
    people: Sequence[str],
    content: str = "rain",
    question: float = 0.3,
) -> list[float]:
    """What the channel gives each turn."""
    records = [
        Record("", text, fields={"speaker": name} if name else {}, event_time=float(at))
        for at, (name, text) in enumerate(talk)
    ]
    with look(records) as view:
        route = Route(content, content, 0.0, people=tuple(people))
        scores: list[float] = Speakers(question).search(route, view).tolist()
        return scores


@given(st.lists(turns, max_size=12), named, st.floats(0, 1))
def test_the_scores_are_those_of_looking_at_each_turn(
    view_of: Look, talk: list[Said], people: list[str], question: float
) -> None:
    """1 for who is named, less by the setting where the turn ends in a question, else 0."""
    expected = [
        (1 - question if text.endswith("?") else 1.0) if name in people else 0.0
        for name, text in talk
    ]

    found = search(view_of, talk, people, question=question)

    assert found == pytest.approx(expected, abs=1e-6)


def test_the_words_of_the_named_speaker_come_first(view_of: Look) -> None:
    """Not the words of others, nor those of nobody; and her answers before her questions."""
    talk = [("Ana", TEXTS[0]), ("Ana", TEXTS[1]), ("Ben", TEXTS[0]), (None, "Ana likes the rain.")]
    answer, question, other, nobody = search(view_of, talk, ["Ana"])

    assert answer > question > other == nobody == 0


def test_questions_count_in_full_when_the_query_is_about_asking(view_of: Look) -> None:
    """What did Ana ask? One of her questions is the answer."""
    talk = [("Ana", TEXTS[0]), ("Ana", TEXTS[1])]

    assert search(view_of, talk, ["Ana"], "what was asked") == [1, 1]
    assert search(view_of, talk, ["Ana"], "what was suggested") == [1, 1]


def test_a_query_that_names_nobody_favours_nobody(view_of: Look) -> None:
    """Nor does one that names somebody who never spoke."""
    talk = [("Ana", TEXTS[0]), ("Ben", TEXTS[1]), (None, TEXTS[0])]

    assert search(view_of, talk, []) == [0, 0, 0]
    assert search(view_of, talk, ["Dora"]) == [0, 0, 0]
    assert search(view_of, [], ["Ana"]) == []


def test_two_named_people_count_the_same(view_of: Look) -> None:
    """The order in which they are named says nothing."""
    talk = [("Ana", TEXTS[0]), ("Ben", TEXTS[0]), ("Cem", TEXTS[0])]

    assert search(view_of, talk, ["Ben", "Ana"]) == search(view_of, talk, ["Ana", "Ben"])
    assert search(view_of, talk, ["Ben", "Ana"]) == [1, 1, 0]
