"""``python -m engram``."""

import os
import subprocess
import sys

from engram import __version__


def test_the_module_is_the_command_line() -> None:
    """It calls itself engram, works without a terminal, and leaves by the command's exit code."""
    env = {**os.environ, "COLUMNS": "100"}

    def run(*args: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "engram", *args]
        return subprocess.run(command, capture_output=True, text=True, env=env, check=False)

    assert run("--version").stdout == f"engram {__version__}\n"
    assert " Usage: engram get " in run("get", "--help").stdout
    assert run("get").returncode == 2
