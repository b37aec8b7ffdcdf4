"""Lists that are built, and lists that grow: how long they are, what is in them, what is found."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engram.vectors import Segments, Spann, pieces
from engram.vectors.exact import Floats, Mask
from engram.vectors.spann.codes import distances_of, numbers_of
from engram.vectors.spann.growth import Growth, limit_of
from engram.vectors.spann.postings import Postings


@pytest.fixture
def grown(tmp_path: Path) -> Callable[..., Postings]:
    """Makes lists of vectors, out of others or none."""

    def make(
        vectors: Floats, settings: Spann, gone: Mask | None = None, before: Postings | None = None
    ) -> Postings:
        count = len(list(tmp_path.iterdir()))
        name = f"vectors-{count}"
        pieces.write(
            tmp_path / name, np.arange(1, len(vectors) + 1), iter([vectors.astype(np.float16)])
        )
        held = pieces.opened(tmp_path, [name], vectors.shape[1])
        removed = np.zeros(len(vectors), bool) if gone is None else gone
        for _ in Growth(held, removed, before, settings).run(tmp_path / f"lists-{count}"):
            continue
        return Postings(tmp_path / f"lists-{count}", vectors.shape[1])

    return make


def members(lists: Postings) -> list[list[int]]:
    """The vectors of each list."""
    records, _ = lists.read(np.arange(len(lists.counts)))
    return [part.tolist() for part in np.split(numbers_of(records), lists.starts[1:-1])]


def held(lists: list[list[int]]) -> list[int]:
    """The vectors that are in any of the lists."""
    return sorted({number for part in lists for number in part})


SMALL = Spann(pages=1, page=1024)  # 42 records of 32 coordinates


@pytest.mark.parametrize("count", [1, 3, 63, 3000])
def test_every_vector_is_in_a_list_and_no_list_is_too_long(
    mixture: Callable[..., Floats], grown: Callable[..., Postings], count: int
) -> None:
    """To cut the far end of a list leaves each vector in another."""
    lists = grown(mixture(count), SMALL)

    found = members(lists)
    assert held(found) == list(range(count))
    assert lists.counts.max() <= limit_of(SMALL, 32) == 42
    assert all(len(part) == len(set(part)) for part in found)


def test_a_vector_is_in_the_list_of_its_nearest_head(
    mixture: Callable[..., Floats], grown: Callable[..., Postings]
) -> None:
    """Heads are vectors; a record says how far its vector is from the head."""
    vectors = mixture(2000)
    lists = grown(vectors, Spann())

    away = ((vectors[:, None] - lists.heads.vectors[None]) ** 2).sum(axis=2)

    found = members(lists)
    assert np.mean([at in found[head] for at, head in enumerate(away.argmin(axis=1))]) > 0.99
    assert np.array_equal(vectors[lists.head_rows - 1], lists.heads.vectors)
    records, _ = lists.read(np.arange(len(found)))
    told = [away[at, head] for head, part in enumerate(found) for at in part]
    assert distances_of(records) == pytest.approx(np.array(told), abs=1e-4)


def test_identical_vectors_are_one_list_beyond_the_limit(
    mixture: Callable[..., Floats], grown: Callable[..., Postings]
) -> None:
    """To split them would leave one part empty; all others keep to the limit."""
    vectors = mixture(1500)
    vectors[::5] = vectors[0]

    for lists in (grown(vectors, SMALL), grown(vectors, SMALL, before=grown(vectors[:700], SMALL))):
        found = members(lists)
        long = [part for part in found if len(part) > 42]
        assert len(long) == 1
        assert np.isin(np.arange(0, 1500, 5), long[0]).all()
        assert held(found) == list(range(1500))


def test_lists_that_grow_are_as_good_as_lists_that_are_built(
    tmp_path: Path, mixture: Callable[..., Floats], recall: Callable[..., float]
) -> None:
    """With three in ten of the vectors somewhere else, in batches: recall within two points."""
    start, drifted = mixture(7000, centres=100), np.roll(mixture(3000, centres=100, seed=1), 3, 1)
    vectors = np.concatenate([start, drifted])
    queries = np.concatenate([mixture(100, centres=100, seed=2), drifted[::30]])
    settings = Spann(heads=24)
    shares = []
    for batch in (10_000, 500):
        index = Segments.open(tmp_path / str(batch), 32, settings=settings, exact=100)
        for at in [*range(0, 7000, 7000), *range(7000, 10_000, batch)]:
            more = 7000 if at < 7000 else min(batch, 10_000 - at)
            index.extend(np.arange(at + 1, at + more + 1), vectors[at : at + more])
            index.seal()
            if batch == 500:
                index.merge()
        index.merge()
        shares.append(recall(index.search(queries, 10), vectors, queries))

    built, followed = shares
    assert built > 0.95
    assert followed > built - 0.02


def test_growing_keeps_the_limit_and_loses_nothing(
    mixture: Callable[..., Floats], grown: Callable[..., Postings]
) -> None:
    """Many vectors come where one list was: it is split, again and again where needed."""
    vectors, gone = mixture(4000, centres=30), np.zeros(4000, bool)
    vectors[2000:] = mixture(2000, centres=1, seed=7)
    lists = grown(vectors[:2000], SMALL)
    for count in (2100, 2500, 4000):
        gone[: count // 10] = True
        lists = grown(vectors[:count], SMALL, gone[:count], lists)

        found = members(lists)
        assert held(found) == list(range(count // 10, count))
        assert lists.counts.max() <= 42


def test_a_list_that_few_are_left_of_ends(
    mixture: Callable[..., Floats], grown: Callable[..., Postings]
) -> None:
    """What is left moves to its neighbours."""
    vectors = mixture(3000)
    gone = np.ones(3000, bool)
    gone[::15] = False
    before = grown(vectors, Spann())

    between = grown(vectors, Spann(), gone, before)
    after = grown(vectors, Spann(), gone, between)

    assert len(after.counts) < len(before.counts) / 2
    assert held(members(after)) == list(range(0, 3000, 15))


def test_a_split_draws_vectors_out_of_neighbouring_lists(
    mixture: Callable[..., Floats], grown: Callable[..., Postings]
) -> None:
    """After many came, nearly all old vectors are under the nearest of the heads there are now."""
    vectors = mixture(6000, centres=20)
    lists = grown(vectors, SMALL, before=grown(vectors[:2000], SMALL))
    away = ((vectors[:2000, None] - lists.heads.vectors[None]) ** 2).sum(axis=2)

    nearest = lists.home()[:2000] == away.argmin(axis=1)

    assert nearest.mean() > 0.9
