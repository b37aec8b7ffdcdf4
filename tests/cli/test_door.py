"""The door: help, exit codes, errors in one line, readers that leave early."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from engram import Memory, __version__
from engram.cli import app
from engram.cli.door import PANELS

NAMES = sorted(vars(typer.main.get_command(app))["commands"])

MISUSES = [
    (["serch"], "No such command 'serch'. Did you mean 'search'? See engram --help"),
    (["--bogus"], "No such option: --bogus. See engram --help"),
    (["search"], "Missing argument 'query'. See engram search --help"),
    (["log", "-n"], "Option '-n' requires an argument. See engram log --help"),
    (["get"], "Invalid value for ID: give the id of a memory, or --all. See engram get --help"),
    (["get", "--all", "x"], "give the id of a memory, or --all"),
    (["get", "x", "--as-of", "2026"], "--as-of, --known-at and --filter go with --all"),
    (["delete"], "give the id of a memory, or --all"),
    (["search", "x", "--top-k", "many"], "Invalid value for '--top-k'"),
    (["list", "--room", "attic"], "got 'attic'"),
    (["reveal", "x"], "Missing option '--reason'. See engram reveal --help"),
    (["import", "/no/such/file"], "'/no/such/file' does not exist"),
    (["eval", "locomo", "--seed", "-1"], "Invalid value for '--seed'"),
]

ERRORS = [
    (["add", " "], "InvalidInput", "the message must not be blank, got ' '"),
    (["add", "x", "--time", "soon"], "InvalidInput", "must be ISO 8601"),
    (["add", "x", "--role", "king"], "InvalidInput", "got 'king'"),
    (["add", "x", "--metadata", "{"], "InvalidInput", "--metadata must be JSON, got '{'"),
    (["add", "x", "--user", ""], "InvalidInput", "user_id must have 1 to 256 characters"),
    (["search", "x", "-k", "0"], "InvalidInput", "top_k must be a whole number from 1 to 10000"),
    (["search", "x", "--threshold", "2"], "InvalidInput", "threshold must be 0 to 1, got 2.0"),
    (["search", "x", "--filter", "nope"], "InvalidInput", "--filter must be JSON, got 'nope'"),
    (["search", "x", "--filter", '{"a": {"b": 1}}'], "InvalidFilter", "not a filter operator"),
    (["search", "x", "--as-of", "never"], "InvalidInput", "as_of must be ISO 8601"),
    (["search", "x", "--preset", "hybird"], "UnknownMethod", "nearest: hybrid"),
    (["context", "x", "--tokens", "0"], "InvalidInput", "tokens must be a whole number"),
    (["get", "nobody"], "NotFound", "no memory has the id 'nobody'"),
    (["get", "--all", "--state", "lost"], "InvalidInput", "got ['lost']"),
    (["get", "--all", "--cursor", "x"], "InvalidInput", "must be the 'next' of an earlier page"),
    (["reveal", "nobody", "--reason", "a test"], "NotFound", "no memory has the id 'nobody'"),
    (["history", "nobody"], "NotFound", "no memory has the id 'nobody'"),
    (["diff", "xyzxyz"], "NotFound", "no commit has the id 'xyzxyz'"),
    (["revert", "xyzxyz"], "NotFound", "no commit has the id 'xyzxyz'"),
    (["log", "-n", "0"], "InvalidInput", "limit must be a whole number from 1 to 10000"),
    (["update", "nobody", "x"], "NotFound", "no memory has the id 'nobody'"),
    (["erase", "nobody", "--yes"], "NotFound", "no memory has the id 'nobody'"),
    (["show", "nothing"], "UnknownMethod", "no method is called 'nothing'"),
    (["export", "/no/such/folder/x"], "StoreReadOnly", "choose another path"),
    (["import", "/tmp", "--format", "word"], "UnknownMethod", "no format is called 'word'"),
    (["eval", "nothing"], "UnknownMethod", "no benchmark is called 'nothing'"),
]


@pytest.fixture
def arguments(store: Path, tmp_path: Path) -> dict[str, list[str]]:
    """For every command what it needs to succeed; demo and verify have tests of their own."""
    with Memory.open(store) as memory:
        one = memory.get_all(user_id="ben")["results"][0]["id"]
        last = memory.log(1)[0]["id"]
    (tmp_path / "chat.txt").write_text("Ana: Hi\nBen: Hello", encoding="utf-8")
    with Memory.open(tmp_path / "vault.db", preset="mirix", embedder="none") as vault:
        vault.add("My PIN is 4821.")
        secret = vault.get_all(filters={"kind": "secret"})["results"][0]["id"]
    small = ["locomo", "--subjects", "bm25", "--limit", "1"]
    on_the_store = {
        "add": ["Hi"],
        "ask": ["Hello"],
        "check": [],
        "context": ["Hello"],
        "delete": [one],
        "diff": ["2020-01-01"],
        "erase": [one, "--yes"],
        "export": [str(tmp_path / "out.jsonl")],
        "forms": [],
        "get": ["--all"],
        "history": [one],
        "import": [str(tmp_path / "chat.txt")],
        "log": [],
        "revert": [last],
        "search": ["Hello"],
        "stats": [],
        "tend": [],
        "update": [one, "Hi"],
    }
    elsewhere = {
        "eval": small,
        "list": [],
        "reveal": [secret, "--reason", "a test", "--path", str(tmp_path / "vault.db")],
        "show": ["hybrid"],
    }
    where = ["--path", str(store)]
    return elsewhere | {name: [*args, *where] for name, args in on_the_store.items()}


UNHEARD = {"agent", "chat", "demo", "demote", "kv", "promote", "verify"}
"""Take long or a model, and have tests of their own."""


@pytest.mark.parametrize("name", sorted({*NAMES} - UNHEARD))
def test_every_command_speaks_to_a_program(
    name: str, run: Any, arguments: dict[str, list[str]]
) -> None:
    """One JSON document on stdout, and nothing else anywhere."""
    done = run(name, *arguments[name], "--json")

    assert isinstance(json.loads(done.stdout), dict)
    assert done.stderr == ""


@pytest.mark.parametrize("name", sorted({*NAMES} - UNHEARD))
def test_every_command_speaks_to_a_person(
    name: str, run: Any, arguments: dict[str, list[str]]
) -> None:
    """Some lines without blanks at their end; quiet means nothing but these."""
    done = run(name, *arguments[name], "--quiet")

    lines = done.stdout.splitlines()
    assert lines
    assert [line for line in lines if line != line.rstrip()] == []
    assert done.stderr == ""


@pytest.mark.parametrize("name", NAMES)
def test_every_command_explains_itself_with_an_example(name: str, run: Any) -> None:
    """The example is one that a person could type."""
    shown = run(name, "--help").stdout

    assert f"engram {name} [OPTIONS]" in shown
    assert f"Example: engram {name}" in " ".join(shown.split())


def test_help_begins_with_what_is_done_first(run: Any) -> None:
    """To remember comes before to measure."""
    shown = run("--help").stdout

    places = [shown.index(f"─ {panel} ─") for panel in PANELS]
    assert places == sorted(places)


def test_nothing_at_all_is_answered_with_the_help(run: Any) -> None:
    """With the exit code of a misuse, for a script that forgot its command."""
    assert "Usage: engram [OPTIONS] COMMAND" in run(code=2).stdout


def test_the_version_is_said(run: Any) -> None:
    """On stdout, alone."""
    assert run("--version").stdout == f"engram {__version__}\n"


@pytest.mark.parametrize(("args", "expected"), MISUSES, ids=lambda value: " ".join(value[:2]))
def test_a_misuse_is_one_clear_line(args: list[str], expected: str, run: Any, store: Path) -> None:
    """Exit code 2, nothing on stdout, and where it is written how it is done."""
    where = ["--path", str(store)] if args[0] in {"get", "delete", "search"} else []

    done = run(*args, *where, code=2)

    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert expected in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "args", [["search"], ["--bogus"], ["list", "--room", "attic"], ["export", "-"]]
)
def test_a_program_gets_a_misuse_as_json(args: list[str], run: Any) -> None:
    """Also where the options could not be read."""
    done = run(*args, "--json", code=2)

    assert done.stdout == ""
    assert json.loads(done.stderr)["error"]["kind"] == "UsageError"


@pytest.mark.parametrize(("args", "kind", "expected"), ERRORS, ids=lambda value: str(value)[:40])
def test_an_error_is_one_clear_line(
    args: list[str], kind: str, expected: str, run: Any, store: Path, monkeypatch: Any
) -> None:
    """Exit code 1; for a program the class stands beside the message."""
    monkeypatch.setenv("ENGRAM_PATH", str(store))

    for_people = run(*args, "--quiet", code=1)
    for_programs = run(*args, "--json", code=1)

    assert for_people.stdout == for_programs.stdout == ""
    assert for_people.stderr.startswith("error: ")
    assert expected in for_people.stderr
    assert for_people.stderr.count("\n") == 1
    said = json.loads(for_programs.stderr)["error"]
    assert said["kind"] == kind
    assert f"error: {said['message']}\n" == for_people.stderr


class Interrupted:
    """A terminal where somebody presses Ctrl-C."""

    def read(self) -> str:
        raise KeyboardInterrupt


def test_an_interrupt_ends_quietly(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """Exit code 130, as shells expect, and nothing is said."""
    monkeypatch.setattr("sys.stdin", Interrupted())

    with pytest.raises(SystemExit) as left:
        typer.main.get_command(app).main(["add", "-"], prog_name="engram")

    assert left.value.code == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("form", [["get", "--all", "--limit", "9999"], ["export", "-"]])
def test_a_reader_that_leaves_early_is_no_error(
    form: list[str], tmp_path: Path, process: Any
) -> None:
    """``engram get --all | head -1`` says one line, and nothing about a pipe."""
    path = tmp_path / "long.db"
    with Memory.open(path, embedder="none") as memory:
        memory.add([f"Line {at}: {'x' * 500}" for at in range(400)], infer=False)

    running = process(
        *form, "--path", path, "--quiet", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    first = running.stdout.readline()
    running.stdout.close()
    said = running.stderr.read()
    running.stderr.close()
    running.wait()

    assert first.strip()
    assert said == b""


@pytest.mark.parametrize(
    ("args", "shell", "code"),
    [(["stats"], ">&-", 0), (["stats", "--json"], ">&- 2>&-", 0), (["add", "-"], "<&-", 1)],
)
def test_streams_that_are_closed_are_no_crash(
    args: list[str], shell: str, code: int, store: Path, process: Any
) -> None:
    """As a daemon starts its children: nothing is said, and a blank stdin is blank."""
    running = process(*args, "--path", store, shell=shell, stdout=-1, stderr=-1)
    _, err = running.communicate()

    assert running.returncode == code
    assert b"Traceback" not in err
