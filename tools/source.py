"""What the house's checks read: every file of the repository, parsed once."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src" / "engram"
ROLES = {
    "activation": ("budgets", "codecs", "pagers", "scorers", "selectors"),
    "plaintext": (
        "consolidators",
        "enrichers",
        "extractors",
        "indexes",
        "keepers",
        "packers",
        "refiners",
        "routers",
        "sealers",
    ),
}
ROLE_FOLDERS = tuple(SRC / room / role for room, roles in ROLES.items() for role in roles)

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class File:
    """One Python file."""

    path: Path

    @property
    def name(self) -> str:
        """The path from the root of the repository, with slashes."""
        inside = self.path.is_relative_to(ROOT)
        return (self.path.relative_to(ROOT) if inside else self.path).as_posix()

    @property
    def is_door(self) -> bool:
        """Whether the outside world comes in here: a command line or a server."""
        inside = self.path.relative_to(SRC).parts if self.path.is_relative_to(SRC) else ("",)
        return inside[0] in {"__main__.py", "cli", "cli.py", "server"}

    @cached_property
    def text(self) -> str:
        """The whole file."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text, filename=self.name)

    @cached_property
    def functions(self) -> tuple[tuple[str, Function], ...]:
        """Every function and method with its name, such as ``src/x.py:Store.open``."""
        return tuple(_functions(self.tree, f"{self.name}:"))

    @property
    def classes(self) -> list[ast.ClassDef]:
        """Every class, at any depth."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef)]


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield prefix + child.name, child
        inner = f"{prefix}{child.name}." if isinstance(child, Function | ast.ClassDef) else prefix
        yield from _functions(child, inner)


def files(*folders: str) -> list[File]:
    """The Python files under these folders of the repository, in order of name."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return [File(path) for path in sorted(found)]


def methods() -> list[File]:
    """The files of the role folders: one method each."""
    found = (path for folder in ROLE_FOLDERS for path in folder.glob("*.py"))
    return [File(path) for path in sorted(found) if path.name != "__init__.py"]


def body(node: ast.Module | ast.ClassDef | Function) -> list[ast.stmt]:
    """The statements after the docstring."""
    return node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body


def length(function: Function) -> int:
    """Lines of a function from ``def`` to its end, without its docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function, clean=False) is None:
        return lines
    docstring = function.body[0]
    return lines - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def public_methods(kind: ast.ClassDef) -> list[str]:
    """Names of the methods and properties that callers may use."""
    return [
        node.name
        for node in kind.body
        if isinstance(node, Function) and not node.name.startswith("_")
    ]


def bases(kind: ast.ClassDef) -> set[str]:
    """The last word of each base class."""
    return {ast.unparse(base).split("[")[0].split(".")[-1] for base in kind.bases}


def listed(offences: list[str]) -> str:
    """Offences one a line, for the message of a failing check."""
    return "\n  ".join(["", *offences])
