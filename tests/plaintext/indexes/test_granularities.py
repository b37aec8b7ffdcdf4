"""Sessions rated at four levels, weighed by how sure each level is."""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.plaintext.indexes.granularities import Granularities, certainty, entropy
from engram.plaintext.roles import Record, Route, View
from engram.plaintext.text.sittings import LEVELS

Look = Callable[..., AbstractContextManager[View]]
Vector = Sequence[float]
EAST, NORTH, UP = (1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0)
HALF, MIXED = (0.5, 0.5, 0.5, 0.5), (0.5, -0.5, 0.5, -0.5)

# Of each session: the vectors of two turns, then of its text, its summary and its keywords.
Session = tuple[Vector, Vector, Vector, Vector, Vector]
SESSIONS: list[Session] = [
    (EAST, HALF, EAST, HALF, EAST),
    (NORTH, UP, NORTH, HALF, HALF),
    (MIXED, UP, UP, MIXED, HALF),
]
units = st.sampled_from((EAST, NORTH, UP, HALF, MIXED))
sessions = st.lists(st.tuples(units, units, units, units, units), max_size=5)


def search(
    look: Look, index: Granularities, query: Vector | None, talk: list[Session]
) -> list[float]:
    """What the channel gives each row: two turns and three nodes a session."""
    nodes = [Record("", kind, kind=kind, event_time=1.0) for kind in LEVELS]
    rows: list[list[str | Record]] = [["one", "two", *nodes] for _ in talk]
    vectors = dict(enumerate(vector for session in talk for vector in session))
    asked = None if query is None else np.array(query, dtype=np.float32)
    with look(*rows, vectors=vectors) as view:
        scores: list[float] = index.search(Route("", "", 0.0, vector=asked), view).tolist()
        return scores


def slow(index: Granularities, query: Vector, talk: list[Session]) -> list[float]:
    """The same level by level, with loops."""

    def dot(one: Vector, other: Vector) -> float:
        return sum(a * b for a, b in zip(one, other, strict=True))

    levels = [[dot(query, session[at]) for session in talk] for at in (2, 3, 4)]
    levels.append([(dot(query, session[0]) + dot(query, session[1])) / 2 for session in talk])
    unsure = []
    for scores in levels:
        softmax = [math.exp(score / index.temperature) for score in scores]
        shares = [each / sum(softmax) for each in softmax]
        unsure.append(-sum(share * math.log(share) for share in shares))
    if index.faithful:
        sure = [1 - h for h in unsure]
    else:
        sure = [1 - h / math.log(len(talk)) if len(talk) > 1 else 0.0 for h in unsure]
        sure = [0.0 if each < 1e-9 else each for each in sure]
    even = abs(sum(sure)) < 1e-9
    weights = [0.25 if even else each / sum(sure) for each in sure]
    found = []
    for at in range(len(talk)):
        text, summary, words, turns = (w * s[at] for w, s in zip(weights, levels, strict=True))
        found += [0.0, 0.0, text + turns, summary, words]
    return found


@pytest.mark.parametrize("faithful", [False, True])
@pytest.mark.parametrize("query", [EAST, HALF, MIXED])
def test_the_scores_are_those_of_the_paper(view_of: Look, query: Vector, *, faithful: bool) -> None:
    """Turns have none of their own; the mean of them counts at the row of the session."""
    index = Granularities(faithful=faithful)

    assert search(view_of, index, query, SESSIONS) == pytest.approx(
        slow(index, query, SESSIONS), abs=1e-3
    )


@given(units, sessions)
def test_any_sessions_are_rated_as_by_hand(
    view_of: Look, query: Vector, talk: list[Session]
) -> None:
    """None, one, and such as are all alike: then every level weighs the same."""
    index = Granularities()

    assert search(view_of, index, query, talk) == pytest.approx(slow(index, query, talk), abs=2e-3)


def test_the_router_weighs_by_entropy_over_its_most() -> None:
    """The example of the card: 27 sessions, one level that points at few of them."""
    entropies, counts = [2.22, 3.21, 3.21, 3.20], [27] * 4

    assert certainty(entropies, counts) == pytest.approx([0.804, 0.064, 0.063, 0.070], abs=0.005)
    assert certainty(entropies, counts, faithful=True) == pytest.approx(
        [0.155, 0.282, 0.282, 0.281], abs=0.005
    )


def test_the_surest_level_weighs_most_and_by_the_published_fault_least() -> None:
    """With undivided entropies above 1 every sign turns round."""
    weights = certainty([1.2, 2.0, 3.0], [30] * 3)
    faulty = certainty([1.2, 2.0, 3.0], [30] * 3, faithful=True)

    assert weights == sorted(weights, reverse=True)
    assert faulty == sorted(faulty)
    assert certainty([0.5, 3.0], [30] * 2, faithful=True)[0] < 0


@pytest.mark.parametrize("counts", [[1, 1, 1], [5, 5, 5]])
def test_levels_that_are_sure_of_nothing_weigh_the_same(counts: list[int]) -> None:
    """One session has no entropy, and equal scores have all of it."""
    weights = certainty([math.log(count) for count in counts], counts)

    assert weights == pytest.approx([1 / 3] * 3)


def test_a_level_that_is_missing_has_no_weight() -> None:
    """The others share what there is."""
    assert certainty([0.0, 0.0], [0, 1]) == [0, 1]
    assert certainty([0.0, 0.0], [0, 0]) == [0, 0]
    assert certainty([], []) == []


def test_entropy_is_least_for_one_peak_and_most_for_none() -> None:
    """In nats, and finite whatever the temperature."""
    flat, peak = np.zeros(8, dtype=np.float32), np.eye(8, dtype=np.float32)[0]

    assert entropy(flat, 0.2) == pytest.approx(math.log(8))
    assert entropy(peak, 1e-3) == pytest.approx(0, abs=1e-6)
    assert entropy(peak, 0.2) < entropy(peak, 2.0) < entropy(flat, 0.2)
    assert entropy(flat[:1], 0.2) == entropy(flat[:0], 0.2) == 0


def test_without_a_vector_or_without_nodes_nothing_is_rated(view_of: Look) -> None:
    """Words alone have other channels."""
    assert search(view_of, Granularities(), None, SESSIONS) == [0] * 15
    with view_of(["one", "two"], vectors={0: EAST}) as view:
        route = Route("", "", 0.0, vector=np.array(EAST, dtype=np.float32))

        assert Granularities().search(route, view).tolist() == [0, 0]
