"""A chat model behind any server that speaks the OpenAI protocol. Never required."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from engram.errors import EngramError, InvalidInput

_LONGEST = 8 * 1024 * 1024  # bytes of a reply; more is not a chat completion
_QUOTED = 200  # characters of a server's complaint that an error repeats
_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})  # states that may pass


class ChatFailed(EngramError):
    """The chat server gave no usable answer."""


class _Stay(HTTPRedirectHandler):
    """Follows no redirect: the key would go along, to a host that nobody named."""

    def redirect_request(
        self,
        req: Request,  # noqa: ARG002
        fp: IO[bytes],  # noqa: ARG002
        code: int,  # noqa: ARG002
        msg: str,  # noqa: ARG002
        headers: HTTPMessage,  # noqa: ARG002
        newurl: str,  # noqa: ARG002
    ) -> None:
        return None


_OPENER = build_opener(_Stay)


@dataclass(frozen=True, slots=True)
class Chat:
    """One model on one server.

    Attributes:
        url: up to and with the version, such as ``http://localhost:11434/v1``.
        model: as the server names it.
        key: sent as a bearer token; never shown in an error.
        timeout: seconds that the server may be silent, at each attempt.
        attempts: how often to ask in all, where the fault may pass.
        pause: seconds before the second attempt; doubled before each further one.
        max_tokens: longest answer.
    """

    url: str
    model: str
    key: str | None = field(default=None, repr=False)
    timeout: float = 60.0
    attempts: int = 3
    pause: float = 1.0
    max_tokens: int = 512

    def __post_init__(self) -> None:
        """Refuse what can never answer."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidInput(
                f"url must be http(s)://host/..., got {self.url!r}; try 'http://localhost:11434/v1'"
            )
        if self.timeout <= 0 or self.attempts < 1 or self.pause < 0 or self.max_tokens < 1:
            raise InvalidInput(
                "timeout must be above 0, attempts and max_tokens at least 1, pause at least 0, "
                f"got {self.timeout!r}, {self.attempts!r}, {self.max_tokens!r}, {self.pause!r}"
            )

    def complete(self, messages: Sequence[Mapping[str, str]]) -> str:
        """Return the model's reply to messages of ``role`` and ``content``, at temperature 0.

        Raises:
            ChatFailed: the server refused, could not be reached in ``attempts`` tries, or sent
                something else than a chat completion.
        """
        payload = {
            "model": self.model,
            "messages": [dict(message) for message in messages],
            "temperature": 0,
            "max_tokens": self.max_tokens,
        }
        body = json.dumps(payload).encode()
        for attempt in range(1, self.attempts):
            try:
                return self._once(body)
            except _Passing:
                time.sleep(self.pause * 2 ** (attempt - 1))
        return self._once(body)

    def _once(self, body: bytes) -> str:
        headers = {"Content-Type": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        request = Request(f"{self.url.rstrip('/')}/chat/completions", body, headers)
        try:
            with _OPENER.open(request, timeout=self.timeout) as reply:
                raw: bytes = reply.read(_LONGEST + 1)
        except HTTPError as refusal:
            raise self._refused(refusal) from None
        except (OSError, HTTPException) as fault:
            raise _Passing(
                f"the chat server must be reachable, {self.url!r} is not ({fault}); "
                "start it, or correct the URL"
            ) from fault
        return self._text(raw)

    def _refused(self, refusal: HTTPError) -> ChatFailed:
        try:
            with refusal:
                said = refusal.read(_QUOTED).decode("utf-8", "replace").strip()
        except (OSError, HTTPException):
            said = ""  # the number says enough
        if self.key:
            said = said.replace(self.key, "<key>")
        kind = _Passing if refusal.code in _AGAIN else ChatFailed
        return kind(
            f"the chat server must accept the request, {self.url!r} answered {refusal.code} "
            f"({said!r}); check model {self.model!r} and the key"
        )

    def _text(self, raw: bytes) -> str:
        try:
            told: Any = json.loads(raw) if len(raw) <= _LONGEST else None
            text = told["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError):
            text = None
        if not isinstance(text, str):
            raise ChatFailed(
                f"the chat server must send a chat completion with text, {self.url!r} sent "
                f"{raw[:_QUOTED]!r}; check that the URL ends in the version, such as /v1"
            )
        return text


class _Passing(ChatFailed):
    """A fault that may be gone at the next attempt."""
