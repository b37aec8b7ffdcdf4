"""BM25 as the book writes it, put through a sigmoid that knows how long the query is."""

import math
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.plaintext.indexes.squashed import Squashed
from engram.plaintext.roles import Route, View

Look = Callable[..., AbstractContextManager[View]]
WORDS = ("cat", "rain", "boat", "lamp")  # each is its own stem

texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
talks = st.lists(texts, min_size=1, max_size=8)
queries = st.lists(st.sampled_from((*WORDS, "absent")), min_size=1, max_size=5, unique=True)


def search(
    look: Look, index: Squashed, query: str, talk: Sequence[str], hidden: Collection[int] = ()
) -> list[float]:
    """What the channel gives each turn."""
    with look(talk, hidden=hidden) as view:
        scores: list[float] = index.search(Route(query, query, 0.0), view).tolist()
        return scores


def slow(index: Squashed, wanted: Sequence[str], talk: Sequence[str]) -> list[float]:
    """The same for one turn after the other."""
    mean = sum(len(text.split()) for text in talk) / len(talk)
    scores = []
    for text in talk:
        raw = 0.0
        for word in wanted:
            tf = text.split().count(word)
            holding = sum(word in other.split() for other in talk)
            idf = math.log(1 + (len(talk) - holding + 0.5) / (holding + 0.5))
            norm = index.k1 * (1 - index.b + index.b * len(text.split()) / mean)
            raw += idf * tf * (index.k1 + 1) / (tf + norm)
        middle, steep = next((m, s) for most, m, s in index.shapes if len(wanted) <= most)
        scores.append(1 / (1 + math.exp(-steep * (raw - middle))) if raw > 0 else 0.0)
    return scores


@given(queries, talks, st.floats(0.1, 3), st.floats(0, 1))
def test_the_scores_are_those_of_counting_by_hand(
    view_of: Look, wanted: list[str], talk: list[str], k1: float, b: float
) -> None:
    """Term by term and turn by turn."""
    index = Squashed(k1=k1, b=b)

    found = search(view_of, index, " ".join(wanted), talk)

    assert found == pytest.approx(slow(index, wanted, talk), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize(("raw", "share"), [(3, 0.198), (5, 0.5), (7, 0.802), (10, 0.971)])
def test_a_query_of_three_words_is_squashed_around_five(raw: float, share: float) -> None:
    """The figures of the card."""
    (found,) = Squashed().squash(np.array([raw], dtype=np.float32), 3)

    assert float(found) == pytest.approx(share, abs=5e-4)


@pytest.mark.parametrize(
    ("words", "middle"),
    [(1, 5), (3, 5), (4, 7), (6, 7), (7, 9), (9, 9), (15, 10), (16, 12), (63, 12)],
)
def test_longer_queries_need_more_for_a_half(words: int, middle: float) -> None:
    """Whose raw scores are larger, for they sum over more words."""
    (found,) = Squashed().squash(np.array([middle], dtype=np.float32), words)

    assert float(found) == pytest.approx(0.5)


def test_what_is_hidden_changes_no_score(view_of: Look) -> None:
    """Not even through the statistics."""
    talk = ["cat rain", "boat", "cat"]

    assert search(view_of, Squashed(), "cat boat", [*talk, "cat boat"], hidden=[3]) == [
        *search(view_of, Squashed(), "cat boat", talk),
        0,
    ]


@pytest.mark.parametrize("query", ["", "?", "absent"])
def test_a_query_without_a_word_that_was_said_finds_nothing(view_of: Look, query: str) -> None:
    """Where the sigmoid alone would give every row a little."""
    assert search(view_of, Squashed(), query, ["cat", "boat"]) == [0, 0]
    assert search(view_of, Squashed(), query, []) == []
