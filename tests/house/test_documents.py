"""Pages that cannot lie: their code is run, their output compared, their links followed."""

import contextlib
import doctest
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from commands import commands
from docs import pages
from source import ROOT, listed

GENERATED = {ROOT / "docs" / name for name, _ in pages()}
WRITTEN = sorted(
    path
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    if path.exists() and path not in GENERATED
)
BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NOT_RUN = re.compile(r"<!-- not run: \S.*-->\s*\Z")
"""Above a block that needs something that is not here, such as an extra or a server."""

PATH = re.compile(r"`((?:src|tests|docs|tools|bench|changes|\.ci)/[a-z0-9_/.-]+)`")
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)(?:#[^)]*)?\)")

every_page = pytest.mark.parametrize("page", WRITTEN, ids=lambda path: path.name)


@dataclass(frozen=True)
class Block:
    """One fenced block. ``output`` is the ``text`` block right below it, or None."""

    language: str
    code: str
    line: int
    runs: bool
    output: str | None


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        below = BLOCK.match(text, found.end() + len("\n\n"))
        shown = below[2] if below and below[1] == "text" else None
        runs = not NOT_RUN.search(text[: found.start()])
        line = text.count("\n", 0, found.start()) + 1
        yield Block(found[1], found[2], line, runs, shown)


def run(page: Path, block: Block, names: dict[str, Any]) -> str:
    """What the block prints; its traceback shows the lines of the page."""
    code = compile("\n" * block.line + block.code, str(page), "exec")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, names)
    return printed.getvalue()


@every_page
def test_the_python_of_a_page_does_what_the_page_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    """A page is one session in an empty folder; ``...`` in shown output stands for anything."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    same = doctest.OutputChecker().check_output

    for block in blocks(page):
        if block.language == "python" and block.runs:
            printed = run(page, block, names)
            if block.output is not None:
                flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
                assert same(block.output, printed, flags), (
                    f"{page.name}:{block.line} shows\n{block.output}\nbut prints\n{printed}"
                )


@every_page
def test_the_commands_that_a_page_shows_exist(page: Path) -> None:
    """Those of engram and those of make."""
    shell = "\n".join(block.code for block in blocks(page) if block.language in {"console", "sh"})
    known = {each.name for each in commands()}
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    unknown = [
        f"engram {words}"
        for words in re.findall(r"^\$ engram ((?:[a-z]+ ?)+)", shell, re.MULTILINE)
        if not any(f"engram {words} ".startswith(f"{name} ") for name in known)
    ]
    missing = [
        f"make {word}"
        for word in re.findall(r"^\$ make ([a-z]+)", shell, re.MULTILINE)
        if word not in targets
    ]

    assert not (unknown + missing), listed(unknown + missing)


@every_page
def test_links_and_paths_of_a_page_lead_somewhere(page: Path) -> None:
    """Links are followed from the page, paths in backticks from the root."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    dead = [target for target in LINK.findall(text) if not (page.parent / target).exists()]
    gone = [path for path in PATH.findall(text) if not (ROOT / path).exists()]

    assert not (dead + gone), listed(dead + gone)


def test_generated_pages_are_fresh() -> None:
    """``make pages`` would change nothing."""
    stale = [
        name
        for name, content in pages()
        if not (ROOT / "docs" / name).exists()
        or content.rstrip() not in (ROOT / "docs" / name).read_text(encoding="utf-8")
    ]

    assert not stale, f"run 'make pages':{listed(stale)}"


def test_every_page_is_in_the_navigation() -> None:
    """A page that nothing leads to is not read. Systems are reached from the catalogue."""
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    lost = [path.name for path in (ROOT / "docs").glob("*.md") if path.name not in navigation]

    assert not lost, listed(lost)
