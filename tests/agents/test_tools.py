"""The tools: what a call does, what its result says, and what is refused."""

from typing import Any

import pytest

from engram.agents.files import FileStore
from engram.agents.tools import LONGEST_LIST, SCHEMA, lacking, used
from engram.plaintext.text.replies import object_in
from engram.plaintext.text.tokens import estimated


def call(store: FileStore, tool: str, most: int = 1000, **given: Any) -> str:
    """The result of a call."""
    return used(store, {"tool": tool, **given}, most)


def test_a_file_is_written_read_and_lengthened() -> None:
    """The results tell how long it is."""
    store = FileStore()

    said = [
        call(store, "write", path="a.md", text="one\ntwo\n"),
        call(store, "append", path="./a.md", text="three"),
        call(store, "append", path="b.md", text="new\r\n"),
        call(store, "read", path="a.md", start=2),
        call(store, "read", path="a.md", start=1, end=1),
    ]

    assert said == [
        "a.md has 2 lines.",
        "a.md has 3 lines.",
        "b.md has 1 line.",
        "a.md (3 lines), from line 2:\ntwo\nthree",
        "a.md (3 lines), from line 1:\none",
    ]
    assert store.read("b.md") == ["new"]


def test_files_are_listed_by_folder() -> None:
    """A folder or a file; names that only begin alike are not below it."""
    store = FileStore({"src/a": [], "src/b/c": ["x"], "srcs": [], "d": []})

    assert call(store, "list") == "d (0 lines)\nsrc/a (0 lines)\nsrc/b/c (1 line)\nsrcs (0 lines)"
    assert call(store, "list", path="./src/") == "src/a (0 lines)\nsrc/b/c (1 line)"
    assert call(store, "list", path="d") == "d (0 lines)"
    assert call(store, "list", path="nowhere") == "There are no files."


def test_a_long_list_says_how_much_more_there_is() -> None:
    """The rest is found folder by folder."""
    store = FileStore({f"{number:03}": [] for number in range(LONGEST_LIST + 3)})

    said = call(store, "list", most=10_000).split("\n")

    assert len(said) == LONGEST_LIST + 1
    assert said[-1] == "and 3 more; list a folder"


def test_a_python_file_of_wrong_syntax_is_not_written() -> None:
    """Neither whole nor by what is added to it; the result says what is wrong."""
    store = FileStore({"a.py": ["x = 1"]})

    said = [
        call(store, "write", path="b.py", text="def"),
        call(store, "append", path="a.py", text="y = ("),
    ]

    assert all("the syntax would be wrong" in each for each in said)
    assert "a.py:2" in said[1]
    assert store.files == {"a.py": ("x = 1",)}


@pytest.mark.parametrize(
    ("tool", "given", "told"),
    [
        ("read", {}, "read needs path"),
        ("write", {"path": "a"}, "write needs text"),
        ("append", {}, "append needs path and text"),
        ("read", {"path": "b"}, "no file 'b'"),
        ("delete", {"path": "b"}, "no file 'b'"),
        ("read", {"path": "a", "start": 3, "end": 2}, "start must not be after end"),
        ("write", {"path": "../b", "text": "x"}, "must not lead out"),
        ("append", {"path": "/b", "text": "x"}, "must not lead out"),
        ("read", {"path": "../../etc/passwd"}, "must not lead out"),
        ("write", {"path": "a/b", "text": "x"}, "a file and a folder"),
        ("write", {"path": "a", "text": "# rest unchanged"}, "a line stands for others"),
    ],
)
def test_what_a_call_gets_wrong_is_told_and_changes_nothing(
    tool: str, given: dict[str, Any], told: str
) -> None:
    """The model can then do it right."""
    store = FileStore({"a": ["x"] * 20})
    before = store.snapshot()

    said = call(store, tool, **given)

    assert said.startswith("error: ")
    assert told in said
    assert store.snapshot() == before


@pytest.mark.parametrize("most", [20, 100])
def test_a_long_result_leaves_its_middle_out(most: int) -> None:
    """The context has no room for more."""
    store = FileStore({"a": [f"line {number}" for number in range(5_000)]})

    said = call(store, "read", path="a", most=most)

    assert estimated(said) <= most
    assert said.startswith("a (5000")
    assert "[...]" in said
    assert said.endswith("4999")


def test_a_deleted_file_is_gone() -> None:
    """And can be written anew."""
    store = FileStore({"a": ["x"] * 20})

    assert call(store, "delete", path="a") == "a is gone."
    assert call(store, "write", path="a", text="") == "a has 0 lines."


@pytest.mark.parametrize(
    "text",
    [
        '{"tool": "rm", "path": "a"}',
        '{"path": "a"}',
        '{"tool": "read", "path": 7}',
        '{"tool": "read", "path": "a", "start": 0}',
        '{"tool": "list", "sudo": true}',
        '{"tool": "write", "path": "a", "text": "\\ud800"}',
        "[]",
    ],
)
def test_what_is_no_call_fits_no_schema(text: str) -> None:
    """It never reaches a tool."""
    assert object_in(text, SCHEMA)[0] is None


def test_a_step_ends_with_a_summary() -> None:
    """Or is not ended."""
    assert lacking({"tool": "done"}) == "done needs summary"
    assert lacking({"tool": "done", "summary": "x"}) == ""
