"""The import contracts of pyproject.toml, tried on a model of the house with one fault each."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from source import ROOT

FAULTS = [
    ("house", "errors", "from engram import config"),
    ("house", "plaintext/roles", "from engram import memory"),
    ("house", "evals/run", "from engram import demo"),
    ("house", "adapters/ollama", "from engram import exchange"),
    ("house", "attic", ""),
    ("plaintext", "plaintext/keepers/expiry", "from engram.plaintext.store import store"),
    ("plaintext", "plaintext/text/words", "from engram.plaintext.indexes import lexical"),
    ("plaintext", "plaintext/store/store", "from engram.plaintext import read"),
    ("plaintext", "plaintext/attic", ""),
    ("methods", "plaintext/keepers/expiry", "from engram.plaintext.keepers import forgetting"),
    ("methods", "evals/tasks/beam", "from engram.evals.tasks import locomo"),
    ("cycles", "plaintext/text/words", "from engram.plaintext.text import times"),
    ("torch", "plaintext/packers/list", "import torch"),
    ("models", "plaintext/indexes/dense", "import wordllama"),
]
ROOMS = [
    "adapters/ollama",
    "evals/run",
    "evals/tasks/beam",
    "evals/tasks/locomo",
    "plaintext/indexes/dense",
    "plaintext/indexes/lexical",
    "plaintext/keepers/expiry",
    "plaintext/keepers/forgetting",
    "plaintext/packers/list",
    "plaintext/store/store",
    "plaintext/text/times",
    "plaintext/text/words",
]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A sound house of empty modules, laid out as pyproject.toml says."""
    config = (ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(config)
    contracts = tomllib.loads(config)["tool"]["importlinter"]["contracts"]
    for name in [*_layers(contracts), *ROOMS]:
        plant(tmp_path, name, "")
    plant(tmp_path, "plaintext/text/times", "from engram.plaintext.text import words")
    return tmp_path


def _layers(contracts: list[dict[str, Any]]) -> list[str]:
    return [
        f"{contract['containers'][0].removeprefix('engram').removeprefix('.')}/{name.strip(' ()')}"
        for contract in contracts
        if contract["type"] == "layers"
        for layer in contract["layers"]
        for name in layer.split("|")
    ]


def plant(model: Path, name: str, line: str) -> None:
    """Make the module ``name`` of the model, and every package above it, hold ``line``."""
    folder = model / "engram"
    for part in name.strip("/").split("/"):
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").touch()
        folder /= part
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").write_text(line + "\n")


def broken(model: Path) -> set[str]:
    """The ids of the contracts that the model breaks."""
    lint = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    done = subprocess.run(
        [*lint, "--no-cache"], cwd=model, capture_output=True, text=True, check=False
    )
    config = tomllib.loads((model / "pyproject.toml").read_text())
    contracts = config["tool"]["importlinter"]["contracts"]
    found = {each["id"] for each in contracts if f"{each['name']} BROKEN" in done.stdout}
    assert (done.returncode == 0) == (not found), done.stdout + done.stderr
    return found


def test_a_sound_house_keeps_every_contract(model: Path) -> None:
    """Without a fault, nothing is reported."""
    assert broken(model) == set()


@pytest.mark.parametrize(("contract", "module", "line"), FAULTS)
def test_a_planted_fault_breaks_its_contract(
    model: Path, contract: str, module: str, line: str
) -> None:
    """Each contract catches the fault that it is there for."""
    plant(model, module, line)

    assert contract in broken(model)
