"""Whatever happens to the files, an index opens, says how far it reaches, and finds what it has."""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engram.vectors import Segments, Spann, manifest
from engram.vectors.exact import Floats
from engram.vectors.files import PART, Damaged, Reader, Writer

SETTINGS = Spann(heads=16)
COUNT = 1500


def opened(folder: Path) -> Segments:
    """The index of a folder, small enough to have lists."""
    return Segments.open(folder, 32, settings=SETTINGS, exact=400)


def fed(folder: Path, vectors: Floats) -> Segments:
    """An index that is fed what it does not have, as a store feeds it."""
    index = opened(folder)
    index.extend(np.arange(index.fed + 1, len(vectors) + 1), vectors[index.fed :])
    index.remove(np.arange(1, len(vectors), 100))
    return index


@pytest.fixture
def whole(tmp_path: Path, mixture: Callable[..., Floats]) -> tuple[Path, Floats]:
    """A folder with pieces, lists and removals, and its vectors."""
    vectors, folder = mixture(COUNT), tmp_path / "index"
    index = opened(folder)
    for first, last in ((0, 900), (900, 1000), (1000, COUNT)):
        index.extend(np.arange(first + 1, last + 1), vectors[first:last])
        index.seal()
        if last == 1000:
            index.merge()
    index.remove(np.arange(1, COUNT, 100))
    index.seal()
    return folder, vectors


def complete(index: Segments, vectors: Floats) -> None:
    """Everything is found that was not removed, with its score, and nothing else."""
    alive = np.setdiff1d(np.arange(1, COUNT + 1), np.arange(1, COUNT, 100))
    found = index.search(vectors[:2], COUNT, heads=10**9)
    for query, rows, scores in zip(vectors[:2], found.rows, found.scores, strict=True):
        known = rows > 0
        assert np.array_equal(np.sort(rows[known]), alive)
        assert scores[known] == pytest.approx(vectors[rows[known] - 1] @ query, abs=1e-6)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "lost": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "torn": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "an end cut off": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "a byte changed at the start": lambda path: path.write_bytes(flipped(path, 0.001)),
    "a byte changed in the middle": lambda path: path.write_bytes(flipped(path, 0.5)),
    "a byte changed at the end": lambda path: path.write_bytes(flipped(path, 0.999)),
    "something else": lambda path: path.write_bytes(b"\xff" * 5000),
}


def flipped(path: Path, share: float) -> bytes:
    """A file with some bits of one byte changed."""
    data = bytearray(path.read_bytes())
    data[int(share * len(data))] ^= 0x55
    return bytes(data)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(
    ("kind", "which"),
    [("manifest", 0), ("vectors-", 0), ("vectors-", -1), ("lists-", 0), ("gone-", 0)],
)
def test_after_any_damage_the_index_is_complete_again(
    whole: tuple[Path, Floats], kind: str, which: int, damage: str
) -> None:
    """It opens, the store feeds it what is above its reach, and a merge makes the lists again."""
    folder, vectors = whole
    path = sorted(folder.glob(f"{kind}*"))[which]
    kept = path.read_bytes()

    DAMAGES[damage](path)

    assert not path.exists() or path.read_bytes() != kept
    index = fed(folder, vectors)
    complete(index, vectors)
    index.seal()
    index.merge()
    complete(index, vectors)
    complete(opened(folder), vectors)
    assert index.reach == COUNT
    assert opened(folder).verify() == []


def test_reach_ends_before_the_first_piece_that_is_lost(
    whole: tuple[Path, Floats],
) -> None:
    """What lies behind it is given up: the store feeds from there on."""
    folder, _ = whole
    last = json.loads((folder / manifest.NAME).read_bytes().partition(b"\n")[2])["pieces"][-1]

    (folder / last).unlink()

    assert opened(folder).reach == 1000


def test_damage_that_is_too_large_to_be_seen_on_opening_is_found_by_verify(
    whole: tuple[Path, Floats],
) -> None:
    """Until then it is searched without an error; afterwards it is fed again."""
    folder, vectors = whole
    lists = next(folder.glob("lists-*"))
    with lists.open("r+b") as file:
        file.write(b"\xff" * 20_000)
    piece = sorted(folder.glob("vectors-*"))[-1]
    with piece.open("r+b") as file:
        file.seek(9000)
        file.write(b"\x01" * 20)
    index = Segments.open(folder, 32, settings=SETTINGS, exact=400, check=0)

    index.search(vectors[:5], 10)
    told = index.verify()

    assert [name.split()[0] for name in told] == sorted([lists.name, piece.name])
    assert index.reach == index.fed < COUNT
    index.extend(np.arange(index.fed + 1, COUNT + 1), vectors[index.fed :])
    index.remove(np.arange(1, COUNT, 100))
    complete(index, vectors)
    index.seal()
    assert opened(folder).verify() == []


def hurt(path: Path) -> None:
    """Write over the middle of a file, so that only its checksum tells."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 300)


@pytest.mark.parametrize("kind", ["lists-*", "vectors-*"])
def test_an_erase_that_comes_upon_damage_leaves_it_out(
    whole: tuple[Path, Floats], kind: str
) -> None:
    """It is not copied under a new checksum; the index is complete once it is fed."""
    folder, vectors = whole
    hurt(sorted(folder.glob(kind))[0])
    index = Segments.open(folder, 32, settings=SETTINGS, exact=400, check=0)

    index.erase(np.arange(1, COUNT, 100))

    assert index.verify() == []
    assert (index.reach == COUNT) == (kind == "lists-*")
    complete(fed(folder, vectors), vectors)


def test_a_join_that_comes_upon_damage_leaves_it_out(
    whole: tuple[Path, Floats], mixture: Callable[..., Floats]
) -> None:
    """A merge says that it is not done, and the reach that the store must feed again."""
    folder, vectors = whole
    hurt(sorted(folder.glob("vectors-*"))[-1])
    index = Segments.open(folder, 32, settings=SETTINGS, exact=10_000, check=0)
    index.extend(np.arange(COUNT + 1, COUNT + 451), mixture(450, seed=9))
    index.seal()

    assert not index.merge()

    assert index.reach == index.fed == 1000
    complete(fed(folder, vectors), vectors)


def test_what_was_cut_short_is_swept_away(whole: tuple[Path, Floats]) -> None:
    """By the next one who opens the folder."""
    folder, vectors = whole
    (folder / f"lists-99{PART}").write_bytes(b"half of it")
    (folder / "vectors-98").write_bytes(b"not named")

    complete(opened(folder), vectors)

    assert not [*folder.glob("*9[89]*")]


def test_another_dimension_is_another_index(whole: tuple[Path, Floats]) -> None:
    """As after a change of the embedding model: what is there is of no use."""
    folder, _ = whole

    assert Segments.open(folder, 16).reach == 0


def work(folder: Path, vectors: Floats, line: int) -> None:
    """Feed, seal and merge, and tell of every step, until killed."""
    index = opened(folder)
    while True:
        more = min(COUNT, index.fed + 97)
        index.extend(np.arange(index.fed + 1, more + 1), vectors[index.fed : more])
        index.remove(np.arange(1, more, 100))
        index.seal()
        os.write(line, b"s")
        while not index.merge(seconds=0):
            os.write(line, b"m")
        if index.reach == COUNT:
            index.erase(np.arange(1, COUNT, 100))
            os.write(line, b"e")


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and signals")
@pytest.mark.parametrize("after", [1, 2, 5, 23, 60])
def test_a_killed_process_leaves_the_old_or_the_new(
    tmp_path: Path, mixture: Callable[..., Floats], after: int
) -> None:
    """Killed in the midst of a seal, a merge or an erase; what it had sealed is there."""
    vectors, folder = mixture(COUNT), tmp_path / "index"
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:  # the child
        try:
            work(folder, vectors, writing)
        finally:
            os._exit(1)
    os.close(writing)
    told = b""
    while len(told) < after:
        told += os.read(reading, 1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    told += os.read(reading, 1 << 16)
    os.close(reading)

    index = opened(folder)

    assert index.reach >= min(COUNT, 97 * told.count(b"s"))
    assert index.verify() == []
    index = fed(folder, vectors)
    complete(index, vectors)
    index.seal()
    index.merge()
    complete(opened(folder), vectors)


def test_a_file_that_was_not_closed_is_none(tmp_path: Path) -> None:
    """Its name is there only when all of it is."""
    path = tmp_path / "vectors-1"
    out = Writer(path)
    out.append("rows", np.arange(5))

    assert not path.exists()
    with pytest.raises(Damaged, match="cannot be read"):
        Reader(path)
    out.discard()
    assert not [*tmp_path.iterdir()]


def test_arrays_come_back_as_they_were_written(tmp_path: Path) -> None:
    """In parts, empty, of any kind, read whole, in part, and as a map."""
    parts = [np.arange(6, dtype=np.float16).reshape(2, 3), np.ones((1, 3), np.float16)]
    out = Writer(tmp_path / "file")
    for part in parts:
        out.append("halves", part)
    out.append("none", np.zeros((0, 4), np.int64))
    out.close()

    file = Reader(tmp_path / "file")

    file.check()
    assert np.array_equal(file.array("halves"), np.concatenate(parts))
    assert np.array_equal(file.array("halves", 1, 2), parts[0][1:])
    assert np.array_equal(file.mapped("halves"), np.concatenate(parts))
    assert file.array("none").shape == file.mapped("none").shape == (0, 4)
    with pytest.raises(Damaged, match="holds no other"):
        file.array("other")
