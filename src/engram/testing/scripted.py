"""A server on this machine that answers as a script says, and in every wrong way."""

import json
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

LONGEST_WAIT = 10.0  # seconds that a silent answer holds its line, if nobody closes the server
LARGEST = 64 * 1024 * 1024  # bytes of an answer that has no end


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        status: of HTTP; 0 hangs up without a word.
        body: None for a right answer.
        headers: beside the usual ones.
        cut: bytes that are announced and missing; below 0, bytes that come and are not announced.
        silent: nothing comes at all.
        drip: seconds before each byte of the body.
        endless: the body is repeated until nobody listens.
    """

    status: int = 200
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0
    silent: bool = False
    drip: float = 0.0
    endless: bool = False


class ScriptedServer(ThreadingHTTPServer):
    """Gives each answer of ``script`` once and right answers after; ``seen`` keeps requests."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: list[Any] = []
        self.seen: list[tuple[str, dict[str, str], Any]] = []
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, path: str, asked: Any) -> Answer:
        """The next answer; called by one thread at a time. Kinds of servers make right ones."""
        echo = json.dumps({"path": path, "asked": asked}).encode()
        return self.script.pop(0) if self.script else Answer(body=echo)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of callers that hang up; all else is a fault of the test."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedServer

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, asked: Any) -> None:
        with self.server.lock:
            self.server.seen.append((self.path, dict(self.headers), asked))
            answer = self.server.answer(self.path, asked)
        if answer.silent:
            self.server.over.wait(LONGEST_WAIT)
        if answer.silent or not answer.status:
            return
        body = answer.body or b""
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if not answer.endless:
            self.send_header("Content-Length", str(len(body) + min(0, answer.cut)))
        self.end_headers()
        with suppress(OSError):  # the caller has heard enough
            self._send(body[: len(body) - max(0, answer.cut)], answer)

    def _send(self, body: bytes, answer: Answer) -> None:
        if not answer.drip:
            for _ in range(LARGEST // max(1, len(body)) if answer.endless else 1):
                self.wfile.write(body)
            return
        for byte in body:
            if self.server.over.wait(answer.drip):
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


Running = TypeVar("Running", bound=ScriptedServer)


@contextmanager
def running(server: Running) -> Iterator[Running]:
    """The server at work until the block ends."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()
