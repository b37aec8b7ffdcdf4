"""The file store: whole files, plain paths, and nothing that is lost by mistake."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.agents.files import GUARDED, LONGEST_PATH, FileStore, checked_path
from engram.errors import InvalidInput, NotFound, StoreReadOnly

LONG = [f"line {number}" for number in range(20)]


@pytest.mark.parametrize("path", ["a", "a/b.txt", "./a", "a//b", "a/./b", ".hidden", "ä/ö.md"])
def test_a_plain_path_is_taken(path: str) -> None:
    """And stands in one form."""
    store = FileStore({path: ["x"]})

    assert store.paths() == [checked_path(path)]
    assert store.read(path) == ["x"]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/etc/passwd",
        "../a",
        "a/../../b",
        "a/..",
        ".",
        "a\\b",
        "C:/a",
        "a\0b",
        "a\nb",
        "\ud800",
        "x" * (LONGEST_PATH + 1),
        "字" * 100,
        None,
        7,
    ],
)
def test_a_path_that_leads_out_or_is_odd_is_refused(path: str) -> None:
    """Nothing is written, and nothing outside can be read."""
    store = FileStore()

    for act in (lambda: store.write(path, ["x"]), lambda: store.read(path)):
        with pytest.raises(InvalidInput, match="must be"):
            act()
    with pytest.raises(InvalidInput):
        store.delete(path)
    assert store.paths() == []


@pytest.mark.parametrize(("one", "other"), [("a", "a/b"), ("a/b", "a"), ("a/b/c", "a")])
def test_a_file_is_no_folder(one: str, other: str) -> None:
    """The two could not stand side by side on a disk."""
    store = FileStore({one: ["x"]})

    with pytest.raises(InvalidInput, match="a file and a folder"):
        store.write(other, ["y"])


def test_lines_are_read_by_their_number() -> None:
    """Counted from 1, both ends included; what is beyond the end is not there."""
    store = FileStore({"a": ["one", "two", "three"]})

    assert store.read("a", 2) == ["two", "three"]
    assert store.read("a", 1, 2) == ["one", "two"]
    assert store.read("a", 3, 99) == ["three"]
    assert store.read("a", 9) == []


def test_a_line_with_a_break_is_two_lines() -> None:
    """However it is passed."""
    assert FileStore({"a": ["one\ntwo", ""]}).read("a") == ["one", "two", ""]


def test_a_file_can_be_empty() -> None:
    """It is there."""
    store = FileStore({"a": []})

    assert store.paths() == ["a"]
    assert store.read("a") == []


@pytest.mark.parametrize("fresh", [LONG[:9], ["# nothing"], []])
def test_a_write_that_loses_most_lines_is_refused(fresh: list[str]) -> None:
    """A model that abbreviates would throw work away."""
    store = FileStore({"a": LONG})

    with pytest.raises(InvalidInput, match="20 lines would become"):
        store.write("a", fresh)
    assert store.read("a") == LONG


def test_a_file_that_is_deleted_first_can_be_replaced_by_a_short_one() -> None:
    """So can a small one be at any time, and a long one by half of it."""
    store = FileStore({"a": LONG, "b": LONG[: GUARDED - 1], "c": LONG})

    store.delete("a")
    store.write("a", ["x"])
    store.write("b", ["x"])
    store.write("c", LONG[:10])

    assert [len(store.read(path)) for path in "abc"] == [1, 1, 10]


@pytest.mark.parametrize(
    "line",
    [
        "# ... rest of the file unchanged",
        "# (the remaining functions stay the same)",
        "// existing code here",
        "    # ... previous methods as before ...",
        "<!-- unchanged -->",
    ],
)
def test_a_line_that_stands_for_others_is_refused(line: str) -> None:
    """Whole files are written; one that held that line before may go on doing so."""
    store = FileStore({"a": LONG, "b": [line]})

    with pytest.raises(InvalidInput, match="a line stands for others"):
        store.write("a", [*LONG, line])
    store.write("b", [line, "more"])

    assert store.read("a") == LONG


@pytest.mark.parametrize(
    "line", ["rest = unchanged(here)", "# The others are in b.py.", "...", "def same(): ..."]
)
def test_code_that_only_sounds_like_it_is_taken(line: str) -> None:
    """A guard that refuses good files is worse than none."""
    store = FileStore({"a": LONG})

    store.write("a", [*LONG, line])

    assert store.read("a")[-1] == line


def test_half_a_character_is_refused() -> None:
    """It could be written to no disk."""
    with pytest.raises(InvalidInput, match="whole characters"):
        FileStore({"a": ["\ud83d"]})


def test_what_is_not_there_is_not_found() -> None:
    """Neither to read nor to delete, nor a snapshot."""
    store = FileStore()

    with pytest.raises(NotFound, match="no file 'a'"):
        store.read("a")
    with pytest.raises(NotFound, match="no file 'a'"):
        store.delete("a")
    with pytest.raises(NotFound, match="no snapshot"):
        store.restore("0")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.lists(st.text("xy", max_size=3), max_size=7))))
def test_a_restored_store_is_what_it_was(writes: list[tuple[str, list[str]]]) -> None:
    """After any writes; equal files have equal ids, and others have not."""
    store = FileStore({"d": ["kept"]})
    before, files = store.snapshot(), dict(store.files)
    for path, lines in writes:
        store.write(path, lines)

    same = store.files == files
    after = store.snapshot()
    store.restore(before)

    assert (after == before) == same
    assert store.files == files
    assert store.snapshot() == before


def test_files_are_exported_with_ends_of_line(tmp_path: Path) -> None:
    """As UTF-8; what else lies in the folder stays, what is named as gone goes."""
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "old.txt").write_text("old")

    FileStore({"a/b.txt": ["ä", ""], "c": []}).export(tmp_path, gone=["old.txt", "older.txt"])

    found = {
        path.relative_to(tmp_path).as_posix(): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert found == {"a/b.txt": "ä\n\n".encode(), "c": b"", "mine.txt": b"mine"}


def test_a_folder_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    """One line that names it."""
    (tmp_path / "a").write_text("a file where a folder must be")

    with pytest.raises(StoreReadOnly, match="cannot be written"):
        FileStore({"a/b": ["x"]}).export(tmp_path)
