"""The plain cosine, from a threshold on."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager

import numpy as np
import pytest

from engram.plaintext.indexes.cosine import Cosine
from engram.plaintext.roles import Route, View

Look = Callable[..., AbstractContextManager[View]]
ROWS = {0: (1.0, 0, 0, 0), 1: (0.6, 0.8, 0, 0), 2: (0.05, 0.999, 0, 0), 3: (-1.0, 0, 0, 0)}


def search(
    look: Look, index: Cosine, vector: Sequence[float] | None, hidden: Collection[int] = ()
) -> list[float]:
    """What the channel gives five rows, of which the last has no vector."""
    asked = None if vector is None else np.array(vector, dtype=np.float32)
    with look(["cat"] * 5, vectors=ROWS, hidden=hidden) as view:
        scores: list[float] = index.search(Route("q", "q", 0.0, vector=asked), view).tolist()
        return scores


def test_the_cosine_is_given_as_it_is(view_of: Look) -> None:
    """Below the threshold, for opposite rows and without a vector there is nothing to say."""
    assert search(view_of, Cosine(), (1, 0, 0, 0)) == pytest.approx([1, 0.6, 0, 0, 0], abs=1e-3)
    assert search(view_of, Cosine(least=0.0), (1, 0, 0, 0)) == pytest.approx(
        [1, 0.6, 0.05, 0, 0], abs=1e-3
    )
    assert search(view_of, Cosine(least=0.7), (1, 0, 0, 0))[1] == 0


def test_hidden_rows_and_queries_without_a_vector_get_nothing(view_of: Look) -> None:
    """As where nothing embeds."""
    assert search(view_of, Cosine(), (1, 0, 0, 0), hidden=[0])[0] == 0
    assert search(view_of, Cosine(), None) == [0] * 5
