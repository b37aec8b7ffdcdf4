"""JSON from a model server over HTTP: patient, but not for ever. Standard library only."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse
from socket import gaierror
from typing import Any
from urllib.error import URLError
from urllib.parse import SplitResult, urlsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request

from engram.errors import EmbedderFailed, EngramError, InvalidInput, ModelFailed

_PIECE = 64 * 1024  # bytes read between two looks at the clock
_QUOTED = 200  # characters of a server's complaint that an error repeats
_LONGEST_WAIT = 20.0  # seconds; a server that asks for more has said no
_PATIENCE = 120.0  # seconds; a model on a CPU is slow
_STREAM = 10  # a stream may take so many times the silence that is borne in it
_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})  # states that may pass
_UNFIT = frozenset({400, 413, 422})  # what servers answer to what is too long, or unknown to them
_RAN = frozenset({500, 502, 504})  # states in which a model may have worked for nothing
_NOBODY = (ConnectionRefusedError, gaierror)


class TooMuch(EmbedderFailed):
    """The server refused the texts as they stand; fewer or shorter ones may do."""


class Unfit(ModelFailed):
    """The server refused the request as it stands; a plainer one may do."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a server is for.

    Attributes:
        noun: what errors call it.
        failed: the error when it gives nothing usable.
        refused: the error when another request may do.
        longest: bytes of an answer; more is none.
        key: the header that carries the key, and what stands there before it.
        headers: sent with every request.
    """

    noun: str
    failed: type[EngramError]
    refused: type[EngramError]
    longest: int
    key: tuple[str, str] = ("Authorization", "Bearer ")
    headers: Mapping[str, str] = field(default_factory=dict)


VECTORS = Use("embedding server", EmbedderFailed, TooMuch, 64 * 1024 * 1024)
CHAT = Use("model server", ModelFailed, Unfit, 8 * 1024 * 1024)


class _Fault(Exception):
    """What went wrong in one attempt. ``wait`` is None where the server asks for no time."""

    passing = refused = False
    taken = True
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """One model server.

    Attributes:
        url: up to where its paths begin, such as ``http://localhost:8000/v1``.
        key: of the caller; never shown.
        timeout: seconds that one attempt may take; of a stream, that it may be silent.
        attempts: how often to ask in all, where the fault may pass.
        pause: seconds before the second attempt, doubled before each further one; what the server
            asks for in ``Retry-After`` goes first.
        use: what it is for.
    """

    url: str
    key: str | None = field(default=None, repr=False)
    timeout: float = 30.0
    attempts: int = 4
    pause: float = 0.5
    use: Use = field(default=VECTORS, repr=False)

    def __post_init__(self) -> None:
        """Refuse what can never answer."""
        parts = _parts(self.url)
        if parts is None:
            raise InvalidInput(
                "the server's address must be http(s)://host/..., got "
                f"{self.url.rpartition('@')[2]!r}; correct it"
            )
        if parts.username or parts.password or parts.query or parts.fragment:
            # An address is shown in errors and stands in names, so it must hold no secret.
            raise InvalidInput(
                f"the server's address must be only host and path, got more behind or before "
                f"{parts.hostname!r}; a key belongs into the variable for it"
            )
        if self.key and not (self.key.isascii() and self.key.isprintable() and " " not in self.key):
            raise InvalidInput(
                "the server's key must be of letters, digits and signs, got something else in it; "
                "look at how it was copied"
            )
        if self.timeout <= 0 or self.attempts < 1 or self.pause < 0:
            raise InvalidInput(
                "timeout must be above 0, attempts at least 1 and pause at least 0, got "
                f"{self.timeout!r}, {self.attempts!r}, {self.pause!r}"
            )

    @property
    def place(self) -> str:
        """Host, port and path: what tells this server from others in a name."""
        parts = urlsplit(self.url)
        where = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
        return where + parts.path.rstrip("/")

    def ask(self, path: str, payload: object = None) -> Any:
        """What the server answers, decoded. Without a payload it is a GET.

        Raises:
            EngramError: of the kind that ``use`` names: the server refused, could not be reached in
                ``attempts`` tries, or did not send JSON.
        """
        tries = 0
        while True:
            tries += 1
            try:
                return self._once(path, payload)
            except _Fault as fault:
                self._bear(fault, tries)

    def lines(self, path: str, payload: object) -> Iterator[str]:
        """The lines of an answer as they come, without blank ones.

        Asks again only while no line has come.

        Raises:
            EngramError: as for ``ask``; also when the server falls silent, or does not end.
        """
        tries = 0
        told = False
        while True:
            tries += 1
            try:
                for line in self._told(path, payload):
                    told = True
                    yield line
            except _Fault as fault:
                self._bear(fault, self.attempts if told else tries)
            else:
                return

    def strange(self, wanted: str, told: object, advice: str) -> EngramError:
        """The error for an answer that is none.

        Args:
            wanted: what must come.
            told: what came.
            advice: what to do.
        """
        said = self._quoted(told if isinstance(told, str) else repr(told))
        return self.use.failed(
            f"the {self.use.noun} must send {wanted}, {self.url!r} sent {said!r}; {advice}"
        )

    def _bear(self, fault: _Fault, tries: int) -> None:
        """Wait for the next attempt, or raise what the caller is to see."""
        pause = self.pause * 2 ** (tries - 1) if fault.wait is None else fault.wait
        if fault.passing and tries < self.attempts:
            time.sleep(pause)
            return
        error = (self.use.refused if fault.refused else self.use.failed)(str(fault))
        if isinstance(error, ModelFailed):
            error.taken, error.wait = fault.taken, pause if fault.passing else None
        raise error from fault.__cause__

    def _once(self, path: str, payload: object) -> Any:
        until = time.monotonic() + self.timeout
        reply = self._opened(path, payload, until)
        try:
            with reply:
                raw = _body(reply, until, self.use.longest)
        except (OSError, HTTPException) as fault:
            raise self._unreachable(fault) from fault
        try:
            return json.loads(raw)
        except (ValueError, RecursionError):
            said = self._quoted(raw.decode("utf-8", "replace"))
            raise _Fault(
                f"the {self.use.noun} must send JSON, {self.url + path!r} sent {said!r}; "
                "correct the address"
            ) from None

    def _told(self, path: str, payload: object) -> Iterator[str]:
        reply = self._opened(path, payload, time.monotonic() + self.timeout)
        try:
            with reply:
                yield from _lines(reply, self.timeout, self.use.longest)
        except (OSError, HTTPException) as fault:
            raise self._unreachable(fault) from fault

    def _opened(self, path: str, payload: object, until: float) -> HTTPResponse:
        """The answer, of which the status is known to be good and the body is still to come."""
        body = None if payload is None else json.dumps(payload).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "engram", **self.use.headers}
        if self.key:
            name, before = self.use.key
            headers[name] = before + self.key
        request = Request(self.url.rstrip("/") + path, body, headers)
        try:
            reply: HTTPResponse = _opener().open(request, timeout=self.timeout)
            if reply.status == 200:
                return reply
            with reply:
                raw = _body(reply, until, self.use.longest)
        except (OSError, HTTPException) as fault:
            raise self._unreachable(fault) from fault
        raise self._refused(reply, raw)

    def _unreachable(self, fault: Exception) -> _Fault:
        reason = fault.reason if isinstance(fault, URLError) else fault
        passing = _Fault(
            f"the {self.use.noun} must answer, {self.url!r} did not ({reason!r}); start it, or "
            "correct the address"
        )
        passing.passing, passing.taken = True, not isinstance(reason, _NOBODY)
        return passing

    def _refused(self, reply: HTTPResponse, raw: bytes) -> _Fault:
        said = self._quoted(raw.decode("utf-8", "replace"))
        fault = _Fault(
            f"the {self.use.noun} must accept the request, {self.url!r} answered "
            f"{reply.status} ({said!r}); check the model and the key"
        )
        fault.wait = _seconds(reply.headers.get("Retry-After"))
        fault.passing = reply.status in _AGAIN and (fault.wait or 0.0) <= _LONGEST_WAIT
        fault.refused = reply.status in _UNFIT
        fault.taken = reply.status in _RAN
        return fault

    def _quoted(self, text: str) -> str:
        """The start of what a server said, without the key, which servers like to repeat."""
        return (text.replace(self.key, "<key>") if self.key else text).strip()[:_QUOTED]


def chatting(server: Server, use: Use = CHAT) -> Server:
    """The same server, for a language model."""
    return replace(server, use=use)


def patient(server: Server, use: Use = CHAT) -> Server:
    """The same server, for a language model that nobody has set up by hand.

    It is asked once: whoever asks decides whether to ask again, for each attempt may cost.
    """
    return replace(server, use=use, timeout=_PATIENCE, attempts=1)


def _parts(url: str) -> SplitResult | None:
    """The parts of an address; None where it is none."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a bracket that does not close
        return None
    return parts if good else None


def _opener() -> OpenerDirector:
    """Gives every status back as it is, and follows no redirect: the key would go along."""
    opener = OpenerDirector()
    for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler()):
        opener.add_handler(handler)
    return opener


def _body(reply: HTTPResponse, until: float, longest: int) -> bytes:
    """All of the body, in time and in full."""
    announced = reply.length  # None where it comes in chunks
    raw = bytearray()
    while (announced is None or len(raw) < announced) and (piece := reply.read1(_PIECE)):
        raw += piece
        if time.monotonic() > until:
            raise TimeoutError("timed out within the answer")
        if len(raw) > longest:
            raise HTTPException(f"an answer of more than {longest} bytes")
    _check_length(len(raw), announced)
    return bytes(raw)


def _lines(reply: HTTPResponse, silence: float, longest: int) -> Iterator[str]:
    """The lines of the body; each must come within ``silence`` seconds."""
    announced = reply.length  # None where it comes in chunks
    rest, size = b"", 0
    end = time.monotonic() + _STREAM * silence
    until = time.monotonic() + silence
    while piece := reply.read1(_PIECE):
        size += len(piece)
        *whole, rest = (rest + piece).split(b"\n")
        if time.monotonic() > min(until, end):
            raise TimeoutError("timed out within the answer")
        if size > longest:
            raise HTTPException(f"an answer of more than {longest} bytes")
        yield from filter(None, (line.decode("utf-8", "replace").strip() for line in whole))
        if whole:  # the time that the reader took for them is not the server's
            until = time.monotonic() + silence
    _check_length(size, announced)
    if rest.strip():
        yield rest.decode("utf-8", "replace").strip()


def _check_length(size: int, announced: int | None) -> None:
    if announced is not None and announced != size:
        raise HTTPException(f"an answer of {size} bytes where {announced} were announced")


def _seconds(ordered: str | None) -> float | None:
    """What ``Retry-After`` asks for: seconds, or a date; None where it makes no sense."""
    if ordered is None:
        return None
    try:
        date = ordered.strip().isdecimal() or parsedate_to_datetime(ordered)
    except ValueError:
        return None
    return float(ordered) if date is True else max(0.0, date.timestamp() - time.time())
