"""Ollama's own chat protocol."""

from collections.abc import Iterator

import pytest

from engram.adapters.ollama_chat import OllamaChat
from engram.adapters.server import Server
from engram.plaintext.advice import choices, fields
from engram.testing.model_server import WORDS, ModelServer, model_server

ASK = [{"role": "user", "content": "Where?"}]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A server of its own for each test."""
    with model_server() as made:
        yield made


def test_a_schema_is_the_format(server: ModelServer) -> None:
    """At temperature 0, with the longest answer under Ollama's name for it."""
    schema = fields({"ids": choices(3)})

    OllamaChat("small", Server(server.url)).complete(ASK, schema=schema, max_tokens=50)

    path, _, body = server.seen[0]
    assert path == "/api/chat"
    assert body["format"] == schema
    assert body["stream"] is False
    assert (body["options"]["temperature"], body["options"]["num_predict"]) == (0, 50)


@pytest.mark.parametrize(
    ("letters", "room"), [(0, 4096), (9_000, 4096), (10_000, 8192), (60_000, 32768), (10**6, 32768)]
)
def test_there_is_room_for_the_whole_prompt(server: ModelServer, letters: int, room: int) -> None:
    """In steps, for a server loads a model anew at every change."""
    said = [{"role": "user", "content": "x" * letters}]

    OllamaChat("small", Server(server.url)).complete(said)

    assert server.requests[0]["options"]["num_ctx"] == room


def test_the_environment_names_the_server(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for embeddings; nothing is asked before it is needed."""
    monkeypatch.setenv("OLLAMA_HOST", server.url)

    model = OllamaChat("small")

    assert not server.seen
    assert model.complete(ASK).text == WORDS
