"""A server that speaks the embedding protocols of OpenAI and Ollama, and fails when told to."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DIMENSION = 16
LONGEST_WAIT = 10.0  # seconds that a silent answer holds its line, if nobody closes the server


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    ``body`` None is a right answer, ``cut`` bytes are announced and missing, and ``silent``
    answers nothing at all.
    """

    status: int = 200
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0
    silent: bool = False


class EmbeddingServer(ThreadingHTTPServer):
    """Gives each answer of ``script`` once and right answers after; ``seen`` keeps requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: list[Answer] = []
        self.seen: list[tuple[str, dict[str, str], Any]] = []
        self.over = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: EmbeddingServer

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, asked: Any) -> None:
        self.server.seen.append((self.path, dict(self.headers), asked))
        answer = self.server.script.pop(0) if self.server.script else Answer()
        if answer.silent:
            self.server.over.wait(LONGEST_WAIT)
            return
        body = _right(self.path, asked) if answer.body is None else answer.body
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + answer.cut))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def embedding_server() -> Iterator[EmbeddingServer]:
    """A server of its own, on a free port of this machine, until the block ends."""
    with EmbeddingServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()


def vector(text: str) -> list[float]:
    """What the server gives for a text: the same each time, and not of length 1."""
    return [byte - 127.5 for byte in hashlib.sha512(text.encode()).digest()[:DIMENSION]]


def _right(path: str, asked: Any) -> bytes:
    if path.endswith("/tags"):
        return json.dumps({"models": [{"name": "small:latest", "digest": "f" * 64}]}).encode()
    found = [vector(text) for text in asked["input"]]
    if path.endswith("/embed"):
        return json.dumps({"model": asked["model"], "embeddings": found}).encode()
    rows = [{"index": at, "embedding": row} for at, row in enumerate(found)]
    return json.dumps({"data": rows[::-1]}).encode()  # the protocol promises no order
