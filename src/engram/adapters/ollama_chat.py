"""Language models of an Ollama server, in its own protocol.

The OpenAI protocol that Ollama also speaks cannot say how long the prompt is, and Ollama silently
forgets the beginning of one that is longer than it expects.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engram.adapters.events import count, dig, events
from engram.adapters.ollama import address
from engram.adapters.server import Server, chatting, patient
from engram.ports import Completion

_PATH = "/api/chat"
_ADVICE = "update Ollama, or correct OLLAMA_HOST"
_LEAST, _MOST = 4_096, 32_768  # tokens of a prompt with its answer; more asks for too much memory
_BYTES = 3  # of a token, on the safe side


class OllamaChat:
    """One model of an Ollama server.

    Args:
        model: as ``ollama list`` shows it; without a tag, the latest.
        server: None for the one that ``OLLAMA_HOST`` names, else the one on this machine.
    """

    def __init__(self, model: str, server: Server | None = None) -> None:
        self.model = model
        here = os.environ.get("OLLAMA_HOST", "")
        self.server = chatting(server) if server else patient(Server(address(here)))
        self.name = f"ollama:{model}@{self.server.place}"

    def complete(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = 1024,
    ) -> Completion:
        """What the model says, at temperature 0.

        Raises:
            ModelFailed: the server refused, could not be reached, or sent something else.
        """
        payload = self._payload(messages, max_tokens)
        if schema is not None:
            payload["format"] = dict(schema)
        told = self.server.ask(_PATH, payload)
        text = dig(told, "message", "content")
        if not isinstance(text, str):
            raise self.server.strange("a message with text", told, _ADVICE)
        return Completion(text, *_counts(told))

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
        payload = {**self._payload(messages, max_tokens), "stream": True}
        said: list[str] = []
        for event in events(self.server, self.server.lines(_PATH, payload)):
            piece = dig(event, "message", "content")
            if isinstance(piece, str) and piece:
                said.append(piece)
                tell(piece)
            if event.get("done"):
                return Completion("".join(said), *_counts(event))
        raise self.server.strange("a whole answer", "".join(said), "ask again")

    def _payload(self, messages: Sequence[Mapping[str, str]], max_tokens: int) -> dict[str, Any]:
        room = _LEAST
        long = sum(len(one["content"].encode("utf-8", "replace")) for one in messages)
        while room < min(long // _BYTES + max_tokens, _MOST):
            room *= 2  # in steps, for a server loads the model anew at every change
        return {
            "model": self.model,
            "messages": [dict(message) for message in messages],
            "stream": False,
            "options": {"temperature": 0, "num_predict": max_tokens, "num_ctx": room},
        }


def _counts(told: Any) -> tuple[int | None, int | None]:
    return count(dig(told, "prompt_eval_count")), count(dig(told, "eval_count"))
