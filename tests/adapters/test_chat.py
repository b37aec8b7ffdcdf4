"""The chat adapter against a real server on this machine that misbehaves on demand."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from engram.adapters.chat import Chat, ChatFailed
from engram.errors import InvalidInput

GOOD = json.dumps({"choices": [{"message": {"role": "assistant", "content": "Oslo"}}]}).encode()
ASK = [{"role": "user", "content": "Where?"}]


class Server(ThreadingHTTPServer):
    """Plays a script of (status, body) and keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[tuple[int, bytes]] = []
        self.seen: list[tuple[str, dict[str, str], Any]] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        """As a caller would write it."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    """One request: read it, then do what the script says. Status 0 hangs up, -1 says nothing."""

    server: Server

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = json.loads(self.rfile.read(length))
        self.server.seen.append((self.path, dict(self.headers), body))
        status, reply = self.server.script.pop(0)
        if status < 0:
            self.server.over.wait(10)
            return
        if status == 0:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", reply.decode())
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of its own for each test."""
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.over.set()
        made.shutdown()
        thread.join()


def chat(server: Server, **settings: Any) -> Chat:
    """A chat that does not wait between attempts."""
    return Chat(server.url, "small", **{"pause": 0.0, "timeout": 5.0, **settings})


def test_a_completion_is_asked_for_and_its_text_returned(server: Server) -> None:
    """At temperature 0, with the key as a bearer token."""
    server.script = [(200, GOOD)]

    assert chat(server, key="k-123").complete(ASK) == "Oslo"
    path, headers, body = server.seen[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer k-123"
    assert body == {"model": "small", "messages": ASK, "temperature": 0, "max_tokens": 512}


@pytest.mark.parametrize("fault", [(429, b"slow down"), (503, b""), (0, b"")])
def test_a_fault_that_may_pass_is_tried_again(server: Server, fault: tuple[int, bytes]) -> None:
    """Too busy, down for a moment, or hung up."""
    server.script = [fault, fault, (200, GOOD)]

    assert chat(server).complete(ASK) == "Oslo"
    assert len(server.seen) == 3


def test_it_gives_up_after_the_attempts_that_were_granted(server: Server) -> None:
    """And says what the server said last."""
    server.script = [(503, b"melting")] * 9

    with pytest.raises(ChatFailed, match=r"503 \('melting'\)"):
        chat(server, attempts=2).complete(ASK)
    assert len(server.seen) == 2


def test_a_refusal_is_final_and_does_not_show_the_key(server: Server) -> None:
    """A wrong key stays wrong; servers like to repeat it in their complaint."""
    server.script = [(401, b"bad key k-123")]

    with pytest.raises(ChatFailed, match="401") as caught:
        chat(server, key="k-123").complete(ASK)
    assert "k-123" not in str(caught.value)
    assert "k-123" not in repr(chat(server, key="k-123"))
    assert len(server.seen) == 1


def test_a_redirect_is_not_followed(server: Server) -> None:
    """The key would travel to a host that nobody named."""
    server.script = [(302, b"http://127.0.0.1:9/elsewhere")]

    with pytest.raises(ChatFailed, match="302"):
        chat(server, key="k").complete(ASK)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": null}}]}',
        b'["choices"]',
        b"\xff",
    ],
)
def test_something_else_than_a_completion_is_an_error(server: Server, body: bytes) -> None:
    """The message quotes what came."""
    server.script = [(200, body)]

    with pytest.raises(ChatFailed, match="must send a chat completion"):
        chat(server).complete(ASK)


def test_a_server_that_says_nothing_is_given_up_after_the_timeout(server: Server) -> None:
    """A question is not worth waiting for ever."""
    server.script = [(-1, b"")]

    with pytest.raises(ChatFailed, match="timed out"):
        chat(server, timeout=0.05, attempts=1).complete(ASK)


def test_a_server_that_is_not_there_is_named() -> None:
    """Nobody listens on a port that was just given back."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/v1"

    with pytest.raises(ChatFailed, match=f"{port}/v1' is not"):
        Chat(url, "small", pause=0.0, attempts=2).complete(ASK)


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("ftp://host/v1", {}),
        ("localhost:8000", {}),
        ("http://", {}),
        ("http://host/v1", {"timeout": 0}),
        ("http://host/v1", {"attempts": 0}),
        ("http://host/v1", {"pause": -1}),
    ],
)
def test_settings_that_can_never_work_are_refused(url: str, settings: dict[str, Any]) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidInput, match="must be"):
        Chat(url, "small", **settings)
