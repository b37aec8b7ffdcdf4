"""Settings from the environment, and what becomes of a wrong one."""

import os
from pathlib import Path

import pytest

from engram.config import VARIABLES, Settings, data_folder, settings
from engram.errors import ConfigError
from engram.memory import Memory


def test_an_empty_environment_gives_the_defaults(tmp_path: Path) -> None:
    """The store is in the data folder of the user."""
    home = {"XDG_DATA_HOME": str(tmp_path)}

    assert settings(home) == Settings(path=tmp_path / "engram" / "memory.db")


def test_what_is_set_is_taken(tmp_path: Path) -> None:
    """Each variable; other programs' are none of our business."""
    found = settings(
        {
            "ENGRAM_PATH": str(tmp_path / "mine.db"),
            "ENGRAM_EMBEDDER": "none",
            "ENGRAM_DURABILITY": "normal",
            "ENGRAM_USER": "ana",
            "ENGRAMS": "x",
            "engram_path": "y",
        }
    )

    assert found == Settings(tmp_path / "mine.db", "none", durability="normal", user="ana")


@pytest.mark.parametrize("variable", VARIABLES)
def test_an_empty_variable_is_an_unset_one(variable: str) -> None:
    """As shells have it."""
    home = {"XDG_DATA_HOME": "/data"}

    assert settings(home | {variable: ""}) == settings(home)


def test_the_home_folder_may_be_written_short() -> None:
    """A shell does not expand ``~`` inside quotes."""
    assert settings({"ENGRAM_PATH": "~/mine.db"}).path == Path.home() / "mine.db"


def test_without_a_data_folder_it_is_the_usual_one() -> None:
    """Under the home folder."""
    assert data_folder({}) == Path.home() / ".local" / "share" / "engram"
    assert data_folder({"XDG_DATA_HOME": ""}) == data_folder({})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ENGRAM_PAHT", "x", "ENGRAM_PAHT is not a variable of engram; did you mean ENGRAM_PATH"),
        ("ENGRAM_WHATEVER_ELSE", "x", "is not a variable of engram; known: ENGRAM_PATH, "),
        ("ENGRAM_", "", "ENGRAM_ is not a variable of engram"),
        ("ENGRAM_DURABILITY", "fast", "must be 'full', 'normal' or 'off', got 'fast'"),
        ("ENGRAM_PATH", "~nobody-of-that-name/x", "ENGRAM_PATH must be a path, got '~nobody"),
    ],
)
def test_a_wrong_variable_is_an_error(name: str, value: str, message: str) -> None:
    """Not a wish that nobody hears."""
    with pytest.raises(ConfigError, match=message):
        settings({name: value})


def test_the_processs_own_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """By ``Memory.open`` too, whatever it is told."""
    monkeypatch.setenv("ENGRAM_USER", "ana")
    assert settings().user == "ana"
    monkeypatch.setenv("ENGRAM_EMBEDER", "none")
    assert "ENGRAM_EMBEDER" in os.environ

    with pytest.raises(ConfigError, match="did you mean ENGRAM_EMBEDDER"):
        Memory.open(":memory:", embedder="none")
