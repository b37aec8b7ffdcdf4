"""Cosine around the mean of the space, with a share of the neighbours' cosine."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram.plaintext.indexes.dense import Dense
from engram.plaintext.roles import Route, View

Look = Callable[..., AbstractContextManager[View]]
Vector = tuple[float, ...]
EAST, NORTH = (1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0)
WEST = (-1.0, 0.0, 0.0, 0.0)
ALONE = Dense(before=0.0, after=0.0)

# Unit vectors that half precision holds exactly, so that both sides see the same ones.
UNITS = [
    *(tuple(sign * (axis == at) for at in range(4)) for axis in range(4) for sign in (1.0, -1.0)),
    *product((0.5, -0.5), repeat=4),
]
vectors = st.sampled_from(UNITS)
talks = st.lists(st.lists(vectors | st.none(), min_size=1, max_size=8), max_size=3)
numbers = st.sets(st.integers(0, 20), max_size=6)
denses = st.builds(Dense, before=st.floats(0, 1), after=st.floats(0, 1))


def search(
    look: Look,
    index: Dense,
    query: Vector | None,
    talk: Sequence[Sequence[Vector | None]],
    hidden: Collection[int] = (),
) -> list[float]:
    """What the channel gives each turn; None stands for a turn that is not embedded."""
    flat = [vector for said in talk for vector in said]
    known = {number: vector for number, vector in enumerate(flat) if vector is not None}
    vector = None if query is None else np.array(query, dtype=np.float32)
    texts = [["word"] * len(said) for said in talk]
    with look(*texts, vectors=known, hidden=hidden) as view:
        scores: list[float] = index.search(Route("", "", 0.0, vector=vector), view).tolist()
        return scores


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Of two vectors, by the definition."""
    return sum(a * b for a, b in zip(one, other, strict=True)) / (
        math.hypot(*one) * math.hypot(*other)
    )


def slow(
    index: Dense, query: Vector, talk: Sequence[Sequence[Vector | None]], hidden: Collection[int]
) -> list[float]:
    """The same for one turn after the other."""
    places = [(at, place) for at, said in enumerate(talk) for place in range(len(said))]
    known = {each: v for each in places if (v := talk[each[0]][each[1]]) is not None}
    mean = [sum(v[axis] for v in known.values()) / (10 + len(known)) for axis in range(4)]
    around = [x - m for x, m in zip(query, mean, strict=True)]
    similar: Mapping[tuple[int, int], float] = {
        each: cosine(around, [x - m for x, m in zip(known[each], mean, strict=True)])
        for number, each in enumerate(places)
        if each in known and number not in hidden
    }
    return [
        similar.get((at, place), 0)
        + index.before * similar.get((at, place - 1), 0)
        + index.after * similar.get((at, place + 1), 0)
        if number not in hidden and (at, place) in known
        else 0.0
        for number, (at, place) in enumerate(places)
    ]


@given(denses, vectors, talks, numbers)
@example(Dense(), EAST, [], set())
@example(Dense(), EAST, [[EAST] * 63], set())
@example(Dense(), EAST, [[EAST, WEST, NORTH]], {1})
def test_the_scores_are_those_of_cosines_by_hand(
    view_of: Look,
    index: Dense,
    query: Vector,
    talk: Sequence[Sequence[Vector | None]],
    hidden: set[int],
) -> None:
    """Turn by turn; hidden turns and turns without a vector give nothing and get nothing."""
    found = search(view_of, index, query, talk, hidden)

    assert found == pytest.approx(slow(index, query, talk, hidden), abs=1e-5)


def test_what_points_the_way_of_the_query_comes_before_what_points_elsewhere(view_of: Look) -> None:
    """And what points the other way is below nothing."""
    same, across, opposite = search(view_of, ALONE, EAST, [[EAST], [NORTH], [WEST]])

    assert same > across > opposite
    assert opposite < 0


def test_a_turn_rises_with_its_neighbours_more_with_the_one_before(view_of: Look) -> None:
    """An answer follows its question; a turn of another conversation does not help."""
    talk = [[NORTH, EAST, NORTH], [NORTH]]
    before, question, answer, elsewhere = search(view_of, Dense(0.25, 0.1), EAST, talk)

    assert question > answer > before > elsewhere


def test_what_all_texts_have_in_common_is_taken_out(view_of: Look) -> None:
    """Where everything points east, the one text that points elsewhere as well stands out."""
    tilted = (0.5, 0.5, 0.5, 0.5)
    crowd = [[EAST] for _ in range(63)]
    query = (0.8, 0.6, 0.0, 0.0)

    plain = [cosine(query, EAST), cosine(query, tilted)]
    *others, found = search(view_of, ALONE, query, [*crowd, [tilted]])

    assert plain[0] > plain[1]
    assert found > max(others)


def test_a_few_texts_have_nothing_in_common_yet(view_of: Look) -> None:
    """The mean of one text is not taken for what all have in common: it still fits its like."""
    [alone] = search(view_of, ALONE, EAST, [[EAST]])

    assert alone == pytest.approx(1.0)


def test_without_a_vector_of_the_query_there_is_nothing_to_compare(view_of: Look) -> None:
    """Where nothing embeds, the channel is silent."""
    assert search(view_of, Dense(), None, [[EAST, NORTH]]) == [0, 0]
    assert search(view_of, Dense(), EAST, [[None, None]]) == [0, 0]
