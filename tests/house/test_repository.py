"""What is committed is ours, small, and complete by itself."""

import hashlib
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from source import ROOT, listed

LARGEST = 512 * 1024  # bytes; data lives outside the repository
OUTSIDE = re.compile(r"(?<![\w.])/(?:work|home|Users|root)/\w")
"""An absolute path of somebody's machine."""


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """Files that are committed or would be by ``git add .``."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("needs git and a clone: this is a plain copy of the files")
    listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    # Whoever runs the tests may not be who cloned: as root git refuses to read without this.
    done = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", *listing], cwd=ROOT, capture_output=True, check=True
    )
    paths = [ROOT / name for name in done.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_symlink() or path.exists()]


def test_no_file_is_large(tracked: list[Path]) -> None:
    """A clone is quick."""
    large = [
        f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes"
        for path in tracked
        if path.is_file() and path.stat().st_size > LARGEST
    ]

    assert not large, listed(large)


def test_no_link_leads_out_of_the_repository(tracked: list[Path]) -> None:
    """A clone is whole."""
    out = [
        str(path.relative_to(ROOT))
        for path in tracked
        if path.is_symlink() and not path.resolve().is_relative_to(ROOT)
    ]

    assert not out, listed(out)


def test_no_file_names_a_path_of_one_machine(tracked: list[Path]) -> None:
    """What is written here is true everywhere."""
    named = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in tracked
        if path.is_file() and path.suffix not in {".db", ".png", ".npz", ".safetensors"}
        if (found := OUTSIDE.search(path.read_text(encoding="utf-8", errors="replace")))
    ]

    assert not named, listed(named)


def test_nothing_of_the_shared_data_is_committed(
    tracked: list[Path], shared: Callable[[str], Path]
) -> None:
    """Other people's data stays where its licence is: no file here equals a file there."""
    theirs = defaultdict(list)
    for path in shared(".").rglob("*"):
        if path.is_file() and path.stat().st_size:
            theirs[path.stat().st_size].append(path)
    copies = [
        str(path.relative_to(ROOT))
        for path in tracked
        if path.is_file()
        if _digest(path) in {_digest(other) for other in theirs[path.stat().st_size]}
    ]

    assert not copies, listed(copies)


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()
