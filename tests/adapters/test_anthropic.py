"""The messages protocol of Anthropic."""

from collections.abc import Iterator
from typing import Any

import pytest

from engram.adapters.anthropic import HOME, Anthropic
from engram.adapters.server import Server
from engram.errors import InvalidInput, ModelFailed
from engram.plaintext.advice import choices, fields
from engram.testing.model_server import WORDS, Answer, ModelServer, model_server

SYSTEM = {"role": "system", "content": "Be brief."}
USER = {"role": "user", "content": "Where?"}
SCHEMA = fields({"ids": choices(3)})


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A server of its own for each test."""
    with model_server() as made:
        yield made


def claude(server: ModelServer, **settings: Any) -> Anthropic:
    """A model that is asked once."""
    return Anthropic("small", Server(server.url, attempts=1, **settings))


def test_what_the_system_says_stands_apart(server: ModelServer) -> None:
    """The key has a header of its own, and the protocol its version."""
    claude(server, key="k-123").complete([SYSTEM, USER, SYSTEM], max_tokens=50)

    path, headers, body = server.seen[0]
    assert path == "/v1/messages"
    assert (headers["X-Api-Key"], headers["Anthropic-Version"]) == ("k-123", "2023-06-01")
    assert "Authorization" not in headers
    assert body == {
        "model": "small",
        "system": "Be brief.\n\nBe brief.",
        "messages": [USER],
        "max_tokens": 50,
        "temperature": 0,
    }


def test_an_object_comes_through_a_tool_that_must_be_called(server: ModelServer) -> None:
    """There is no other way to make the model keep to a schema."""
    server.script = [{"ids": [1]}]

    said = claude(server).complete([USER], schema=SCHEMA)

    assert said.text == '{"ids": [1]}'
    assert server.requests[0]["tools"] == [{"name": "answer", "input_schema": SCHEMA}]
    assert server.requests[0]["tool_choice"] == {"type": "tool", "name": "answer"}


def test_a_model_that_takes_no_temperature_is_not_given_one_again(server: ModelServer) -> None:
    """Three requests for two questions."""
    server.refuses = {"temperature"}
    model = claude(server)

    for _ in range(2):
        assert model.complete([USER]).text == WORDS

    assert ["temperature" in body for body in server.requests] == [True, False, False]


def test_another_refusal_is_final(server: ModelServer) -> None:
    """It would be the same without a temperature."""
    server.refuses = {"max_tokens"}

    with pytest.raises(ModelFailed, match="400"):
        claude(server).complete([USER])
    assert len(server.requests) == 1


def test_what_went_through_a_cache_is_counted(server: ModelServer) -> None:
    """It is paid for, at another price."""
    usage = b'{"input_tokens": 5, "cache_read_input_tokens": 70, "output_tokens": 3}'
    body = b'{"content": [{"type": "text", "text": "Oslo"}], "usage": %s}'
    server.script = [Answer(body=body % usage)]

    said = claude(server).complete([USER])

    assert (said.text, said.tokens_in, said.tokens_out) == ("Oslo", 75, 3)


@pytest.mark.parametrize("content", ["[]", '[{"type": "text"}]', '"Oslo"', "[null]", "{}"])
def test_a_message_without_text_is_an_error(server: ModelServer, content: str) -> None:
    """Nothing was said."""
    server.script = [Answer(body=b'{"content": %s}' % content.encode())]

    with pytest.raises(ModelFailed, match="must send a message with text"):
        claude(server).complete([USER])


def test_anthropic_itself_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before anything is sent."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    for url in ("", HOME):
        monkeypatch.setenv("ANTHROPIC_BASE_URL", url)
        with pytest.raises(InvalidInput, match="ANTHROPIC_API_KEY"):
            Anthropic("claude")


def test_the_environment_names_the_server(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a gateway, or for a test."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k-123")

    assert Anthropic("claude").complete([USER]).text == WORDS
    assert server.seen[0][1]["X-Api-Key"] == "k-123"
