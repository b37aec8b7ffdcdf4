"""The quick start of the README runs on a machine that has no network."""

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NO_SOCKETS = """
import sys

def refuse(event, arguments):
    if event.startswith("socket."):
        raise SystemExit(f"a socket was asked for: {event} {arguments}")

sys.addaudithook(refuse)
"""
"""Python runs this before anything else; a hook of this kind cannot be taken off."""


@pytest.fixture
def offline(tmp_path: Path) -> dict[str, str]:
    """The environment of a user without sockets, without settings and without data."""
    (tmp_path / "sitecustomize.py").write_text(NO_SOCKETS)
    home = {name: str(tmp_path) for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")}
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**kept, **home, "PYTHONPATH": str(tmp_path), "NO_COLOR": "1"}


def run(arguments: list[str], folder: Path, environment: dict[str, str]) -> str:
    """What a Python process prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def blocks(language: str) -> list[str]:
    """The blocks of the README in a language, in order."""
    found = BLOCK.findall(README.read_text(encoding="utf-8"))
    return [code for name, code in found if name == language]


def test_a_socket_would_be_noticed(tmp_path: Path, offline: dict[str, str]) -> None:
    """Or nothing else here would prove anything."""
    done = subprocess.run(
        [sys.executable, "-c", "import socket; socket.socket()"],
        env=offline,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "a socket was asked for" in done.stderr


def test_the_python_of_the_readme_needs_no_network(tmp_path: Path, offline: dict[str, str]) -> None:
    """Not even on its first run; and it prints what is shown."""
    (code, *_), (shown, *_) = blocks("python"), blocks("text")
    (tmp_path / "quick.py").write_text(code)

    printed = run(["quick.py"], tmp_path, offline)

    assert doctest.OutputChecker().check_output(shown, printed, doctest.NORMALIZE_WHITESPACE)
    assert (tmp_path / "notes.db").is_file()


def test_the_commands_of_the_readme_need_no_network(
    tmp_path: Path, offline: dict[str, str]
) -> None:
    """Those that need no file of yours; the answer is among the words that were said."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    commands = [shlex.split(line, comments=True) for line in lines if line.startswith("engram ")]
    chosen = [words[1:] for words in commands if words[1] in ("add", "ask", "list")]
    assert {words[0] for words in chosen} == {"add", "ask", "list"}

    door = "from engram.cli import main; main()"
    printed = {words[0]: run(["-c", door, *words], tmp_path, offline) for words in chosen}

    assert "pills at eight" in printed["ask"]
    assert "hybrid" in printed["list"]
