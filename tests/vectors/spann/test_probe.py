"""What a search reads, and what it makes of it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engram.errors import InvalidInput
from engram.vectors import Segments, Spann
from engram.vectors.exact import Floats, widened


@pytest.fixture
def index(tmp_path: Path, mixture: Callable[..., Floats]) -> Segments:
    """4,000 vectors in lists."""
    found = Segments.open(tmp_path / "index", 32, settings=Spann(heads=32), exact=100)
    found.extend(np.arange(1, 4001), mixture(4000))
    found.seal()
    found.merge()
    return found


def test_a_vector_is_found_once_however_many_lists_it_is_in(
    index: Segments, mixture: Callable[..., Floats]
) -> None:
    """Most are in several of those that are read."""
    found = index.search(mixture(30, seed=1), 100)

    assert all(len(set(rows.tolist())) == 100 for rows in found.rows)


def test_more_lists_find_more(
    index: Segments, mixture: Callable[..., Floats], recall: Callable[..., float]
) -> None:
    """And read more; all of them find everything."""
    vectors, queries = mixture(4000), mixture(60, seed=1)

    found = [index.search(queries, 10, heads=heads) for heads in (1, 4, 16, 10_000)]

    shares = [recall(each, vectors, queries) for each in found]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert shares[0] < 0.9
    assert [each.stats.bytes for each in found] == sorted(each.stats.bytes for each in found)


def test_eps2_reads_fewer_lists_where_the_next_are_much_farther(
    index: Segments, mixture: Callable[..., Floats], recall: Callable[..., float]
) -> None:
    """It is a ratio of distances: what is lost is little beside what is saved."""
    vectors, queries = mixture(4000), mixture(60, seed=1)

    every = index.search(queries, 10)
    fewer = index.search(queries, 10, eps2=0.6)
    least = index.search(queries, 10, eps2=0.0)

    assert least.stats.postings < fewer.stats.postings < 0.9 * every.stats.postings
    assert recall(fewer, vectors, queries) > recall(every, vectors, queries) - 0.03


def test_settings_under_which_nothing_is_found_are_refused() -> None:
    """In one line."""
    with pytest.raises(InvalidInput, match="head_ratio must be above 0, at most 1, got 0"):
        Spann(head_ratio=0)
    with pytest.raises(InvalidInput, match="sizes must be at least 1"):
        Spann(replicas=0)
    with pytest.raises(InvalidInput, match="factors at least 0"):
        Spann(eps2=-0.5)


def test_half_precision_is_widened_exactly() -> None:
    """Every finite number, the smallest and both zeros among them."""
    halves = np.arange(65_536, dtype=np.uint16).view(np.float16)
    finite = halves[np.isfinite(halves)]

    wide = widened(finite)

    assert np.array_equal(wide, finite.astype(np.float32))
    assert np.array_equal(np.signbit(wide), np.signbit(finite))
