"""Columns in files: a first search reads them, and never more than what the store says."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engram.memory import Memory
from engram.plaintext.store import column_files

SAID = [f"Item {at}: the {word} is in box {at % 7}." for at, word in enumerate("abcdefghij" * 4)]
SECRET = "The password of the harbour gate is xylophone."


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are written for spaces of eight rows and more."""
    monkeypatch.setattr(column_files, "MANY", 8)


def opened(path: Path, **settings: Any) -> Memory:
    """A memory that fsyncs nothing."""
    return Memory.open(path, durability="off", **settings)


def filled(path: Path) -> None:
    """A file with some turns, its columns beside it."""
    with opened(path) as memory:
        memory.add([{"role": "user", "content": text} for text in SAID], run_id="talk")
        memory.search("box")


def found(memory: Memory, query: str = "Which item is in box 3?") -> list[tuple[str, float]]:
    """Ids and scores of what is found."""
    return [(each["id"], each["score"]) for each in memory.search(query, top_k=50)["results"]]


def held(memory: Memory) -> int:
    """Rows of the default user's space that came from a file."""
    return next(iter(memory.store._caches.values())).filed


def columns_of(path: Path) -> list[Path]:
    """The files beside a store."""
    return sorted(column_files.folder(path).glob("*"))


def test_a_first_search_takes_the_rows_from_the_file(tmp_path: Path) -> None:
    """It finds what a search that reads the store finds."""
    path = tmp_path / "memory.db"
    filled(path)
    with opened(path) as memory:
        from_file, rows = found(memory), held(memory)
    shutil.rmtree(column_files.folder(path))

    with opened(path) as memory:
        assert found(memory) == from_file != []
        assert held(memory) == 0 < rows


def test_what_came_after_the_file_is_read_from_the_store(tmp_path: Path) -> None:
    """New rows are found, changed ones changed, deleted ones gone."""
    path = tmp_path / "memory.db"
    filled(path)
    with opened(path) as memory:
        records = memory.get_all()["results"]
        memory.add("The zebra is in box 3.", run_id="talk")
        memory.update(records[3]["id"], "Item 3 moved to the attic.")
        memory.delete(records[10]["id"])
    with opened(path) as memory:
        texts = [each["memory"] for each in memory.search("box 3", top_k=50)["results"]]
        assert held(memory) > 0
        from_file = found(memory)
    shutil.rmtree(column_files.folder(path))

    assert "The zebra is in box 3." in texts
    assert not {SAID[3], SAID[10]} & set(texts)
    with opened(path) as memory:
        assert found(memory) == from_file


def flipped(content: bytes) -> bytes:
    """One bit is another."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damaged",
    [flipped, lambda content: content[:-9], lambda _: b"", lambda _: b"ecol", lambda c: c + b"x"],
    ids=["a bit", "the end", "all", "all but the mark", "more"],
)
def test_a_damaged_file_is_as_good_as_none(
    tmp_path: Path, damaged: Callable[[bytes], bytes]
) -> None:
    """The store is read, and nothing is said."""
    path = tmp_path / "memory.db"
    filled(path)
    with opened(path) as memory:
        whole = found(memory)
    (file,) = columns_of(path)
    file.write_bytes(damaged(file.read_bytes()))

    with opened(path) as memory:
        assert found(memory) == whole
        assert held(memory) == 0


def test_an_erase_destroys_the_files(tmp_path: Path) -> None:
    """They hold vectors of what was erased; later ones hold none."""
    path = tmp_path / "memory.db"
    filled(path)
    with opened(path) as memory:
        secret = memory.add(SECRET)["results"][0]["id"]
        memory.search("password")
    assert len(columns_of(path)) == 1
    with opened(path) as memory:
        memory.search("password")

        memory.erase(secret)

        assert columns_of(path) == []
        assert secret not in dict(found(memory, "password"))


def test_a_file_of_another_past_is_not_used(tmp_path: Path) -> None:
    """A store that was put back as it once was goes on from there."""
    path, copy = tmp_path / "memory.db", tmp_path / "copy.db"
    with opened(path) as memory:
        memory.add([{"role": "user", "content": text} for text in SAID[:4]])
    shutil.copy(path, copy)
    with opened(path) as memory:
        memory.add([{"role": "user", "content": text} for text in SAID[4:]])
        memory.search("box")
    assert columns_of(path)
    shutil.copy(copy, path)

    with opened(path) as memory:
        memory.add([{"role": "user", "content": f"Other {text}"} for text in SAID[4:]])
        texts = {each["memory"] for each in memory.search("box", top_k=50)["results"]}

        assert held(memory) == 0
        assert texts == {*SAID[:4], *(f"Other {text}" for text in SAID[4:])}


def test_another_embedder_has_files_of_its_own(tmp_path: Path) -> None:
    """Vectors of one are never taken for those of the other."""
    path = tmp_path / "memory.db"
    filled(path)

    with opened(path, embedder="none") as memory:
        words = found(memory)
        assert held(memory) == 0

    assert words
    assert len(columns_of(path)) == 2


def test_a_small_memory_has_no_files(tmp_path: Path) -> None:
    """Its rows are read in no time."""
    with opened(tmp_path / "memory.db") as memory:
        memory.add(SAID[0])
        memory.search("box")

    assert columns_of(tmp_path / "memory.db") == []
