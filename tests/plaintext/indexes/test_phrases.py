"""Pairs of words that stand together in the query and in a row, weighed by how rare they are."""

import math
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram.plaintext.indexes.phrases import Phrases
from engram.plaintext.roles import Record, Route, View

Look = Callable[..., AbstractContextManager[View]]
WORDS = ("cat", "rain", "boat", "lamp", "the", "of")
GRAMMAR = {"the", "of"}  # the others are their own stems

texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
talks = st.lists(texts, max_size=12)
queries = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
numbers = st.sets(st.integers(0, 12), max_size=5)


def search(
    look: Look,
    query: str,
    talk: Sequence[str | Record],
    hidden: Collection[int] = (),
    most: int = 32,
) -> list[float]:
    """What the channel gives each turn."""
    with look(talk, hidden=hidden) as view:
        scores: list[float] = Phrases(most).search(Route(query, query, 0.0), view).tolist()
        return scores


def pairs(text: str) -> list[tuple[str, str]]:
    """Neighbours among the words that are not mere grammar."""
    return list(pairwise(word for word in text.split() if word not in GRAMMAR))


def slow(query: str, talk: Sequence[str], hidden: Collection[int], most: int) -> list[float]:
    """The same for one turn after the other."""
    heard = [text for number, text in enumerate(talk) if number not in hidden]
    every = max(2, len(heard))
    asked = list(dict.fromkeys(pairs(query)))[:most]
    scores = []
    for number, text in enumerate(talk):
        total = 0.0
        for pair in asked:
            if number not in hidden and pair in pairs(text):
                holding = sum(pair in pairs(other) for other in heard)
                total += math.log(1 + every / holding) / math.log(1 + every)
        scores.append(total)
    return scores


@given(queries, talks, numbers, st.integers(0, 4))
@example("cat rain", [], set(), 32)
@example("cat rain", ["cat rain"], set(), 32)
@example("cat rain", ["cat rain", "cat rain", "rain cat"], {0, 1}, 32)
@example("cat rain boat", ["cat rain boat"] * 63, set(), 32)
def test_the_scores_are_those_of_counting_by_hand(
    view_of: Look, query: str, talk: list[str], hidden: set[int], most: int
) -> None:
    """Pair by pair and turn by turn; hidden turns have no say."""
    found = search(view_of, query, talk, hidden, most)

    assert found == pytest.approx(slow(query, talk, hidden, most), abs=1e-5)


def test_words_that_stand_together_beat_the_same_words_apart(view_of: Look) -> None:
    """As they do in the query: in this order, grammar aside."""
    talk = ["lamp boat", "lamp of the boat", "boat lamp", "lamp rain boat", "the lamp"]

    assert search(view_of, "lamp boat", talk) == [pytest.approx(0.67, abs=0.1)] * 2 + [0, 0, 0]


def test_a_rare_pair_says_more_than_a_frequent_one(view_of: Look) -> None:
    """A pair that stands once says 1; whatever is said by more says less."""
    talk = ["cat rain", "cat rain", "rain boat", "lamp"]
    often, _, once, nothing = search(view_of, "cat rain boat", talk)

    assert once == pytest.approx(1.0)
    assert once > often > nothing == 0


def test_a_repeated_pair_counts_once(view_of: Look) -> None:
    """Neither a query nor a row gains by saying it again."""
    talk = ["cat rain", "cat rain cat rain", "lamp"]
    once = search(view_of, "cat rain", talk)

    assert once[0] == once[1]
    assert search(view_of, "cat rain lamp cat rain", talk) == pytest.approx(once)
    assert search(view_of, "cat rain lamp cat rain boat", ["rain boat"], most=4) == [1.0]


def test_a_long_query_counts_only_its_first_pairs(view_of: Look) -> None:
    """Or a pasted page would drown every other channel."""
    talk = ["cat rain", "rain boat"]

    assert search(view_of, "cat rain boat", talk, most=1) == [pytest.approx(1.0), 0]


@pytest.mark.parametrize("query", ["", "cat", "the of", "?"])
def test_a_query_of_less_than_two_words_has_no_pair(view_of: Look, query: str) -> None:
    """Nothing is found by it."""
    assert search(view_of, query, ["cat rain", "the of"]) == [0, 0]
