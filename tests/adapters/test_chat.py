"""The OpenAI protocol as servers really speak it: each knows another part."""

from collections.abc import Iterator
from typing import Any

import pytest

from engram.adapters.chat import Chat
from engram.adapters.openai import HOME
from engram.adapters.server import Server
from engram.errors import InvalidInput, ModelFailed
from engram.plaintext.advice import choices, fields
from engram.testing.model_server import FAULTS, WORDS, Answer, ModelServer, model_server

ASK = [{"role": "user", "content": "Where?"}]
STRICT = fields({"ids": choices(3)})
LOOSE = fields({"notes": {"type": "array", "items": fields({"text": {}}, optional=["text"])}})


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A server of its own for each test."""
    with model_server() as made:
        yield made


def chat(server: ModelServer, **settings: Any) -> Chat:
    """A model that is asked at once or not at all."""
    return Chat("small", Server(f"{server.url}/v1/", **{"pause": 0.0, "attempts": 1, **settings}))


def forms(server: ModelServer) -> list[str | None]:
    """Which form of an answer was asked for, request by request."""
    return [body.get("response_format", {}).get("type") for body in server.requests]


def test_a_completion_is_asked_for_at_temperature_0(server: ModelServer) -> None:
    """With the key as a bearer token, and nothing that was not needed."""
    chat(server, key="k-123").complete(ASK, max_tokens=512)

    path, headers, body = server.seen[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer k-123"
    assert body == {"model": "small", "messages": ASK, "temperature": 0, "max_tokens": 512}


@pytest.mark.parametrize(("schema", "strict"), [(STRICT, True), (LOOSE, False)])
def test_a_schema_is_strict_where_no_property_may_be_left_out(
    server: ModelServer, schema: dict[str, Any], strict: bool
) -> None:
    """OpenAI refuses to be strict about any other."""
    chat(server).complete(ASK, schema=schema)

    asked = server.requests[0]["response_format"]
    assert asked["type"] == "json_schema"
    assert asked["json_schema"] == {"name": "answer", "schema": schema, "strict": strict}


@pytest.mark.parametrize(
    ("refused", "tried"),
    [
        ({"json_schema"}, ["json_schema", "json_object"]),
        ({"json_schema", "json_object"}, ["json_schema", "json_object", None]),
        ({"response_format"}, ["json_schema", "json_object", None]),
    ],
)
def test_a_server_that_knows_no_schema_is_asked_more_plainly(
    server: ModelServer, refused: set[str], tried: list[str | None]
) -> None:
    """And remembered: the second question goes at once as it must."""
    server.refuses = refused
    model = chat(server)

    for _ in range(2):
        model.complete(ASK, schema=STRICT)

    assert forms(server) == [*tried, tried[-1]]


def test_a_model_that_takes_no_temperature_is_not_given_one(server: ModelServer) -> None:
    """Models that reason have their own, and call the longest answer by another name."""
    server.refuses = {"temperature", "max_tokens"}
    model = chat(server)

    for _ in range(2):
        model.complete(ASK, max_tokens=77)

    assert len(server.requests) == 4
    assert server.requests[-1] == {"model": "small", "messages": ASK, "max_completion_tokens": 77}


def test_a_stream_without_counts_is_asked_for_where_the_server_has_none(
    server: ModelServer,
) -> None:
    """Older servers refuse the option."""
    server.refuses = {"stream_options"}
    model = chat(server)
    told: list[str] = []

    for _ in range(2):
        model.stream(ASK, told.append)

    assert "".join(told) == WORDS * 2
    assert ["stream_options" in body for body in server.requests] == [True, False, False]


def test_a_refusal_that_nothing_helps_against_is_not_remembered(server: ModelServer) -> None:
    """A prompt that is too long says nothing about schemas."""
    server.script = [FAULTS["bad request"]] * 3
    model = chat(server)

    with pytest.raises(ModelFailed, match="400"):
        model.complete(ASK, schema=STRICT)
    model.complete(ASK, schema=STRICT)

    assert forms(server) == ["json_schema", "json_object", None, "json_schema"]


@pytest.mark.parametrize(
    "line",
    [
        b"<html>",
        b'data: {"error": {"message": "out of memory"}}',
        b"data: [1, 2]",
        b"data: {",
        b"data: " + b"[" * 100_000,
    ],
)
def test_a_stream_of_something_else_is_an_error(server: ModelServer, line: bytes) -> None:
    """The message quotes what came."""
    server.script = [Answer(body=b'data: {"choices": [{"delta": {"content": "A"}}]}\n\n' + line)]

    with pytest.raises(ModelFailed, match="must send its answer in pieces"):
        chat(server).stream(ASK, lambda _: None)


@pytest.mark.parametrize(
    "event",
    [
        b"{}",
        b'{"choices": []}',
        b'{"choices": [null]}',
        b'{"choices": {"delta": 1}}',
        b'{"choices": [{"delta": null, "finish_reason": null}], "usage": null}',
        b'{"choices": [{"delta": {"content": 7}}]}',
    ],
)
def test_events_that_say_nothing_are_passed_over(server: ModelServer, event: bytes) -> None:
    """Servers send the oddest things to keep a line open."""
    good = b'data: {"choices": [{"delta": {"content": "Oslo"}, "finish_reason": "stop"}]}\n\n'
    server.script = [Answer(body=b"data: " + event + b"\n\n" + good)]

    assert chat(server).stream(ASK, lambda _: None).text == "Oslo"


def test_openai_itself_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before anything is sent."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for url in ("", HOME):
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        with pytest.raises(InvalidInput, match="OPENAI_API_KEY"):
            Chat("gpt-5")


def test_the_environment_names_the_server(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that was read from a file often has a line end behind it."""
    monkeypatch.setenv("OPENAI_BASE_URL", f" {server.url}/v1\n")
    monkeypatch.setenv("OPENAI_API_KEY", "k-123\n")

    assert Chat("small").complete(ASK).text == WORDS
    assert server.seen[0][1]["Authorization"] == "Bearer k-123"
