"""What may not be written: drawers, swallowed errors, promises, stand-ins."""

import ast
import io
import re
import tokenize

import pytest

from source import ROOT, File, body, files, listed

BANNED_STEMS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base", "v2"}
PROMISE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
BROAD = {"Exception", "BaseException"}
MOCKS = {"mock", "unittest", "pytest_mock"}
SLEEPERS: dict[str, str] = {}
"""Test files that may sleep, with the reason."""

everywhere = pytest.mark.parametrize("folder", ["src", "tests", "tools", "bench"])


@everywhere
def test_no_name_is_a_drawer(folder: str) -> None:
    """A name that fits everything collects everything."""
    parts = {
        part: path
        for path in (ROOT / folder).rglob("*")
        if path.suffix == ".py" or path.is_dir()
        for part in path.stem.split("_")
    }

    assert {part: path for part, path in parts.items() if part in BANNED_STEMS} == {}


def test_only_doors_catch_everything() -> None:
    """Elsewhere the narrowest class is named, or the error goes on its way after a clean-up."""
    broad = [
        f"{file.name}:{node.lineno}"
        for file in files("src", "tools")
        for node in ast.walk(file.tree)
        if isinstance(node, ast.ExceptHandler) and _is_broad(node) and not _raises_again(node)
        if not file.is_door
    ]

    assert not broad, listed(broad)


@everywhere
def test_no_comment_makes_a_promise(folder: str) -> None:
    """Work that is not done is on a branch, not in a comment."""
    promises = [
        f"{file.name}:{token.start[0]} {token.string}"
        for file in files(folder)
        for token in tokenize.generate_tokens(io.StringIO(file.text).readline)
        if token.type == tokenize.COMMENT and PROMISE.search(token.string)
    ]

    assert not promises, listed(promises)


def test_nothing_is_a_stub() -> None:
    """Every function does something; only the verbs of protocols and overloads are bare."""
    stubs = [name for file in files("src", "tools") for name in _stubs(file)]
    unfinished = [
        f"{file.name}:{node.lineno}"
        for file in files("src", "tools")
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Name) and node.id in {"NotImplementedError", "NotImplemented"}
    ]

    assert not (stubs + unfinished), listed(stubs + unfinished)


def test_no_test_replaces_our_own_code() -> None:
    """Ports get fakes from ``engram.testing``; everything else runs as it is."""
    mocks = [
        f"{file.name}:{node.lineno}"
        for file in files("tests")
        for node in ast.walk(file.tree)
        if isinstance(node, ast.stmt | ast.expr)
        if _imports(node) & MOCKS or _patches_engram(node)
    ]

    assert not mocks, listed(mocks)


def test_no_test_sleeps() -> None:
    """A test waits for the thing it needs, or tells the clock."""
    sleeps = [
        f"{file.name}:{node.lineno}"
        for file in files("tests")
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"sleep", "time.sleep"}
        if file.name not in SLEEPERS
    ]

    assert not sleeps, listed(sleeps)


def test_every_test_says_what_it_expects() -> None:
    """The name is a sentence and the docstring says why."""
    silent = [
        name
        for file in files("tests")
        for name, function in file.functions
        if function.name.startswith("test_")
        if ast.get_docstring(function) is None or function.name.count("_") < 3
    ]

    assert not silent, listed(silent)


def _is_broad(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return bool(BROAD & {ast.unparse(kind) for kind in kinds})


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _stubs(file: File) -> list[str]:
    bare = {
        f"{file.name}:{kind.name}"
        for kind in file.classes
        if any(ast.unparse(base).startswith("Protocol") for base in kind.bases)
    }
    return [
        name
        for name, function in file.functions
        if name.rsplit(".", 1)[0] not in bare
        if not any("overload" in ast.unparse(each) for each in function.decorator_list)
        # a docstring alone is honest: it says that there is nothing to do, and why
        if body(function) and all(_is_nothing(statement) for statement in body(function))
    ]


def _is_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return statement.value.value is ...
    return isinstance(statement, ast.Pass)


def _imports(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return {(node.module or "").split(".")[0]}
    return set()


def _patches_engram(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not ast.unparse(node.func).endswith(".setattr"):
        return False
    return bool(node.args) and "engram" in ast.unparse(node.args[0])
