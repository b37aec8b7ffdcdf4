"""A sum of signals as a share of what those that exist could come to."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import numpy as np
import pytest

from engram.plaintext.refiners.signals import Signals
from engram.plaintext.roles import Route, View

Look = Callable[..., AbstractContextManager[View]]
VECTOR = np.array((1, 0, 0, 0), dtype=np.float32)


def most(look: Look, query: str, *, vectors: bool, said: str = "Oslo rain") -> float:
    """What a score of one was divided by."""
    asked = Route(query, query, 0.0, vector=VECTOR)
    with look([said], vectors={0: VECTOR.tolist()} if vectors else {}) as view:
        (share,) = Signals().refine(asked, np.ones(1, dtype=np.float32), view)
        return float(1 / share)


@pytest.mark.parametrize(
    ("query", "vectors", "divisor"),
    [
        ("absent", True, 1.0),
        ("rain", True, 2.0),
        ("Oslo rain", True, 2.5),
        ("rain", False, 1.0),
        ("in Oslo", False, 1.5),
        ("absent", False, 1.0),
    ],
)
def test_the_divisor_is_what_the_signals_come_to(
    view_of: Look, query: str, vectors: bool, divisor: float
) -> None:
    """Cosine and words one each, entities a half; where nothing speaks, nothing is divided."""
    assert most(view_of, query, vectors=vectors) == pytest.approx(divisor)


def test_a_name_alone_that_nobody_said_is_no_signal(view_of: Look) -> None:
    """Neither a word nor an entity."""
    assert most(view_of, "Kyoto", vectors=True) == pytest.approx(1.0)


def test_the_order_of_rows_does_not_change(view_of: Look) -> None:
    """All are divided by the same."""
    with view_of(["rain", "cat", "boat"]) as view:
        found = Signals().refine(
            Route("rain", "rain", 0.0), np.array([0.2, 1.0, 0.5], dtype=np.float32), view
        )

    assert np.argsort(-found).tolist() == [1, 2, 0]
