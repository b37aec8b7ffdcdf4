"""What the best row of a conversation is worth is added, in part, to all its rows."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram.plaintext.refiners.conversations import Conversations
from engram.plaintext.roles import Record, Route, View

Look = Callable[..., AbstractContextManager[View]]
ROUTE = Route("", "", 0.0)

scores = st.floats(-2, 2, width=32)
talks = st.lists(st.lists(scores, min_size=1, max_size=6), max_size=4)


def refine(
    look: Look, share: float, talk: Sequence[Sequence[float]], hidden: Collection[int] = ()
) -> list[float]:
    """The scores of conversations whose turns had these."""
    before = np.array([score for said in talk for score in said], dtype=np.float32)
    with look(*(["word"] * len(said) for said in talk), hidden=hidden) as view:
        after: list[float] = Conversations(share).refine(ROUTE, before, view).tolist()
        return after


@given(st.floats(0, 2), talks, st.sets(st.integers(0, 20), max_size=6))
@example(0.5, [], set())
@example(0.5, [[1.0], [0.5, 0.0]], {0})
@example(0.5, [[-1.0, 0.0]], set())
def test_the_scores_are_those_of_looking_at_each_conversation(
    view_of: Look, share: float, talk: list[list[float]], hidden: set[int]
) -> None:
    """Each live row gains the share of its conversation's best in the best of all."""
    places = [at for at, said in enumerate(talk) for _ in said]
    flat = [score for said in talk for score in said]
    live = [number for number in range(len(flat)) if number not in hidden]
    best = [
        max((flat[number] for number in live if places[number] == at), default=0.0)
        for at in range(len(talk))
    ]
    top = max(best, default=0.0)
    expected = [
        flat[number] + (share * max(0.0, best[places[number]]) / top if top > 0 else 0.0)
        for number in live
    ]

    found = refine(view_of, share, talk, hidden)

    assert [found[number] for number in live] == pytest.approx(expected, abs=1e-5)


def test_company_of_a_good_row_beats_company_of_a_poor_one(view_of: Look) -> None:
    """Of two rows that fit alike, the one in the right conversation is likelier to matter."""
    good, beside, poor, alone = refine(view_of, 0.5, [[1.0, 0.2], [0.3, 0.2]])

    assert beside > alone
    assert good > beside
    assert poor > alone


def test_the_order_within_a_conversation_stays(view_of: Look) -> None:
    """All rows of it gain the same, so that none is gated."""
    found = refine(view_of, 0.5, [[0.9, 0.1, 0.4]])

    assert found == pytest.approx([1.4, 0.6, 0.9])


def test_a_hidden_row_does_not_speak_for_its_conversation(view_of: Look) -> None:
    """Or what may not be recalled would show in what is."""
    [_, beside, alone] = refine(view_of, 0.5, [[9.0, 0.2], [0.2]], hidden=[0])

    assert beside == pytest.approx(alone)


def test_facts_belong_to_no_conversation(view_of: Look) -> None:
    """Nobody said them in these words, so they gain nothing and speak for nothing."""
    fields = {"head": "ana", "relation": "lives_in", "tail": "Oslo"}
    fact = Record("", "Ana lives in Oslo", kind="fact", fields=fields)
    with view_of(["word", fact]) as view:
        before = np.array([0.5, 1.0], dtype=np.float32)

        found = Conversations(0.5).refine(ROUTE, before, view).tolist()

    assert found == [1.0, 1.0]


@pytest.mark.parametrize("worst", [0.0, -1.0])
def test_where_no_row_is_any_good_nothing_changes(view_of: Look, worst: float) -> None:
    """There is no best conversation to look for."""
    assert refine(view_of, 0.5, [[worst, worst], [worst]]) == [worst] * 3
