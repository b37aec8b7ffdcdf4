"""A name that the best row brings up leads to the rows that speak of it."""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.plaintext.refiners.bridges import Bridges
from engram.plaintext.roles import Route, View

Look = Callable[..., AbstractContextManager[View]]
QUERY = "Where does the teacher of Ana live?"
FIRST = "Ana takes cello lessons with her teacher, Otto Quill."
SECOND = "Every summer Otto Quill goes home, for they live in Zanzibar."
OTHERS = ["The boat is red.", "Ben likes tea.", "It rains a lot.", "Momo sleeps all day."]


def refine(
    look: Look, index: Bridges, query: str, talk: Sequence[str], *best: float
) -> list[float]:
    """The scores of turns, of which only the first ones had any."""
    before = np.array([*best, *[0.0] * (len(talk) - len(best))], dtype=np.float32)
    with look(*([text] for text in talk)) as view:
        after: list[float] = index.refine(Route(query, query, 0.0), before, view).tolist()
        return after


def test_the_second_passage_of_a_chain_is_found(view_of: Look) -> None:
    """It shares hardly a word with the question, and the first passage does not hold the answer."""
    first, second, *others = refine(view_of, Bridges(), QUERY, [FIRST, SECOND, *OTHERS], 1.0)

    assert first == 1.0
    assert second == pytest.approx(Bridges().share)
    assert others == [0, 0, 0, 0]


def test_a_name_that_the_query_holds_is_no_bridge(view_of: Look) -> None:
    """The first round has looked for it."""
    talk = [FIRST, SECOND, *OTHERS]

    assert refine(view_of, Bridges(), "Who is Otto Quill?", talk, 1.0)[1] == 0


def test_what_the_first_row_leaves_open_decides_between_two(view_of: Look) -> None:
    """Both speak of the teacher; one says where, the other does not."""
    talk = [FIRST, "Otto Quill has a beard and a dog too.", "Otto Quill does live in Zanzibar."]

    first, beard, zanzibar = refine(view_of, Bridges(common=1.0), QUERY, talk, 1.0)

    assert first == 1.0
    assert zanzibar > beard > 0


def test_a_name_that_everybody_says_ties_nothing(view_of: Look) -> None:
    """Only rare names tell."""
    talk = [FIRST, *[f"Otto Quill said {word}." for word in "one two three four five".split()]]

    assert refine(view_of, Bridges(), QUERY, talk, 1.0)[1:] == [0] * 5


def test_a_row_that_cannot_be_recalled_is_neither_followed_nor_raised(view_of: Look) -> None:
    """What is hidden changes no score."""
    with view_of([FIRST], [SECOND], hidden={1}) as view:
        scores = np.array([1.0, 0.5], dtype=np.float32)
        raised = Bridges().refine(Route(QUERY, QUERY, 0.0), scores, view)
    with view_of([FIRST], [SECOND], hidden={0}) as view:
        followed = Bridges().refine(Route(QUERY, QUERY, 0.0), scores, view)

    assert raised.tolist() == [1.0, 0.5]
    assert followed.tolist() == [1.0, 0.5]


@given(st.lists(st.sampled_from([FIRST, SECOND, *OTHERS]), max_size=8), st.floats(0.1, 2))
def test_scores_only_rise_and_by_no_more_than_the_share(
    view_of: Look, talk: list[str], best: float
) -> None:
    """Whatever is said how often, and however good the first row is."""
    after = refine(view_of, Bridges(), QUERY, talk, *[best][: len(talk)])

    rise = [score - (best if not at else 0) for at, score in enumerate(after)]
    assert all(-1e-6 <= gain <= Bridges().share + 1e-5 for gain in rise)
    assert all(math.isfinite(score) for score in after)
