"""What a model may give back, and what is made of it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engram.adapters.vectors import Limits, dimension_of, embedded, says_something, unit
from engram.errors import EmbedderFailed

finite = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 7)), elements=finite))
def test_rows_become_unit_rows_or_stay_zero(raw: np.ndarray) -> None:
    """At every magnitude that float32 has."""
    lengths = np.linalg.norm(unit(raw, len(raw)), axis=1)

    wanted = raw.any(axis=1).astype(np.float32)
    assert lengths == pytest.approx(wanted, abs=1e-5)


def test_lists_and_whole_numbers_will_do() -> None:
    """JSON has no arrays of float32."""
    assert unit([[3, 4], [0, 0]], 2).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0]]


@pytest.mark.parametrize(
    "raw",
    [
        [],
        [[]],
        [[], []],
        [1.0, 2.0],
        [[1.0], [2.0, 3.0]],
        [[1.0]],
        [[1.0], [2.0], [3.0]],
        [["1"], ["2"]],
        [[None], [1.0]],
        [[True], [False]],
        [[[1.0]], [[2.0]]],
        None,
        "vectors",
        {"0": [1.0]},
    ],
)
def test_anything_but_one_row_of_numbers_a_text_is_refused(raw: Any) -> None:
    """Two texts were asked for."""
    with pytest.raises(EmbedderFailed, match=r"must give \(2, D\) numbers"):
        unit(raw, 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(bad: float) -> None:
    """One is enough to spoil every comparison."""
    with pytest.raises(EmbedderFailed, match="finite numbers, got"):
        unit([[1.0, 2.0], [bad, 1.0]], 2)


def test_only_texts_that_say_something_reach_the_model() -> None:
    """In order, with halves of characters made whole."""
    asked: list[str] = []

    def encode(texts: list[str]) -> list[list[float]]:
        asked.extend(texts)
        return [[float(len(text)), 0.0] for text in texts]

    found = embedded(["", "a", " \x00\n", "b\ud83d"], 2, encode)

    assert asked == ["a", "b?"]
    assert found.tolist() == [[0, 0], [1, 0], [0, 0], [1, 0]]


def test_a_model_is_never_given_more_than_its_limits() -> None:
    """Texts are cut, and batches end before they have too many texts or letters."""
    asked: list[list[str]] = []

    def encode(texts: list[str]) -> list[list[float]]:
        asked.append(texts)
        return [[float(len(text)), 1.0] for text in texts]

    texts = ["a", "b", "c", "dddd", "ee", "f", "gggggggggg", "h"]
    found = embedded(texts, 2, encode, Limits(texts=3, letters=5, total=5))

    assert asked == [["a", "b", "c"], ["dddd"], ["ee", "f"], ["ggggg"], ["h"]]
    assert (found == unit([[min(len(text), 5), 1.0] for text in texts], len(texts))).all()


def test_a_model_that_changes_its_dimension_is_refused() -> None:
    """Someone replaced it behind its name."""
    with pytest.raises(EmbedderFailed, match="must keep its dimension, got 3 after 2"):
        embedded(["a"], 2, lambda _: [[1.0, 2.0, 3.0]])


def test_the_dimension_is_found_by_asking_once() -> None:
    """It is what comes back, not what was promised."""
    assert dimension_of(lambda texts: [[1.0] * 5 for _ in texts]) == 5


@pytest.mark.parametrize(("text", "says"), [("", False), (" \t\x00\u200b", False), ("🙂", True)])
def test_blanks_and_control_characters_say_nothing(text: str, says: bool) -> None:
    """A sign of any script says something."""
    assert says_something(text) is says
