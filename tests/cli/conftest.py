"""What the tests of the command line share: running it, here and in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest
from typer.testing import CliRunner

from engram import Memory
from engram.cli import app

_MAIN = [sys.executable, "-c", "from engram.cli import main; main()"]


class Run(Protocol):
    """Runs a command in this process, and checks its exit code."""

    def __call__(self, *args: str | Path, code: int = 0, input: Any = None) -> Any: ...


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run("add", "Hi")``; new stores are without vectors, which few of these tests need."""
    monkeypatch.setenv("ENGRAM_EMBEDDER", "none")
    monkeypatch.setenv("COLUMNS", "100")

    def command(*args: str | Path, code: int = 0, input: Any = None) -> Any:
        done = CliRunner().invoke(app, [str(arg) for arg in args], input=input, prog_name="engram")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, f"{done.stdout}\n{done.stderr}"
        return done

    return command


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., "subprocess.Popen[bytes]"]:
    """Starts a command in a process of its own; ``env`` is added to a bare environment.

    ``shell`` is what a shell does with its streams, such as ``>&-``.
    """

    def start(
        *args: str | Path, env: dict[str, str] | None = None, shell: str = "", **streams: Any
    ) -> "subprocess.Popen[bytes]":
        before = ["sh", "-c", f'exec "$@" {shell}', "sh"] if shell else []
        command: Sequence[str] = [*before, *_MAIN, *map(str, args)]
        bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "ENGRAM_EMBEDDER": "none"}
        own = {"XDG_DATA_HOME": os.environ["XDG_DATA_HOME"], "LC_ALL": "C.UTF-8"}
        return subprocess.Popen(command, env={**bare, **own, **(env or {})}, **streams)

    return start


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store in which Ana moved, and Ben said little; everything is dated."""
    path = tmp_path / "store.db"
    said = [
        ("I live in Bergen.", "2026-01-05"),
        ("The cat gets her pills at eight.", "2026-02-01"),
        ("I moved to Oslo!", "2026-05-20"),
    ]
    with Memory.open(path, embedder="none") as memory:
        for text, time in said:
            message = {"role": "user", "name": "Ana", "content": text, "time": time}
            memory.add(message, user_id="ana", run_id="chat")
        memory.add({"role": "user", "content": "Hello.", "time": "2026-05-21"}, user_id="ben")
    return path
