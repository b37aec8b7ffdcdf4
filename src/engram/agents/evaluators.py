"""Checks of what an agent wrote: the syntax by reading it, the tests by running them.

Programs run in processes of their own, in a folder that is thrown away, with little environment
and limits of time, memory and file size. These are limits and no jail: a program can read and write
what the user can, reach the network, and leave a process behind that has left its group. Let
nothing run here that you would not run yourself.
"""

import ast
import os
import re
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engram import extras
from engram.agents.files import FileStore
from engram.errors import InvalidInput

LONGEST_OUTPUT = 4000
"""Characters of a program's output that are shown: its end."""

_LIMITED = """\
import os, resource, sys
seconds, size = int(sys.argv[1]), int(sys.argv[2])
for kind, most in (
    (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, size), (resource.RLIMIT_FSIZE, size // 8),
    (resource.RLIMIT_CORE, 0),
):
    resource.setrlimit(kind, (most, most))
os.execv(sys.executable, [sys.executable, *sys.argv[3:]])
"""
_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)
_TESTS = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test)\.py$")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended. ``code`` is None if it took too long."""

    code: int | None
    output: str


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Runs Python over the files of a store. Needs a POSIX system.

    Attributes:
        seconds: of the clock, and of the processor.
        megabytes: of address space; a file may take an eighth of it.
    """

    seconds: int = 20
    megabytes: int = 1024

    def __post_init__(self) -> None:
        """Refuse what nothing can run in."""
        for name in ("seconds", "megabytes"):
            if getattr(self, name) < 1:
                raise InvalidInput(f"{name} must be at least 1, got {getattr(self, name)!r}")

    def run(self, store: FileStore, arguments: Sequence[str]) -> Outcome:
        """Run ``python ARGUMENTS`` in a copy of the files; what it writes is thrown away."""
        if os.name != "posix":
            raise InvalidInput(f"programs run with limits on POSIX systems only, got {os.name!r}")
        with tempfile.TemporaryDirectory(prefix="engram-run-") as name:
            folder, printed = Path(name, "files"), Path(name, "output")
            folder.mkdir()
            store.export(folder)
            limits = [str(self.seconds), str(self.megabytes << 20)]
            # isolated, or a file of the store that is called resource.py would set the limits
            limited = [sys.executable, "-I", "-c", _LIMITED, *limits]
            code = self._wait([*limited, *arguments], folder, printed)
            output = _end(printed).replace(str(folder), ".")
        return Outcome(code, output[-LONGEST_OUTPUT:])

    def _wait(self, command: Sequence[str], folder: Path, printed: Path) -> int | None:
        known = {"PATH": os.defpath, "HOME": str(folder), "PYTHONPATH": str(folder)}
        known |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
        known |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        with printed.open("wb") as out:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=known,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                return process.wait(self.seconds)
            except subprocess.TimeoutExpired:
                return None
            finally:
                with suppress(ProcessLookupError):  # its children too, whether or not it has ended
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _end(printed: Path) -> str:
    """The end of what was printed, a little more of it than is shown."""
    with printed.open("rb") as out:
        out.seek(max(0, printed.stat().st_size - 8 * LONGEST_OUTPUT))
        return out.read().decode("utf-8", "replace")


def syntax(path: str, text: str) -> str:
    """What is wrong with the syntax of a Python file; empty if nothing is, or for other files."""
    if not path.endswith(".py"):
        return ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are for whoever runs the file
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        return f"{path}:{line or 1}: {getattr(error, 'msg', None) or error}"
    return ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The tests that fail, by name, and what they printed."""

    failing: frozenset[str] = frozenset()
    output: str = ""


def check_runner() -> None:
    """Say before any work is done that tests cannot be run.

    Raises:
        MissingExtra: pytest is not installed.
    """
    extras.require("pytest", extra="agents", purpose="running the tests that an agent wrote")


def judged(store: FileStore, sandbox: Sandbox) -> Verdict:
    """Run the tests among the files with pytest; without tests, nothing fails.

    Raises:
        MissingExtra: pytest is not installed.
    """
    if not any(_TESTS.search(path) for path in store.paths()):
        return Verdict()
    check_runner()
    quiet = ["-q", "--tb=short", "-rfE", "-p", "no:cacheprovider", "--rootdir=.", "-c", os.devnull]
    done = sandbox.run(store, ["-m", "pytest", *quiet, "."])
    if done.code in (0, 5):
        return Verdict(output=done.output)
    named = frozenset(_FAILED.findall(done.output))
    how = "too slow" if done.code is None else f"exit code {done.code}"
    return Verdict(named or frozenset({f"pytest: {how}"}), done.output)
