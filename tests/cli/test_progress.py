"""A progress bar, where a person is watching."""

import io
import os
from pathlib import Path
from typing import Any

import pytest

from engram.cli.output import Output
from engram.cli.progress import progress

PLAIN: Output = {"as_json": False, "quiet": False}


class Terminal(io.StringIO):
    """Somewhere that a person looks at."""

    def isatty(self) -> bool:
        return True


def watched(out: Output, screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    """What stands on the screen after some work."""
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with progress(out, "reading") as tick:
        tick(0, 0)
        tick(3, 7)
        tick(7, 7, "done soon")
    return screen.getvalue()


def test_a_person_sees_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done, how much, and how much there is."""
    shown = watched(PLAIN, Terminal(), monkeypatch)

    assert "7/7" in shown
    assert "done soon" in shown


@pytest.mark.parametrize(
    ("out", "screen"),
    [
        (PLAIN, io.StringIO()),
        ({"as_json": True, "quiet": False}, Terminal()),
        ({"as_json": False, "quiet": True}, Terminal()),
    ],
)
def test_nobody_else_sees_anything(
    out: Output, screen: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file, a program, and a person who asked for quiet."""
    assert watched(out, screen, monkeypatch) == ""


def test_a_command_shows_it_on_stderr_of_a_terminal(tmp_path: Path, process: Any) -> None:
    """And its result stays alone on stdout."""
    log = tmp_path / "chat.txt"
    log.write_text("\n".join(f"[08.05.24, 12:00] Ana: {at}" for at in range(50)), encoding="utf-8")
    screen, side = os.openpty()

    running = process("import", log, env={"TERM": "xterm"}, stdout=-1, stderr=side)
    out, _ = running.communicate()
    os.close(side)
    shown = b""
    while chunk := _read(screen):
        shown += chunk
    os.close(screen)

    assert running.returncode == 0
    assert b"reading chat.txt" in shown
    assert b"\x1b[" in shown
    assert b"\x1b" not in out
    assert b"messages       50" in out


def _read(screen: int) -> bytes:
    """A piece of what was shown; nothing when it is all."""
    try:
        return os.read(screen, 4096)
    except OSError:  # how Linux says that the other side is closed
        return b""
