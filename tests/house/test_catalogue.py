"""The catalogue is data: sorted, literal, complete, and every part of it opens."""

import ast
import dataclasses
from pathlib import Path

import pytest

from engram.catalogue import ROWS, Row
from rows import parts, promise
from source import SRC, File, listed, methods

every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)


ROOMS = sorted(path for path in (SRC / "catalogue").glob("[!_]*.py") if path.stem != "row")


def _calls(room: Path) -> list[ast.Call]:
    [value] = [
        node.value
        for node in File(room).tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and "ROWS" in ast.unparse(node).split("=")[0]
    ]
    assert isinstance(value, ast.Tuple), "ROWS must be a tuple of Row(...), written out"
    assert all(isinstance(row, ast.Call) for row in value.elts)
    return [row for row in value.elts if isinstance(row, ast.Call)]


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.stem)
def test_rows_are_literal(room: Path) -> None:
    """Logic in a row would make the list of methods something to debug."""
    for row in _calls(room):
        for value in [*row.args, *(keyword.value for keyword in row.keywords)]:
            ast.literal_eval(value)


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.stem)
def test_rows_are_sorted_by_key(room: Path) -> None:
    """In the order of the alphabet, in the file of their room, each key once in the house."""
    keys = [ast.literal_eval(call.args[0]) for call in _calls(room)]

    assert keys == sorted(keys)
    assert {ast.literal_eval(call.args[1]) for call in _calls(room)} == {room.stem}
    assert len({row.key for row in ROWS}) == len(ROWS)


def test_every_row_says_where_it_comes_from() -> None:
    """A published system without a source is a rumour."""
    assert [row.key for row in ROWS if not row.source.strip() or not row.differs.strip()] == []


def test_every_method_file_has_a_row() -> None:
    """A method that no system uses is dead code."""
    named = {part.use.split(":")[0] for row in ROWS for part in parts(row)}
    lost = [
        file.name
        for file in methods()
        if ".".join(file.path.relative_to(SRC).with_suffix("").parts) not in named
    ]

    assert not lost, listed(lost)


@every_row
def test_every_part_opens_with_its_settings(row: Row) -> None:
    """Rows are strings, so that listing imports nothing: here they are followed."""
    unknown = [
        f"{part.use} has no setting {name!r}"
        for part in parts(row)
        for name in part.given.keys() - {field.name for field in dataclasses.fields(part.kind)}
    ]

    assert not unknown, listed(unknown)


@every_row
def test_every_claim_is_measured_by_a_function_that_says_it(row: Row) -> None:
    """The first line of its docstring is what the documentation prints."""
    assert not row.claim or promise(row.claim)
