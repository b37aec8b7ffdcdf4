"""Embedders by name."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from engram.adapters.embedders import EMBEDDERS, embedder
from engram.adapters.ollama import Ollama
from engram.adapters.openai import OpenAI
from engram.adapters.wordllama import WordLlama
from engram.errors import EmbedderFailed, InvalidInput, MissingExtra, UnknownMethod
from engram.testing.embedding_server import embedding_server


@pytest.mark.parametrize("spec", [None, "wordllama"])
def test_the_default_is_wordllama(spec: str | None) -> None:
    """It needs no key, no network and no extra."""
    assert isinstance(embedder(spec), WordLlama)


def test_none_is_no_embedder() -> None:
    """Words only."""
    assert embedder("none") is None


def test_an_object_is_taken_as_it_is() -> None:
    """Anybody may bring an embedder."""
    own = WordLlama()

    assert embedder(own) is own


def test_servers_are_found_by_their_own_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ones that their other clients use too."""
    with embedding_server() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "k-123")
        monkeypatch.setenv("OLLAMA_HOST", server.url.removeprefix("http://"))

        assert isinstance(embedder("openai:small"), OpenAI)
        assert isinstance(embedder("ollama:small"), Ollama)
        assert server.seen[0][1]["Authorization"] == "Bearer k-123"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("wordlama", "'wordlama'; nearest: wordllama"),
        ("sentence-transformer:x", "nearest: sentence-transformers"),
        ("non", "nearest: none"),
        ("", "known: none, fastembed"),
        ("none:x", "nearest: none"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(spec: str, message: str) -> None:
    """Or with all, where none is near."""
    with pytest.raises(UnknownMethod, match=message):
        embedder(spec)


@pytest.mark.parametrize("spec", ["openai", "openai:", "ollama:", "wordllama:large"])
def test_a_model_stands_where_it_belongs_and_nowhere_else(spec: str) -> None:
    """The message shows the right form."""
    with pytest.raises(InvalidInput, match=f"is written .*got '{spec}'"):
        embedder(spec)


@pytest.mark.parametrize("kind", ["model2vec", "sentence-transformers"])
def test_a_folder_that_is_not_there_is_named(kind: str) -> None:
    """Nothing is downloaded in its place."""
    with pytest.raises(InvalidInput, match=f"{kind} needs the folder of a model, got 'no/such'"):
        embedder(f"{kind}:no/such")


@pytest.mark.parametrize(
    ("kind", "package"),
    [
        ("fastembed", "fastembed"),
        ("model2vec", "model2vec"),
        ("sentence-transformers", "sentence_transformers"),
    ],
)
def test_a_missing_extra_comes_with_its_install_line(
    kind: str, package: str, tmp_path: Path
) -> None:
    """Copy, paste, done."""
    if importlib.util.find_spec(package) is not None:
        pytest.skip(f"the package {package!r} is installed here")

    with pytest.raises(MissingExtra, match=rf"pip install 'engram\[{kind}\]'"):
        embedder(f"{kind}:{tmp_path}")


@pytest.mark.parametrize(
    ("kind", "package"),
    [("model2vec", "model2vec"), ("sentence-transformers", "sentence_transformers")],
)
def test_a_folder_without_a_model_is_one_clear_error(
    kind: str, package: str, tmp_path: Path
) -> None:
    """And not one of the library's many."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"needs the package {package!r}, which is not installed here")

    with pytest.raises(EmbedderFailed, match=f"{kind} must be able to load"):
        embedder(f"{kind}:{tmp_path}")


def test_the_table_imports_nothing_heavy() -> None:
    """Adapters come in when they are named."""
    code = """if True:
        import sys
        import engram.adapters.embedders
        heavy = {"tokenizers", "safetensors", "http.client", "torch", *sys.argv[1:]}
        sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)
    """
    modules = [path.partition(":")[0] for path in EMBEDDERS.values()]
    done = subprocess.run(
        [sys.executable, "-c", code, *modules], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
