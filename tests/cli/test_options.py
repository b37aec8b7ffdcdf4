"""Which store, whose memory: options, environment, defaults."""

import json
import os
from pathlib import Path
from typing import Any

import pytest


def texts(done: Any) -> list[str]:
    """The memories of a listing."""
    return [one["memory"] for one in json.loads(done.stdout)["results"]]


def test_the_store_in_use_is_said_at_the_start(run: Any, tmp_path: Path) -> None:
    """On stderr, for people: not with --quiet, and not for a program."""
    path = tmp_path / "a.db"

    assert run("add", "Hi", "--path", path).stderr == f"{path}\n"
    assert run("stats", "--path", path, "--quiet").stderr == ""
    assert run("stats", "--path", path, "--json").stderr == ""


def test_the_option_wins_over_the_variable_and_that_over_the_default(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default is in the data folder of the user, as XDG has it."""
    default = Path(os.environ["XDG_DATA_HOME"], "engram", "memory.db")
    named, given = tmp_path / "named.db", tmp_path / "given.db"

    assert run("add", "one").stderr == f"{default}\n"
    monkeypatch.setenv("ENGRAM_PATH", str(named))
    assert run("add", "two").stderr == f"{named}\n"
    assert run("add", "three", "--path", given).stderr == f"{given}\n"

    found = [
        texts(run("get", "--all", "--path", path, "--json")) for path in (default, named, given)
    ]
    assert found == [["one"], ["two"], ["three"]]


@pytest.mark.parametrize("name", ["search", "ask", "context", "stats", "check", "tend", "export"])
def test_a_command_that_reads_makes_no_store(name: str, run: Any, tmp_path: Path) -> None:
    """A slip in the path is an error and not an empty memory."""
    path = tmp_path / "slip.db"
    what = [] if name in {"stats", "check", "tend"} else [str(tmp_path / "x")]

    done = run(name, *what, "--path", path, code=1)

    assert "there is no store here yet; 'engram add' begins one" in done.stderr
    assert list(tmp_path.glob("*.db")) == []


def test_a_store_that_vanishes_needs_no_file(run: Any) -> None:
    """For trying things out."""
    assert "Hi" in run("add", "Hi", "--path", ":memory:").stdout


def test_an_empty_path_is_a_slip_and_not_the_default(run: Any) -> None:
    """``--path "$STORE"`` with nothing in STORE must not write into somebody's own memory."""
    done = run("add", "Hi", "--path", "", code=1)

    assert "--path must name a file, got ''" in done.stderr
    assert not Path(os.environ["XDG_DATA_HOME"]).exists()


@pytest.mark.parametrize(
    ("variable", "hint"),
    [("ENGRAM_PTH", "did you mean ENGRAM_PATH?"), ("ENGRAM_VERBOSITY_OF_THE_LOG", "known: ")],
)
def test_an_unknown_variable_is_an_error_with_a_hint(
    variable: str, hint: str, run: Any, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting that is misspelt would else be ignored without a word."""
    monkeypatch.setenv(variable, "x")

    said = run("stats", "--path", store, code=1).stderr

    assert said.startswith(f"error: {variable} is not a variable of engram; ")
    assert hint in said


def test_a_user_is_named_by_option_or_variable(
    run: Any, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The option wins; without either it is nobody's memory in particular."""
    monkeypatch.setenv("ENGRAM_USER", "ben")

    from_variable = texts(run("get", "--all", "--path", store, "--json"))
    from_option = texts(run("get", "--all", "--path", store, "--json", "--user", "ana"))
    monkeypatch.delenv("ENGRAM_USER")
    of_nobody = texts(run("get", "--all", "--path", store, "--json"))

    assert from_variable == ["Hello."]
    assert "I moved to Oslo!" in from_option
    assert of_nobody == []


def test_agent_run_and_app_narrow_what_is_seen(run: Any, tmp_path: Path) -> None:
    """As they do through Python."""
    where = ["--path", str(tmp_path / "a.db")]
    run("add", "one", *where, "--agent", "cook")
    run("add", "two", *where, "--run", "monday")
    run("add", "three", *where, "--app", "shop")

    def seen(*scope: str) -> list[str]:
        return texts(run("get", "--all", *where, "--json", *scope))

    assert seen() == ["one", "two"]
    assert seen("--agent", "cook") == ["one"]
    assert seen("--run", "monday") == ["two"]
    assert seen("--app", "shop") == ["three"]


@pytest.mark.parametrize(
    ("option", "value", "hint"),
    [
        ("--preset", "hybird", "nearest: hybrid"),
        ("--preset", "", "no method is called ''"),
        ("--embedder", "nothing", "no embedder is called 'nothing'"),
        ("--durability", "weird", "'full', 'normal' or 'off'"),
        ("--path", "/etc/passwd", "not an engram store"),
    ],
)
def test_how_it_is_opened_is_checked(option: str, value: str, hint: str, run: Any) -> None:
    """The message shows what came and what would do."""
    assert hint in run("add", "x", option, value, code=1).stderr
