"""What leaves: JSON that every program can read, text that every terminal can show."""

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram import Memory
from engram.cli.output import encoded, legible

NASTY = "red \x1b[31m \x07 \x9b2J \x7f \u202eabc\u2066 \u2028 Zürich 東京 🐈"


def stream(encoding: str) -> io.TextIOWrapper:
    """Where a document of ours goes."""
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


@given(document=st.dictionaries(st.text(), st.text()), encoding=st.sampled_from(["utf-8", "ascii"]))
def test_json_comes_back_whole_and_moves_no_cursor(document: Any, encoding: str) -> None:
    """Whatever is in it, and whatever the stream can carry."""
    target = stream(encoding)

    text = encoded(document, target)

    assert json.loads(text) == document
    assert not set(map(ord, text)) & {*range(32), *range(0x7F, 0xA0)}
    if encoding == "ascii":
        assert text.isascii()


def test_json_stays_readable_where_it_can_be() -> None:
    """Somebody may look for a word in it with grep."""
    assert encoded(["Zürich 東京"], stream("utf-8")) == '["Zürich 東京"]'
    assert encoded(["Zürich"], stream("latin-1")) == '["Z\\u00fcrich"]'


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", 'v ##+ | ... "Z\\xfcrich" \\u6771'),
        ("cp1252", "v ##+ | … “Zürich” \\u6771"),
        ("utf-8", "✓ ██▌ │ … “Zürich” 東"),
    ],
)
def test_what_a_terminal_lacks_is_drawn_plainly(encoding: str, shown: str) -> None:
    """Drawings as ASCII, all else as numbers; what it knows stays."""
    text, done = "✓ ██▌ │ … “Zürich” 東", ""

    for char in text:
        try:
            done += char.encode(encoding).decode(encoding)
        except UnicodeEncodeError as fault:
            done += legible(fault)[0]

    assert done == shown


@pytest.fixture
def nasty(tmp_path: Path) -> Path:
    """A store with text and a name that would move a cursor."""
    path = tmp_path / "nasty.db"
    with Memory.open(path, embedder="none") as memory:
        memory.add(
            {"role": "user", "content": NASTY, "name": "Z\x9b\u202e", "metadata": {"a": NASTY}}
        )
    return path


@pytest.mark.parametrize(
    "args",
    [
        ["get", "--all"],
        ["search", "red"],
        ["search", "red", "--explain"],
        ["ask", "red"],
        ["context", "red"],
        ["diff", "2020-01-01"],
        ["log"],
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_nothing_stored_reaches_the_terminal_raw(
    args: list[str], form: list[str], run: Any, nasty: Path
) -> None:
    """Control characters become visible; line breaks of our own are all that is left."""
    done = run(*args, *form, "--path", nasty)

    raw = {char for char in done.stdout + done.stderr if ord(char) < 32 or 0x7F <= ord(char) < 0xA0}
    assert raw <= {"\n"}
    assert not set("\u2028\u202e\u2066") & set(done.stdout)


def test_one_memory_shown_whole_is_as_harmless(run: Any, nasty: Path) -> None:
    """Its metadata too, and its history."""
    found = json.loads(run("get", "--all", "--path", nasty, "--json").stdout)["results"][0]

    for name in ("get", "history"):
        shown = run(name, found["id"], "--path", nasty).stdout
        assert "\\x1b[31m" in shown
        assert not set("\x1b\x07\x9b\x7f\u202e") & set(shown)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_of_any_encoding_is_served(
    encoding: str, nasty: Path, tmp_path: Path, process: Any
) -> None:
    """People see escapes, programs get valid JSON, and an archive stays what it is."""
    env = {"PYTHONIOENCODING": encoding}

    def said(*args: str) -> bytes:
        running = process(
            *args, "--path", nasty, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, err = running.communicate()
        assert running.returncode == 0, err
        assert isinstance(out, bytes)
        return out

    assert b"rich" in said("search", "Zürich")
    found = json.loads(said("search", "Zürich", "--json").decode(encoding))
    assert found["results"][0]["memory"] == NASTY
    archive = tmp_path / "copy.jsonl"
    archive.write_bytes(said("export", "-"))
    with Memory.open(tmp_path / "copy.db", embedder="none") as memory:
        assert memory.import_(archive)["entries"] == 1
        assert memory.get_all()["results"][0]["memory"] == NASTY
