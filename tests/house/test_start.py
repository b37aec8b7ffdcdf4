"""Importing engram is quick, quiet and asks for nothing that is optional."""

import re
import subprocess
import sys
from time import perf_counter

import pytest

from source import ROOT, SRC

OPTIONAL = [
    "fastembed",
    "imagehash",
    "matplotlib",
    "model2vec",
    "onnxruntime",
    "rapidocr",
    "sentence_transformers",
    "torch",
    "transformers",
]
"""What the extras install; the base has to live without each of them."""

NETWORK = [
    "aiohttp",
    "http.client",
    "httpx",
    "huggingface_hub",
    "requests",
    "urllib.request",
    "urllib3",
]
HEAVY = ["matplotlib", "rich", "tokenizers", "torch", "typer", "wordllama"]
SLOWEST_IMPORT = 0.200  # seconds, above a bare interpreter


def python(code: str, *arguments: str) -> str:
    """The output of a fresh interpreter in the root of the repository."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded(*names: str) -> list[str]:
    """Which of these modules ``import engram`` loads."""
    code = "import sys, engram; print(*(name for name in sys.argv[1:] if name in sys.modules))"
    return python(code, *names).split()


def seconds(code: str) -> float:
    """The quickest of seven fresh interpreters: load of the machine only ever adds."""

    def once() -> float:
        start = perf_counter()
        python(code)
        return perf_counter() - start

    return min(once() for _ in range(7))


BLOCKED = """if True:
    import importlib, sys
    blocked = sys.argv[1].split(",")
    class Blocked:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in blocked:
                raise ModuleNotFoundError(f"{name} is blocked", name=name)
    sys.meta_path.insert(0, Blocked())
"""
"""Begins a program that finds none of the packages in its first argument."""

TENSORS = re.compile(
    r"engram\.(?:activation|lifecycle|ops|kv|adapters\.(?:attention|kv\w*)|evals\.claims\.exact_attention|"
    r"testing\.activation)(?:\.|$)"
)
"""What works on tensors, and needs torch to be imported."""


def every_module() -> list[str]:
    """Every module of the package by its dotted name, but for those on tensors."""
    named = (
        ".".join(["engram", *path.relative_to(SRC).with_suffix("").parts])
        for path in SRC.rglob("*.py")
        if path.name not in {"__init__.py", "__main__.py"}
    )
    return sorted(name for name in named if not TENSORS.match(name))


def test_every_room_imports_without_the_extras() -> None:
    """A missing extra is met where it is asked for, by name, and never on the way in."""
    code = f"{BLOCKED}for name in sys.argv[2:]: importlib.import_module(name)"
    python(code, ",".join(OPTIONAL), *every_module())


@pytest.mark.parametrize("what", ["engram.activation", "engram.ops", "engram:MemoryCache"])
def test_without_torch_a_room_of_tensors_says_what_to_install(what: str) -> None:
    """In one line, wherever one comes in."""
    code = """if True:
        module, _, name = sys.argv[2].partition(":")
        try:
            getattr(importlib.import_module(module), name or "__doc__")
        except Exception as missing:
            print(type(missing).__name__, missing)
    """
    said = python(BLOCKED + code, ",".join(OPTIONAL), what)
    assert said.startswith("MissingExtra ")
    assert "pip install 'engram[hf]'" in said


def test_importing_engram_loads_no_network_library() -> None:
    """Nothing can call home that is not there."""
    assert loaded(*NETWORK) == []


def test_importing_engram_loads_nothing_heavy() -> None:
    """Models, tokenizers and the command line are loaded when they are used."""
    assert loaded(*HEAVY) == []


def test_importing_engram_takes_less_than_200_milliseconds() -> None:
    """Above a bare interpreter, and counting numpy."""
    seconds("import engram")  # writes the byte code, where it is not there yet

    assert seconds("import engram") - seconds("pass") < SLOWEST_IMPORT
