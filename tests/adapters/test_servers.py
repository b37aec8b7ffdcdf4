"""The adapters of model servers against a real server that misbehaves on demand."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
import pytest

from engram.adapters.ollama import Ollama, address
from engram.adapters.openai import HOME, OpenAI
from engram.adapters.server import Server
from engram.errors import EmbedderFailed, InvalidInput
from engram.testing.embedding_server import (
    DIMENSION,
    Answer,
    EmbeddingServer,
    embedding_server,
    vector,
)

Maker: TypeAlias = Callable[..., OpenAI | Ollama]

NAN = b'{"data": [{"embedding": [NaN, 1.0]}], "embeddings": [[NaN, 1.0]]}'
ENDLESS = b'{"data": [{"embedding": [1e999, 1.0]}], "embeddings": [[1e999, 1.0]]}'
TWO = b'{"data": [{"embedding": [1]}, {"embedding": [2]}], "embeddings": [[1], [2]]}'
WORDS = b'{"data": [{"embedding": ["1", "2"]}], "embeddings": [["1", "2"]]}'


@pytest.fixture
def server() -> Iterator[EmbeddingServer]:
    """A server of its own for each test."""
    with embedding_server() as made:
        yield made


@pytest.fixture(params=["openai", "ollama"])
def make(request: pytest.FixtureRequest, server: EmbeddingServer) -> Maker:
    """Makes an adapter that does not wait between attempts; its first requests are forgotten."""

    def made(**settings: Any) -> OpenAI | Ollama:
        patience = {"pause": 0.0, "timeout": 5.0, **settings}
        adapter = (
            OpenAI("small", Server(f"{server.url}/v1", **patience))
            if request.param == "openai"
            else Ollama("small", Server(server.url, **patience))
        )
        server.seen.clear()
        return adapter

    return made


def told(raw: list[float]) -> np.ndarray:
    """What an adapter makes of one vector."""
    return np.array(raw) / np.linalg.norm(raw)


def test_each_text_gets_its_own_vector(make: Maker) -> None:
    """Over several requests, and whatever the order of an answer."""
    texts = [f"text {n}" for n in range(150)]

    found = make().embed(texts)

    assert np.abs(found - np.stack([told(vector(text)) for text in texts])).max() < 1e-6


@pytest.mark.parametrize(
    "fault",
    [
        Answer(500),
        Answer(503, b"loading"),
        Answer(429, b"slow down", {"Retry-After": "0"}),
        Answer(429, b"", {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        Answer(429, b"", {"Retry-After": "soon"}),
        Answer(cut=7),
        Answer(silent=True),
    ],
)
def test_a_fault_that_may_pass_is_tried_again(
    make: Maker, server: EmbeddingServer, fault: Answer
) -> None:
    """An error of the moment, a limit, an answer that breaks off, or none at all."""
    adapter = make(timeout=0.3)
    server.script = [fault, fault]

    found = adapter.embed(["a"])

    assert np.abs(found[0] - told(vector("a"))).max() < 1e-6
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Answer(500, b"melting"), r"500 \('melting'\)"),
        (Answer(cut=7), "bytes where"),
        (Answer(silent=True), "timed out"),
    ],
)
def test_it_gives_up_after_the_attempts_that_were_granted(
    make: Maker, server: EmbeddingServer, fault: Answer, message: str
) -> None:
    """And says what was wrong at last."""
    adapter = make(attempts=2, timeout=0.2)
    server.script = [fault] * 9

    with pytest.raises(EmbedderFailed, match=message):
        adapter.embed(["a"])
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(200, b"<html>"), "must send JSON"),
        (Answer(200, b"\xff"), "must send JSON"),
        (Answer(200, b"{}"), "must send 1 vectors"),
        (Answer(200, b"[1]"), "must send 1 vectors"),
        (Answer(200, b'{"data": 3, "embeddings": 3}'), "must send 1 vectors"),
        (Answer(200, b'{"data": [], "embeddings": []}'), "must send 1 vectors"),
        (Answer(200, TWO), r"must send 1 vectors|must give \(1, D\)"),
        (Answer(200, NAN), "finite"),
        (Answer(200, ENDLESS), "finite"),
        (Answer(200, WORDS), "numbers"),
        (Answer(401, b"who are you"), "401"),
        (Answer(404, b"no such model"), "404"),
        (Answer(302, b"", {"Location": "http://127.0.0.1:9/"}), "302"),
        (Answer(429, b"", {"Retry-After": "3600"}), "429"),
        (Answer(400, b"bad request"), "400"),
    ],
)
def test_an_answer_that_cannot_be_used_is_one_clear_error(
    make: Maker, server: EmbeddingServer, answer: Answer, message: str
) -> None:
    """At once: asking again would change nothing."""
    adapter = make()
    server.script = [answer]

    with pytest.raises(EmbedderFailed, match=message) as caught:
        adapter.embed(["a"])
    assert "\n" not in str(caught.value)
    assert len(server.seen) == 1


def test_a_server_of_another_dimension_is_refused(make: Maker, server: EmbeddingServer) -> None:
    """Vectors of two lengths cannot stand beside each other."""
    adapter = make()
    assert adapter.dimension == DIMENSION
    server.script = [Answer(200, b'{"data": [{"embedding": [1, 2]}], "embeddings": [[1, 2]]}')]

    with pytest.raises(EmbedderFailed, match=f"got 2 after {DIMENSION}"):
        adapter.embed(["a"])


def test_a_server_that_is_not_there_is_named() -> None:
    """Nobody listens on a port that was just given back."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    with pytest.raises(EmbedderFailed, match=f"{port}' did not .*start it"):
        Ollama("small", Server(f"http://127.0.0.1:{port}", pause=0.0, attempts=2))


def test_an_answer_that_drips_is_given_up_too() -> None:
    """Each byte comes in time, and the whole never would."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as door:
        dripping = threading.Thread(target=_drip, args=(door, over))
        dripping.start()
        url = f"http://127.0.0.1:{door.getsockname()[1]}"

        with pytest.raises(EmbedderFailed, match="timed out within the answer"):
            Server(url, timeout=0.2, attempts=1).ask("/api/tags")
        over.set()
        dripping.join()


def _drip(door: socket.socket, over: threading.Event) -> None:
    line, _ = door.accept()
    with line:
        line.recv(4096)
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not over.wait(0.01):
            with contextlib.suppress(OSError):  # the other side hangs up first
                line.sendall(b" ")


def test_the_key_is_sent_and_never_shown(server: EmbeddingServer) -> None:
    """Servers like to repeat it in their complaint."""
    adapter = OpenAI("small", Server(f"{server.url}/v1", key="k-123"))
    server.script = [Answer(401, b"bad key k-123")]

    with pytest.raises(EmbedderFailed, match="bad key <key>") as caught:
        adapter.embed(["a"])
    assert "k-123" not in str(caught.value) + repr(adapter.server)
    assert server.seen[-1][1]["Authorization"] == "Bearer k-123"


def test_a_request_that_is_too_large_is_halved(server: EmbeddingServer) -> None:
    """First the batch; a text alone is cut; the others keep their vectors."""
    adapter = OpenAI("small", Server(f"{server.url}/v1"))
    long = "x" * 1000
    refused = Answer(413, b"too many")
    server.script = [refused, Answer(), refused, Answer(), refused]

    found = adapter.embed(["a", "b", "c", long])

    wanted = [vector("a"), vector("b"), vector("c"), vector(long[:500])]
    assert np.abs(found - np.stack([told(raw) for raw in wanted])).max() < 1e-6


def test_openai_speaks_its_protocol(server: EmbeddingServer) -> None:
    """Model, texts, and numbers in plain form."""
    OpenAI("small", Server(f"{server.url}/v1/")).embed(["a", "", "b"])

    path, _, body = server.seen[-1]
    assert path == "/v1/embeddings"
    assert body == {"model": "small", "input": ["a", "b"], "encoding_format": "float"}


def test_ollama_speaks_its_protocol(server: EmbeddingServer) -> None:
    """And is asked to cut what its model cannot take."""
    Ollama("small", Server(server.url)).embed(["a", "", "b"])

    path, _, body = server.seen[-1]
    assert path == "/api/embed"
    assert body == {"model": "small", "input": ["a", "b"], "truncate": True}


def test_names_tell_weights_apart(server: EmbeddingServer) -> None:
    """Ollama knows a digest; elsewhere the address has to do."""
    assert Ollama("small", Server(server.url)).name == f"ollama:small@{'f' * 12}"
    place = server.url.removeprefix("http://")
    assert OpenAI("small", Server(f"{server.url}/v1")).name == f"openai:small@{place}/v1"


def test_a_model_that_ollama_does_not_have_comes_with_the_command(server: EmbeddingServer) -> None:
    """Copy, paste, done."""
    with pytest.raises(EmbedderFailed, match=r"'large:latest' is not among .*ollama pull large"):
        Ollama("large", Server(server.url))


def test_something_else_than_ollama_is_told_apart(server: EmbeddingServer) -> None:
    """Whatever listens there."""
    server.script = [Answer(200, json.dumps({"hello": "world"}).encode())]

    with pytest.raises(EmbedderFailed, match="must send a list of models"):
        Ollama("small", Server(server.url))


def test_openai_itself_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before anything is sent."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for url in ("", HOME):
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        with pytest.raises(InvalidInput, match="OPENAI_API_KEY"):
            OpenAI("text-embedding-3-small")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        (":8080", "http://127.0.0.1:8080"),
        ("den", "http://den:11434"),
        ("den:99", "http://den:99"),
        ("[::1]", "http://[::1]:11434"),
        ("[::1]:99", "http://[::1]:99"),
        ("http://den", "http://den:80"),
        ("https://den/ollama/", "https://den:443/ollama"),
        (" den:99/ ", "http://den:99"),
    ],
)
def test_ollama_host_may_leave_out_any_part(host: str, url: str) -> None:
    """The rules are Ollama's own."""
    assert address(host) == url


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("ftp://host/v1", {}),
        ("localhost:8000", {}),
        ("http://", {}),
        ("http://host:port/v1", {}),
        ("http://[::1", {}),
        ("http://host/v1", {"timeout": 0}),
        ("http://host/v1", {"attempts": 0}),
        ("http://host/v1", {"pause": -1}),
    ],
)
def test_settings_that_can_never_work_are_refused(url: str, settings: dict[str, Any]) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidInput, match="must be"):
        Server(url, **settings)


@pytest.mark.parametrize(
    "url",
    [
        "http://ana:k-123@host/v1",
        "http://k-123@host/v1",
        "https://host/v1?api-key=k-123",
        "https://host/v1#k-123",
        "ftp://ana:k-123@host",
    ],
)
def test_an_address_may_hold_no_secret(url: str) -> None:
    """It stands in names and errors; the refusal does not repeat it either."""
    with pytest.raises(InvalidInput) as caught:
        Server(url)
    assert "k-123" not in str(caught.value)


@pytest.mark.parametrize("key", ["k-123\nX-Other: 1", "k 123", "kéy", "k\x00"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key: str) -> None:
    """Python's own error would print it."""
    with pytest.raises(InvalidInput, match="the server's key") as caught:
        Server("http://host", key)
    assert key not in str(caught.value)


def test_a_key_that_the_quote_would_cut_in_two_is_not_shown_either(
    server: EmbeddingServer,
) -> None:
    """Only the start of a complaint is repeated, and a key may stand at its end."""
    server.script = [Answer(401, b"x" * 195 + b"secret-k-123")]

    with pytest.raises(EmbedderFailed) as caught:
        Server(server.url, key="secret-k-123").ask("/api/tags")
    assert "secre" not in str(caught.value)
