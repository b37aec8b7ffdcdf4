"""Language models of Anthropic. An object comes back through a tool that must be called."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engram.adapters.events import count, dig, events
from engram.adapters.server import CHAT, Server, Unfit, Use, chatting, patient
from engram.errors import InvalidInput
from engram.ports import Completion

HOME = "https://api.anthropic.com"
_PATH = "/v1/messages"
_ADVICE = "check ANTHROPIC_BASE_URL and the model"
_USE = Use(
    "model server",
    CHAT.failed,
    CHAT.refused,
    CHAT.longest,
    key=("x-api-key", ""),
    headers={"anthropic-version": "2023-06-01"},
)
_TOOL = "answer"
_COUNTED = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


class Anthropic:
    """One model.

    Args:
        model: as Anthropic names it.
        server: None for Anthropic itself, or what ``ANTHROPIC_BASE_URL`` names, with
            ``ANTHROPIC_API_KEY``.

    Raises:
        InvalidInput: Anthropic itself is meant and ``ANTHROPIC_API_KEY`` is not set.
    """

    def __init__(self, model: str, server: Server | None = None) -> None:
        self.model = model
        self.server = chatting(server, _USE) if server else patient(_from_environment(), _USE)
        self.name = f"anthropic:{model}@{self.server.place}"
        self._greedy = True

    def complete(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = 1024,
    ) -> Completion:
        """What the model says, at temperature 0 where it lets itself be given one.

        Raises:
            ModelFailed: the server refused, could not be reached, or sent something else.
        """
        payload = _payload(self.model, messages, max_tokens)
        if schema is not None:
            payload["tools"] = [{"name": _TOOL, "input_schema": dict(schema)}]
            payload["tool_choice"] = {"type": "tool", "name": _TOOL}
        told = self._suited(payload, lambda asked: self.server.ask(_PATH, asked))
        text = _text(told)
        if text is None:
            raise self.server.strange("a message with text", told, _ADVICE)
        return Completion(text, _taken(dig(told, "usage")), count(dig(told, *_OUT)))

    def stream(
        self,
        messages: Sequence[Mapping[str, str]],
        tell: Callable[[str], None],
        *,
        max_tokens: int = 1024,
    ) -> Completion:
        """What the model says, each piece told as it comes.

        Raises:
            ModelFailed: as for ``complete``; also when the answer breaks off.
        """
        payload = {**_payload(self.model, messages, max_tokens), "stream": True}
        return self._suited(payload, lambda asked: self._heard(tell, asked))

    def _suited(self, payload: dict[str, Any], once: Callable[[dict[str, Any]], Any]) -> Any:
        """The answer; a model that takes no temperature is not given one again."""
        if self._greedy:
            try:
                return once({**payload, "temperature": 0})
            except Unfit as refusal:
                if "temperature" not in str(refusal):
                    raise
            self._greedy = False
        return once(payload)

    def _heard(self, tell: Callable[[str], None], payload: dict[str, Any]) -> Completion:
        """The pieces of a stream, put together."""
        said: list[str] = []
        tokens_in = tokens_out = None
        for event in events(self.server, self.server.lines(_PATH, payload)):
            piece = dig(event, "delta", "text")
            if isinstance(piece, str) and piece:
                said.append(piece)
                tell(piece)
            if event.get("type") == "message_start":
                tokens_in = _taken(dig(event, "message", "usage"))
            if event.get("type") == "message_delta":
                tokens_out = count(dig(event, *_OUT))
            if event.get("type") == "message_stop":
                return Completion("".join(said), tokens_in, tokens_out)
        raise self.server.strange("a whole answer", "".join(said), "ask again")


_OUT = ("usage", "output_tokens")


def _from_environment() -> Server:
    url = os.environ.get("ANTHROPIC_BASE_URL", "").strip() or HOME
    key = os.environ.get("ANTHROPIC_API_KEY", "").strip() or None
    if url == HOME and not key:
        raise InvalidInput("Anthropic needs a key, got none; set ANTHROPIC_API_KEY")
    return Server(url, key)


def _payload(model: str, messages: Sequence[Mapping[str, str]], max_tokens: int) -> dict[str, Any]:
    """The request: what the system says stands apart from what is said in turn."""
    system = "\n\n".join(one["content"] for one in messages if one["role"] == "system")
    turns = [dict(one) for one in messages if one["role"] != "system"]
    payload = {"model": model, "messages": turns, "max_tokens": max_tokens}
    return {**payload, "system": system} if system else payload


def _text(told: Any) -> str | None:
    """The words of a message, or what the tool was called with, as JSON."""
    blocks = dig(told, "content")
    if not isinstance(blocks, list):
        return None
    for block in blocks:
        if dig(block, "type") == "tool_use":
            return json.dumps(dig(block, "input"))
    said = [dig(block, "text") for block in blocks if dig(block, "type") == "text"]
    return "".join(said) if said and all(isinstance(text, str) for text in said) else None


def _taken(usage: Any) -> int | None:
    """Tokens that went in: read anew, and written to and read from a cache."""
    if count(dig(usage, "input_tokens")) is None:
        return None
    return sum(count(dig(usage, name)) or 0 for name in _COUNTED)
