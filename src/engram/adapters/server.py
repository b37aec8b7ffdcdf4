"""JSON from a model server over HTTP: patient, but not for ever. Standard library only."""

import json
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request

from engram.errors import EmbedderFailed, InvalidInput

_LONGEST = 64 * 1024 * 1024  # bytes of a reply; more is not a batch of vectors
_PIECE = 64 * 1024  # bytes read between two looks at the clock
_QUOTED = 200  # characters of a server's complaint that an error repeats
_LONGEST_WAIT = 20.0  # seconds; a server that asks for more has said no
_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})  # states that may pass
_TOO_MUCH = frozenset({400, 413, 422})  # what servers answer to a batch or text that is too long


class TooMuch(EmbedderFailed):
    """The server refused the request as it stands; a smaller one may do."""


class _Passing(EmbedderFailed):
    """A fault that may be gone at the next attempt, in ``wait`` seconds if the server says so."""

    wait: float | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """One model server.

    Attributes:
        url: up to where its paths begin, such as ``http://localhost:8000/v1``.
        key: sent as a bearer token; never shown.
        timeout: seconds that one attempt may take.
        attempts: how often to ask in all, where the fault may pass.
        pause: seconds before the second attempt, doubled before each further one; what the server
            asks for in ``Retry-After`` goes first.
    """

    url: str
    key: str | None = field(default=None, repr=False)
    timeout: float = 30.0
    attempts: int = 4
    pause: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what can never answer."""
        if not _is_address(self.url):
            raise InvalidInput(
                f"the server's address must be http(s)://host/..., got {self.url!r}; correct it"
            )
        if self.timeout <= 0 or self.attempts < 1 or self.pause < 0:
            raise InvalidInput(
                "timeout must be above 0, attempts at least 1 and pause at least 0, got "
                f"{self.timeout!r}, {self.attempts!r}, {self.pause!r}"
            )

    def ask(self, path: str, payload: object = None) -> Any:
        """What the server answers, decoded. Without a payload it is a GET.

        Raises:
            TooMuch: it refused this request; a smaller one may be accepted.
            EmbedderFailed: it refused for another reason, could not be reached in ``attempts``
                tries, or did not send JSON.
        """
        for attempt in range(1, self.attempts):
            try:
                return self._once(path, payload)
            except _Passing as fault:
                ordered = fault.wait
                time.sleep(self.pause * 2 ** (attempt - 1) if ordered is None else ordered)
        return self._once(path, payload)

    def _once(self, path: str, payload: object) -> Any:
        body = None if payload is None else json.dumps(payload).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "engram"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        request = Request(f"{self.url.rstrip('/')}{path}", body, headers)
        until = time.monotonic() + self.timeout
        try:
            with _opener().open(request, timeout=self.timeout) as reply:
                raw = _body(reply, until)
        except (OSError, HTTPException) as fault:
            raise self._unreachable(fault) from fault
        if reply.status != 200:
            raise self._refused(reply, raw)
        try:
            return json.loads(raw)
        except ValueError:
            raise EmbedderFailed(
                f"the embedding server must send JSON, {request.full_url!r} sent "
                f"{raw[:_QUOTED]!r}; correct the address"
            ) from None

    def _unreachable(self, fault: Exception) -> EmbedderFailed:
        reason = fault.reason if isinstance(fault, URLError) else fault
        return _Passing(
            f"the embedding server must answer, {self.url!r} did not ({reason!r}); start it, or "
            "correct the address"
        )

    def _refused(self, reply: HTTPResponse, raw: bytes) -> EmbedderFailed:
        said = raw[:_QUOTED].decode("utf-8", "replace").strip()
        if self.key:
            said = said.replace(self.key, "<key>")
        text = (
            f"the embedding server must accept the request, {self.url!r} answered "
            f"{reply.status} ({said!r}); check the model and the key"
        )
        if reply.status in _TOO_MUCH:
            return TooMuch(text)
        wait = _seconds(reply.headers.get("Retry-After"))
        if reply.status not in _AGAIN or (wait or 0.0) > _LONGEST_WAIT:
            return EmbedderFailed(text)
        passing = _Passing(text)
        passing.wait = wait
        return passing


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a bracket that does not close
        return False


def _opener() -> OpenerDirector:
    """Gives every status back as it is, and follows no redirect: the key would go along."""
    opener = OpenerDirector()
    for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler()):
        opener.add_handler(handler)
    return opener


def _body(reply: HTTPResponse, until: float) -> bytes:
    """All of the body, in time and in full."""
    announced = reply.length  # None where it comes in chunks
    raw = bytearray()
    while (announced is None or len(raw) < announced) and (piece := reply.read1(_PIECE)):
        raw += piece
        if time.monotonic() > until:
            raise TimeoutError("timed out within the answer")
        if len(raw) > _LONGEST:
            raise HTTPException(f"an answer of more than {_LONGEST} bytes")
    if announced is not None and announced != len(raw):
        raise HTTPException(f"an answer of {len(raw)} bytes where {announced} were announced")
    return bytes(raw)


def _seconds(ordered: str | None) -> float | None:
    """What ``Retry-After`` asks for: seconds, or a date; None where it makes no sense."""
    if ordered is None:
        return None
    try:
        date = ordered.strip().isdecimal() or parsedate_to_datetime(ordered)
    except ValueError:
        return None
    return float(ordered) if date is True else max(0.0, date.timestamp() - time.time())
