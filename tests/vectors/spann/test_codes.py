"""Codes: one bit a coordinate that tell inner products about as well as the theory says."""

from collections.abc import Callable

import numpy as np
import pytest

from engram.vectors.exact import Floats
from engram.vectors.spann import codes
from engram.vectors.spann.codes import Rounded, encode, numbers_of, rotated, rotation


def records_of(vectors: Floats, head: Floats) -> codes.Records:
    """Codes of vectors under one head."""
    heads = np.repeat(rotated(head[None]), len(vectors), axis=0)
    return encode(rotated(vectors), heads, np.arange(len(vectors), dtype=np.uint32))


@pytest.mark.parametrize("dimension", [1, 3, 63, 64, 100, 384])
def test_a_rotation_keeps_lengths_and_mixes_all_coordinates(dimension: int) -> None:
    """No coordinate goes its own way, so that signs say as much of each."""
    turned = rotation(dimension)

    assert turned @ turned.T == pytest.approx(np.eye(dimension), abs=1e-5)
    assert np.abs(turned).max() <= max(1, 5 / np.sqrt(dimension))


@pytest.mark.parametrize("dimension", [64, 384])
def test_an_estimate_errs_on_neither_side_and_by_little(
    mixture: Callable[..., Floats], dimension: int
) -> None:
    """By about the distance from the head over the root of the dimension."""
    vectors = mixture(2000, dimension, centres=1)
    head, query = vectors[0], mixture(1, dimension, centres=1, seed=5)[0]
    away = np.linalg.norm(vectors - head, axis=1).mean()

    about = Rounded.of(query).estimate(
        records_of(vectors, head), np.full(2000, head @ query, np.float32)
    )

    errors = about - vectors @ query
    assert abs(errors.mean()) < 0.1 * errors.std() + 0.003
    assert errors.std() < 1.2 * away * np.linalg.norm(query - head) / np.sqrt(dimension)


@pytest.mark.parametrize("dimension", [1, 3, 63, 65])
def test_the_code_of_the_head_itself_is_exact(
    mixture: Callable[..., Floats], dimension: int
) -> None:
    """It differs from the head by nothing; and records keep their numbers at any dimension."""
    vectors, query = mixture(5, dimension), mixture(1, dimension, seed=2)[0]

    records = records_of(vectors, vectors[2])

    inner = np.full(5, vectors[2] @ query, np.float32)
    assert Rounded.of(query).estimate(records, inner)[2] == pytest.approx(vectors[2] @ query)
    assert numbers_of(records).tolist() == [0, 1, 2, 3, 4]


def test_ones_are_counted_alike_with_and_without_numpys_own_count() -> None:
    """An older numpy looks them up."""
    words = np.random.default_rng(0).integers(0, 2**63, (6, 100), dtype=np.uint64)

    counted = codes._by_table(words)

    assert counted.tolist() == [[int(word).bit_count() for word in row] for row in words]


def test_a_query_of_zeros_is_rounded_to_zeros(mixture: Callable[..., Floats]) -> None:
    """And every estimate is that of a head with no product, near 0."""
    records = records_of(mixture(20), mixture(1)[0])

    about = Rounded.of(np.zeros(32, np.float32)).estimate(records, np.zeros(20, np.float32))

    assert np.isfinite(about).all()
