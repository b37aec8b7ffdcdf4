"""The checkpoint of a program: all of it in one file, and nothing else is taken for one."""

from pathlib import Path

import pytest

from engram.agents.files import FileStore
from engram.agents.program import FILE, Program
from engram.agents.registry import InstructionRegistry
from engram.errors import NotFound, StoreCorrupt, StoreReadOnly, StoreTooNew


def program() -> Program:
    """Two instructions and a file."""
    return Program("The täsk.", InstructionRegistry(["A.", "B."]), FileStore({"a": ["ä", ""]}))


def test_a_checkpoint_holds_all_of_a_program(tmp_path: Path) -> None:
    """In one file, and no rest of the writing beside it."""
    work = program()
    work.registry.advance("Did A.")
    work.failing = frozenset({"test_a.py::test_x"})

    path = work.dump(tmp_path / "new" / "folder")
    again = Program.load(tmp_path / "new" / "folder")

    assert [each.name for each in path.parent.iterdir()] == [FILE]
    assert (again.task, again.failing) == (work.task, work.failing)
    assert again.registry.dump() == work.registry.dump()
    assert again.store.files == work.store.files


@pytest.mark.parametrize(
    "told",
    [
        "",
        "{",
        "[]",
        "null",
        '{"engram_agent": 1}',
        '{"engram_agent": 1, "task": 7, "registry": {"instructions": [], "summaries": []}, '
        '"files": {}, "failing": []}',
        '{"engram_agent": 1, "task": "t", "registry": {"instructions": [], "summaries": ["x"]}, '
        '"files": {}, "failing": []}',
        '{"engram_agent": 1, "task": "t", "registry": {"instructions": [], "summaries": []}, '
        '"files": {"../a": ["x"]}, "failing": []}',
        '{"engram_agent": 1, "task": "t", "registry": {"instructions": [], "summaries": []}, '
        '"files": {"a": [1]}, "failing": []}',
        "[" * 100_000,
    ],
)
def test_a_checkpoint_that_is_none_is_refused(told: str, tmp_path: Path) -> None:
    """One line that names the file."""
    (tmp_path / FILE).write_text(told)

    with pytest.raises(StoreCorrupt, match=r"checkpoint\.json must be a checkpoint of an agent"):
        Program.load(tmp_path)


def test_bytes_that_are_no_text_are_no_checkpoint(tmp_path: Path) -> None:
    """They are refused in the same way."""
    (tmp_path / FILE).write_bytes(b"\xff\xfe\x00")

    with pytest.raises(StoreCorrupt):
        Program.load(tmp_path)


def test_a_checkpoint_of_a_later_version_says_so(tmp_path: Path) -> None:
    """It is not damaged."""
    (tmp_path / FILE).write_text('{"engram_agent": 2}')

    with pytest.raises(StoreTooNew, match="version 2 is not 1"):
        Program.load(tmp_path)


def test_a_folder_without_a_checkpoint_or_that_is_none_is_told(tmp_path: Path) -> None:
    """Nothing is begun by mistake."""
    (tmp_path / "file").write_text("x")

    with pytest.raises(NotFound, match=r"holds no checkpoint\.json"):
        Program.load(tmp_path)
    with pytest.raises(StoreReadOnly, match="cannot be made"):
        program().dump(tmp_path / "file")
