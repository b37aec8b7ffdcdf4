"""One method: one file, one test, one row."""

import ast
import re

import pytest

from source import ROLE_FOLDERS, ROLES, ROOT, SRC, File, bases, body, listed, methods

every_method = pytest.mark.parametrize("file", methods(), ids=lambda file: file.name)


@every_method
def test_a_method_names_its_source(file: File) -> None:
    """The docstring holds the idea, where it comes from, and what differs."""
    said = ast.get_docstring(file.tree) or ""

    assert re.search(r"\A\S.*[.\n].*?^Source: \S.*^Differs: \S", said, re.DOTALL | re.MULTILINE), (
        f"{file.name}: the module docstring must be a sentence, then 'Source: ...' and "
        f"'Differs: ...' (or 'Differs: nothing known.')"
    )


@every_method
def test_a_method_has_its_own_test(file: File) -> None:
    """Beside the contract of its role it has a slow form or a claim of its own."""
    folder = file.path.parent.relative_to(SRC)
    expected = ROOT / "tests" / folder / f"test_{file.path.name}"

    assert expected.exists(), f"{file.name} needs {expected.relative_to(ROOT)}"


@every_method
def test_a_method_is_frozen_settings_with_a_verb(file: File) -> None:
    """State is passed in and change is proposed, so there is nothing to write to."""
    loose = [
        kind.name
        for kind in file.classes
        if not kind.name.startswith("_")
        if not bases(kind) & {"Protocol", "NamedTuple", "StrEnum", "IntEnum"}
        if not _is_frozen(kind)
    ]

    assert not loose, listed(loose)


def test_the_init_of_a_role_folder_is_a_docstring() -> None:
    """It says what the role is for and imports nothing, so that listing methods costs nothing."""
    inits = [File(folder / "__init__.py") for folder in ROLE_FOLDERS]

    assert [f.name for f in inits if body(f.tree) or ast.get_docstring(f.tree) is None] == []


def test_a_role_folder_fits_a_glance() -> None:
    """With more than sixteen methods a role is split by question."""
    sizes = {folder.name: len(list(folder.glob("[!_]*.py"))) for folder in ROLE_FOLDERS}

    assert {name: size for name, size in sizes.items() if size > 16} == {}


def test_every_role_folder_is_known_to_these_checks() -> None:
    """A new folder of the room is a role, or one of the rooms that hold no methods."""
    others = {"store", "text", "__pycache__"}
    found = {path for room in ROLES for path in (SRC / room).iterdir() if path.is_dir()}

    assert found - {path for path in found if path.name in others} == set(ROLE_FOLDERS)


def _is_frozen(kind: ast.ClassDef) -> bool:
    marks = [ast.unparse(each) for each in kind.decorator_list]
    return any("frozen=True" in mark and "slots=True" in mark for mark in marks)
