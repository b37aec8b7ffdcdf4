"""An index that follows a log: what is fed is found, sealed or not, in lists or not."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engram.errors import InvalidInput, ShapeError, StoreReadOnly
from engram.vectors import Segments, Spann
from engram.vectors.exact import Floats, Rows

FEW = Spann(heads=16)


def opened(folder: Path, *, dimension: int = 32, exact: int = 500) -> Segments:
    """An index with lists as soon as it has more than some hundred vectors."""
    return Segments.open(folder / "index", dimension, settings=FEW, exact=exact)


def rows(first: int, last: int) -> Rows:
    """Rows from one to another."""
    return np.arange(first, last + 1)


@pytest.mark.parametrize("count", [0, 1, 3, 63])
def test_an_index_of_any_small_size_finds_what_numpy_finds(
    tmp_path: Path, mixture: Callable[..., Floats], count: int
) -> None:
    """In memory, on disk, and opened again; where there is less than asked for, -1."""
    vectors, queries = mixture(count), mixture(2, seed=1)
    index = opened(tmp_path)
    index.extend(rows(1, count), vectors)
    before = index.search(queries, 5)
    index.seal()
    index.merge()

    after = opened(tmp_path).search(queries, 5)

    assert before.rows.shape == (2, 5)
    assert (before.rows > 0).sum() == 2 * min(5, count)
    assert np.array_equal(before.rows, after.rows)
    assert np.array_equal(before.scores, after.scores)
    true = np.argsort(-(queries @ vectors.T), axis=1)[:, :5] + 1
    assert np.array_equal(before.rows[:, : min(5, count)], true)


def test_lists_find_nearly_all_and_all_lists_find_all(
    tmp_path: Path, mixture: Callable[..., Floats], recall: Callable[..., float]
) -> None:
    """Scores are the inner products of the vectors that are kept, whatever way they came by."""
    vectors, queries = mixture(4000), mixture(50, seed=1)
    index = opened(tmp_path)
    index.extend(rows(1, 4000), vectors)
    index.seal()
    index.merge()

    some, every = index.search(queries, 10), index.search(queries, 10, heads=10**9)

    assert some.stats.postings == 50 * 16
    assert recall(some, vectors, queries) > 0.9
    assert recall(every, vectors, queries) == 1.0
    assert some.scores == pytest.approx(np.einsum("bkd,bd->bk", vectors[some.rows - 1], queries))


def test_an_index_that_grows_finds_old_and_new(
    tmp_path: Path, mixture: Callable[..., Floats], recall: Callable[..., float]
) -> None:
    """Sealed and merged now and then, with a tail, with removals on both sides."""
    vectors, queries, alive = mixture(4000), mixture(30, seed=1), np.ones(4000, bool)
    index, rng = opened(tmp_path), np.random.default_rng(0)
    for at in range(0, 4000, 400):
        index.extend(rows(at + 1, at + 400), vectors[at : at + 400])
        lost = rng.choice(at + 400, 20, replace=False)
        index.remove(lost + 1)
        alive[lost] = False
        if at % 800:
            index.seal()
        if at % 1600 == 400:
            index.merge()

        found = index.search(queries, 10)
        assert recall(found, vectors[: at + 400], queries, alive[: at + 400]) > 0.95
        assert alive[found.rows - 1].all()

    index.seal()
    again = opened(tmp_path)
    assert (again.reach, again.fed) == (4000, 4000)
    assert recall(again.search(queries, 10), vectors, queries, alive) > 0.95
    assert alive[again.search(queries, 10, heads=10**9).rows - 1].all()


@pytest.mark.parametrize("share", [0.002, 0.02, 0.2, 0.7])
def test_a_filter_costs_no_recall(
    tmp_path: Path, mixture: Callable[..., Floats], recall: Callable[..., float], share: float
) -> None:
    """Given as a mask over rows or as the rows: the same."""
    vectors, queries = mixture(4000), mixture(30, seed=1)
    index = opened(tmp_path)
    index.extend(rows(1, 3500), vectors[:3500])
    index.seal()
    index.merge()
    index.extend(rows(3501, 4000), vectors[3500:])
    mask = np.concatenate([[False], np.random.default_rng(0).random(4000) < share])

    found = index.search(queries, 5, allowed=mask)
    same = index.search(queries, 5, allowed=np.flatnonzero(mask))

    assert mask[found.rows[found.rows > 0]].all()
    assert recall(found, vectors, queries, mask[1:]) > 0.95
    assert np.array_equal(found.rows, same.rows)


def test_a_filter_that_few_pass_is_widened_until_enough_are_found(
    tmp_path: Path, mixture: Callable[..., Floats]
) -> None:
    """What passes is far from the query, so that the nearest lists hold none of it."""
    vectors = mixture(4000)
    index = opened(tmp_path)
    index.extend(rows(1, 4000), vectors)
    index.seal()
    index.merge()
    order = np.argsort(vectors @ vectors[0])
    far = np.sort(order[:1500]) + 1

    found = index.search(vectors[:1], 5, allowed=far)

    assert np.array_equal(np.sort(found.rows[0]), np.sort(order[1495:1500]) + 1)


def test_an_empty_filter_finds_nothing(tmp_path: Path, mixture: Callable[..., Floats]) -> None:
    """Rows that the index does not know, and a mask that is shorter than the log, pass nothing."""
    index = opened(tmp_path)
    index.extend(rows(1, 20), mixture(20))

    for allowed in (np.zeros(0, np.int64), np.array([99]), np.zeros(3, bool), np.zeros(99, bool)):
        assert (index.search(mixture(1), 3, allowed=allowed).rows == -1).all()


def test_erased_vectors_are_in_no_file(
    tmp_path: Path, mixture: Callable[..., Floats], recall: Callable[..., float]
) -> None:
    """Neither as a vector nor as the head of a list; the others are found as before."""
    vectors, queries, alive = mixture(3000), mixture(30, seed=1), np.ones(3000, bool)
    index = opened(tmp_path)
    for at in range(0, 3000, 1000):
        index.extend(rows(at + 1, at + 1000), vectors[at : at + 1000])
        index.seal()
    index.merge()
    heads = np.flatnonzero([in_files(tmp_path, vector, np.float16) > 1 for vector in vectors])
    lost = np.union1d(heads[:5], [0, 1500, 2999])
    alive[lost] = False

    index.erase(lost + 1)

    assert len(heads) > 20
    for kind in (np.float16, np.float32):
        assert not any(in_files(tmp_path, vectors[at], kind) for at in lost)
    assert in_files(tmp_path, vectors[2000], np.float16)
    for each in (index, opened(tmp_path)):
        assert recall(each.search(queries, 10, heads=10**9), vectors, queries, alive) == 1.0
        assert recall(each.search(queries, 10), vectors, queries, alive) > 0.95


def in_files(folder: Path, vector: Floats, kind: type) -> int:
    """How often the bytes of a vector are in the files of the index."""
    data = vector.astype(kind).tobytes()
    return sum(path.read_bytes().count(data) for path in (folder / "index").iterdir())


def test_everything_can_be_erased(tmp_path: Path, mixture: Callable[..., Floats]) -> None:
    """What comes later is found."""
    vectors = mixture(900)
    index = opened(tmp_path)
    index.extend(rows(1, 800), vectors[:800])
    index.seal()
    index.merge()

    index.erase(rows(1, 800))
    index.extend(rows(801, 900), vectors[800:])
    index.seal()

    assert opened(tmp_path).search(vectors[850:851], 1).rows.tolist() == [[851]]
    assert (index.search(vectors[:1], 200).rows > 0).sum() == 100


def test_a_merge_stops_when_its_time_is_over_and_goes_on_later(
    tmp_path: Path, mixture: Callable[..., Floats], recall: Callable[..., float]
) -> None:
    """A search in between sees everything; so does one after another seal."""
    vectors, queries = mixture(3000), mixture(10, seed=1)
    index = opened(tmp_path)
    index.extend(rows(1, 2500), vectors[:2500])
    index.seal()
    steps = 0
    while not index.merge(seconds=0):
        steps += 1
        assert recall(index.search(queries, 10), vectors[: index.fed], queries) > 0.9
        if steps == 3:
            index.extend(rows(2501, 3000), vectors[2500:])
            index.remove(rows(1, 10))
            index.seal()

    assert steps > 5
    assert index.search(queries, 10).stats.postings > 0
    assert index.search(vectors[:10], 1).rows.min() > 10


def test_two_that_share_a_folder_see_what_the_other_sealed(
    tmp_path: Path, mixture: Callable[..., Floats]
) -> None:
    """Each takes over the other's files before it writes its own; nothing is lost or doubled."""
    vectors = mixture(1200)
    one, other = opened(tmp_path), opened(tmp_path)
    one.extend(rows(1, 700), vectors[:700])
    one.seal()
    one.merge()
    other.extend(rows(1, 800), vectors[:800])
    other.remove(rows(5, 5))

    other.seal()
    one.extend(rows(701, 700), vectors[:0])
    one.seal()

    assert (other.reach, other.fed) == (800, 800)
    for each in (other, opened(tmp_path)):
        found = each.search(vectors[[0, 4, 750]], 2000, heads=10**9).rows
        assert [sorted(row[row > 0].tolist()) for row in found] == [
            [*range(1, 5), *range(6, 801)]
        ] * 3


def test_an_erase_reaches_what_another_has_under_way(
    tmp_path: Path, mixture: Callable[..., Floats]
) -> None:
    """A merge that was begun before is given up, and begins anew without what was erased."""
    vectors = mixture(1500)
    one, other = opened(tmp_path), opened(tmp_path)
    one.extend(rows(1, 1500), vectors)
    one.seal()
    while not any((tmp_path / "index").glob("lists-*")):
        assert not one.merge(seconds=0)

    other.erase(rows(7, 7))

    assert not in_files(tmp_path, vectors[6], np.float16)
    while not one.merge():
        assert one.reach == 1500
    assert not in_files(tmp_path, vectors[6], np.float16)
    assert 7 not in one.search(vectors[6:7], 1500, heads=10**9).rows


def test_searches_run_beside_a_merge(
    tmp_path: Path, mixture: Callable[..., Floats], recall: Callable[..., float]
) -> None:
    """Each sees the index before or after, and all of it."""
    vectors, queries = mixture(4000), mixture(5, seed=1)
    index = opened(tmp_path)
    index.extend(rows(1, 4000), vectors)
    index.seal()
    shares, done = [], threading.Event()

    def search() -> None:
        while not done.is_set():
            shares.append(recall(index.search(queries, 10), vectors, queries))

    thread = threading.Thread(target=search)
    thread.start()
    index.merge()
    done.set()
    thread.join()

    assert min(shares) > 0.9


def test_memory_is_a_small_part_of_the_vectors(
    tmp_path: Path, mixture: Callable[..., Floats]
) -> None:
    """Once they are in lists; the files are about what half precision and the codes take."""
    index = opened(tmp_path, dimension=128)
    index.extend(rows(1, 6000), mixture(6000, 128))
    index.seal()
    before = index.memory_bytes()
    index.merge()

    assert before > 6000 * 128 * 4
    assert index.memory_bytes() < 0.25 * 6000 * 128 * 4
    assert 6000 * 128 * 2 < index.disk_bytes() < 6000 * 128 * 4


def test_files_stay_few(tmp_path: Path, mixture: Callable[..., Floats]) -> None:
    """Small pieces are joined, each vector a few times only; nothing unnamed is left behind."""
    vectors = mixture(640)
    index = opened(tmp_path, exact=10_000)
    for at in range(0, 640, 10):
        index.extend(rows(at + 1, at + 10), vectors[at : at + 10])
        index.seal()
        assert index.merge()

    names = [path.name for path in (tmp_path / "index").glob("vectors-*")]
    assert len(names) <= 7
    assert index.search(vectors[333:334], 1).rows.tolist() == [[334]]


@pytest.mark.parametrize(
    ("given", "vectors", "error", "said"),
    [
        ([2, 1], [[1.0, 0], [1, 0]], InvalidInput, "rows must ascend"),
        ([0], [[1.0, 0]], InvalidInput, "rows must ascend from 1"),
        ([3], [[1.0, 0]], InvalidInput, "rows must be above 5, got 3"),
        ([6], [[1.0, 0, 0]], ShapeError, r"\(n=1, D=2\), got \(1, 3\)"),
        ([6], [[3.0, 4]], InvalidInput, "length 1, got 5;"),
        ([6], [[np.nan, 0]], InvalidInput, "finite"),
        ([6.5], [[1.0, 0]], ShapeError, "whole numbers"),
    ],
)
def test_what_cannot_be_kept_is_refused(
    tmp_path: Path,
    given: list[float],
    vectors: list[list[float]],
    error: type[Exception],
    said: str,
) -> None:
    """In one line; and nothing of it is there."""
    index = opened(tmp_path, dimension=2)
    index.extend(np.array([5]), np.array([[0.0, 1]], np.float32))

    with pytest.raises(error, match=said):
        index.extend(np.array(given), np.array(vectors, np.float32))

    assert index.search(np.eye(2, dtype=np.float32), 9).rows.max() == 5
    assert index.fed == 5


def test_a_vector_of_zeros_is_kept(tmp_path: Path, mixture: Callable[..., Floats]) -> None:
    """It has inner product 0 with everything."""
    index = opened(tmp_path)
    index.extend(rows(1, 2), np.concatenate([mixture(1), np.zeros((1, 32), np.float32)]))

    found = index.search(mixture(1), 2)

    assert found.rows.tolist() == [[1, 2]]
    assert found.scores[0, 1] == 0


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """As the error of the house."""
    (tmp_path / "index").write_text("a file")

    with pytest.raises(StoreReadOnly, match="cannot be written"):
        opened(tmp_path)
