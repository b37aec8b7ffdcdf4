"""No piece of code stands in two places."""

import ast
import io
import tokenize
from itertools import pairwise
from pathlib import Path

from source import File, files, listed

LONGEST_COPY = 60  # tokens: about six lines
KERNELS = "triton_kernels.py"  # a kernel is one function: its gradient cannot call a part of it
SILENT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def tokens(file: File) -> list[tuple[str, int]]:
    """The tokens of a file with their lines, without imports, comments and docstrings."""
    skipped = {
        line
        for node in ast.walk(file.tree)
        if isinstance(node, ast.stmt) and _says_nothing_twice(node)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    return [
        (token.string, token.start[0])
        for token in tokenize.generate_tokens(io.StringIO(file.text).readline)
        if token.type not in SILENT and token.start[0] not in skipped
    ]


def copies(found: list[File]) -> list[str]:
    """Where a run of ``LONGEST_COPY`` tokens appears for the second time."""
    seen: dict[tuple[str, ...], tuple[File, int]] = {}
    places = []
    for file in found:
        words = tokens(file)
        for start in range(len(words) - LONGEST_COPY + 1):
            run = tuple(word for word, _ in words[start : start + LONGEST_COPY])
            line = words[start][1]
            first, there = seen.setdefault(run, (file, line))
            if (first, there) != (file, line):
                places.append((file.name, line, f"{first.name}:{there}"))
    starts = [(None, 0, ""), *places]
    return [
        f"{name}:{line} repeats {other}"
        for (last, before, _), (name, line, other) in pairwise(starts)
        if name != last or line > before + 1
    ]


def test_no_piece_of_the_source_is_a_copy() -> None:
    """The second time something is needed, it gets a name."""
    found = copies([each for each in files("src", "tools") if not each.name.endswith(KERNELS)])

    assert not found, listed(found)


def test_a_planted_copy_is_found(tmp_path: Path) -> None:
    """The same six lines in two files are one offence."""
    body = "".join(f"    total += price[{n}] * count[{n}] + (total > {n})\n" for n in range(6))
    for name in ("first", "second"):
        (tmp_path / f"{name}.py").write_text(f"def {name}(total):\n{body}")

    assert len(copies([File(tmp_path / "first.py"), File(tmp_path / "second.py")])) == 1


def _says_nothing_twice(node: ast.stmt) -> bool:
    """Imports and docstrings may be alike."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
