"""Rows that say little are damped; from enough words on nothing is lost."""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram.plaintext.refiners.substance import Substance
from engram.plaintext.roles import Record, Route, View

Look = Callable[..., AbstractContextManager[View]]
WORDS = "cat rain boat lamp fish drum milk wind hand bird gold king".split()

texts = st.lists(st.sampled_from((*WORDS, "the", "of")), min_size=1, max_size=12).map(" ".join)
scores = st.floats(-2, 2, width=32)


def refine(
    look: Look, index: Substance, talk: Sequence[str | Record], before: Sequence[float]
) -> list[float]:
    """The scores after damping."""
    with look(talk) as view:
        wanted = np.array(before, dtype=np.float32)
        after: list[float] = index.refine(Route("", "", 0.0), wanted, view).tolist()
        return after


@given(st.lists(st.tuples(texts, scores), max_size=8), st.floats(0, 1), st.integers(1, 10))
@example([], 0.5, 8)
@example([("👍", 1.0), ("the of", 1.0)], 0.5, 1)
def test_the_scores_are_those_of_counting_words_by_hand(
    view_of: Look, turns: list[tuple[str, float]], share: float, enough: int
) -> None:
    """A row keeps what the logarithm of its distinct words leaves it."""
    expected = []
    for text, score in turns:
        distinct = min(enough, len(set(text.split()) & set(WORDS)))
        lost = share * (1 - math.log(1 + distinct) / math.log(1 + enough))
        expected.append(score * (1 - lost))

    found = refine(view_of, Substance(share, enough), [t for t, _ in turns], [s for _, s in turns])

    assert found == pytest.approx(expected, abs=1e-5)


def test_a_greeting_is_held_back_and_a_full_sentence_is_not(view_of: Look) -> None:
    """Of rows that fit alike, the one that says something comes first."""
    full = "The cat of the king sat by the lamp and drank gold milk in the wind."
    nothing, little, much = refine(
        view_of, Substance(0.5, 8), ["You too!", "Hi cat", full], [1.0, 1.0, 1.0]
    )

    assert nothing == pytest.approx(0.5)
    assert nothing < little < much
    assert much == pytest.approx(1.0)


def test_saying_a_word_again_is_no_substance(view_of: Look) -> None:
    """Distinct words count."""
    once, again = refine(view_of, Substance(), ["cat", "cat cat cat cat cat"], [1.0, 1.0])

    assert once == again


def test_facts_are_short_and_lose_nothing(view_of: Look) -> None:
    """They are not searched by wording."""
    fields = {"head": "ana", "relation": "lives_in", "tail": "Oslo"}
    fact = Record("", "Ana lives in Oslo", kind="fact", fields=fields)

    kept, damped = refine(view_of, Substance(), [fact, "cat"], [0.7, 0.7])

    assert kept == pytest.approx(0.7)
    assert damped < 0.7
