"""Buckets: the hash as the paper writes it, what it finds, and the exact search of few rows."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.memory import Memory
from engram.plaintext.indexes.hashing import Hashing, hashed, probed, rotations
from engram.plaintext.roles import Floats, Route, Scope, View

Look = Callable[..., AbstractContextManager[View]]
PUBLISHED = {
    (8, 1): (0.755, 0.658, 0.533, 0.376, 0.123),
    (16, 1): (0.708, 0.600, 0.467, 0.294, 0.064),
    (64, 1): (0.631, 0.503, 0.351, 0.181, 0.015),
    (16, 4): (0.992, 0.977, 0.918, 0.750, 0.223),
    (16, 8): (1.0, 1.0, 0.993, 0.936, 0.410),
}
COSINES = (0.95, 0.9, 0.8, 0.6, 0.0)


def unit(values: Floats) -> Floats:
    """Rows of length 1."""
    scaled: Floats = values / np.linalg.norm(values, axis=-1, keepdims=True)
    return scaled


def pairs(cosine: float, count: int, seed: int, dimension: int = 64) -> tuple[Floats, Floats]:
    """Random unit vectors, and others at a cosine to these."""
    dice = np.random.default_rng(seed)
    one = unit(dice.standard_normal((count, dimension)).astype(np.float32))
    away = dice.standard_normal((count, dimension)).astype(np.float32)
    away = unit(away - np.sum(away * one, axis=1, keepdims=True) * one)
    other: Floats = (cosine * one + np.sqrt(1 - cosine**2) * away).astype(np.float32)
    return one, other


@given(st.integers(0, 63), st.sampled_from([2, 6, 16]), st.integers(1, 4), st.integers(0, 9))
def test_a_bucket_is_the_axis_that_a_turned_vector_lies_nearest_to(
    count: int, buckets: int, tables: int, seed: int
) -> None:
    """F(x) = argmax([xR; -xR]), one vector and one table after the other."""
    vectors = np.random.default_rng(seed).standard_normal((count, 5)).astype(np.float32)
    matrices = rotations(5, buckets, tables, seed)

    found = hashed(vectors, matrices)

    assert found.shape == (tables, count)
    for table, matrix in enumerate(matrices):
        for at, vector in enumerate(vectors):
            both = np.concatenate([vector @ matrix, -(vector @ matrix)])
            assert both[found[table, at]] == pytest.approx(both.max())
            assert probed(vector, matrices, buckets)[table, 0] == found[table, at]


@pytest.mark.parametrize(("buckets", "tables"), PUBLISHED)
def test_vectors_share_a_bucket_as_often_as_published(buckets: int, tables: int) -> None:
    """In at least one table, by their cosine, to two points of a hundred."""
    for cosine, expected in zip(COSINES, PUBLISHED[buckets, tables], strict=True):
        shares = []
        for seed in range(max(8, 40 // tables)):
            one, other = pairs(cosine, 500, seed)
            matrices = rotations(64, buckets, tables, seed + 100)
            same = hashed(one, matrices) == hashed(other, matrices)
            shares.append(same.any(axis=0).mean())

        assert np.mean(shares) == pytest.approx(expected, abs=0.02)


def search(
    look: Look, index: Hashing, vectors: Mapping[int, Sequence[float]], asked: Sequence[float]
) -> list[float]:
    """What the channel gives to four turns, some of them with vectors."""
    with look(["word"] * 4, vectors=vectors) as view:
        vector = unit(np.array(asked, dtype=np.float32))
        found: list[float] = index.search(Route("", "", 0.0, vector=vector), view).tolist()
        return found


VECTORS: Mapping[int, Sequence[float]] = {0: [1, 0, 0, 0], 1: [0, 1, 0, 0], 3: [0.6, 0.8, 0, 0]}


def test_few_rows_are_compared_one_by_one(view_of: Look) -> None:
    """The cosine around the mean, of which few rows have little; unembedded rows get 0."""
    mean = np.array(list(VECTORS.values())).sum(axis=0) / 13
    asked = np.array([0.0, 1, 0, 0])
    away = (asked - mean) / np.linalg.norm(asked - mean)

    found = search(view_of, Hashing(exact=3), VECTORS, [0, 1, 0, 0])

    expected = [0.0] * 4
    for at, vector in VECTORS.items():
        around = np.array(vector) - mean
        expected[at] = float(around @ away / np.linalg.norm(around))
    assert found == pytest.approx(expected, abs=1e-3)


def test_many_rows_are_compared_only_where_they_share_a_bucket(view_of: Look) -> None:
    """Those that are get what an exact search gives them, the others nothing."""
    exact = search(view_of, Hashing(), VECTORS, [0, 1, 0, 0])
    hashes = [Hashing(2, 1, 1, exact=0, seed=seed) for seed in range(20)]
    found = [search(view_of, index, VECTORS, [0, 1, 0, 0]) for index in hashes]

    assert all(
        score in (0, pytest.approx(exact[at])) for each in found for at, score in enumerate(each)
    )
    assert any(0 in (each[0], each[1], each[3]) for each in found)
    assert all(each[1] == pytest.approx(exact[1]) for each in found)


def test_looking_into_all_buckets_is_an_exact_search(view_of: Look) -> None:
    """Every row lies in some bucket."""
    every = search(view_of, Hashing(6, 1, 6, exact=0), VECTORS, [0.3, 1, 0, 0])

    assert every == pytest.approx(search(view_of, Hashing(), VECTORS, [0.3, 1, 0, 0]))


@pytest.mark.parametrize("exact", [0, 100])
def test_nothing_embedded_gives_nothing(view_of: Look, exact: int) -> None:
    """Nor does a query without a vector."""
    with view_of(["word"], vectors={0: [1, 0, 0, 0]}) as view:
        assert Hashing(exact=exact).search(Route("", "", 0.0), view).tolist() == [0.0]
    with view_of(["word"]) as view:
        route = Route("", "", 0.0, vector=np.array([1, 0, 0, 0], dtype=np.float32))
        assert Hashing(exact=exact).search(route, view).tolist() == [0.0]
    with view_of() as view:
        assert Hashing(exact=exact).search(route, view).shape == (0,)


class Planted:
    """An embedder of texts that say which of some vectors is theirs."""

    name = "planted"

    def __init__(self, vectors: Floats) -> None:
        self.vectors = vectors
        self.dimension = vectors.shape[1]

    def embed(self, texts: Sequence[str]) -> Floats:
        return self.vectors[[int(text.split()[-1]) for text in texts]]


def test_eight_tables_find_nearly_all_neighbours_and_leave_most_strangers() -> None:
    """Neighbours at a cosine of 0.9 among a thousand, in a memory, through its own columns."""
    queries, near = pairs(0.9, 100, seed=1)
    far, _ = pairs(0.0, 900, seed=2)
    vectors = np.concatenate([near, far, queries])
    index, found, compared = Hashing(exact=0, probes=1), [], 0
    with Memory.open(":memory:", embedder=Planted(vectors), durability="off") as memory:
        memory.add([f"Row {at}" for at in range(1_000)], infer=False)
        with memory.store.read(Scope()) as view:
            view.narrow(2e10, None, None, None)
            for at, query in enumerate(queries):
                scores = index.search(Route("", "", 0.0, vector=query), view)
                found.append(scores[at] > 0.5)
                compared += int(np.count_nonzero(scores))

    assert sum(found) >= 95
    assert compared < 0.5 * 100 * 1_000
