"""Language models behind any server that speaks the OpenAI protocol, such as llama.cpp or vLLM."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from engram.adapters.events import count, dig, events
from engram.adapters.openai import from_environment
from engram.adapters.server import Server, Unfit, chatting, patient
from engram.ports import Completion

Answer = TypeVar("Answer")

_PATH = "/chat/completions"
_ADVICE = "check that the address ends in the version, such as /v1"
_PLAINER = {"json_schema": "json_object", "json_object": "", "": ""}


@dataclass(frozen=True, slots=True)
class Manner:
    """How a server likes to be asked. Servers differ, and say so by refusing.

    Attributes:
        form: ``response_format`` of an answer that must fit a schema: ``json_schema``,
            ``json_object``, or "" for none.
        limit: what the longest answer is called.
        greedy: whether the temperature may be given.
        counts: whether a stream can be asked for its counts of tokens.
    """

    form: str = "json_schema"
    limit: str = "max_tokens"
    greedy: bool = True
    counts: bool = True

    def after(self, complaint: str, *, schema: bool, stream: bool) -> "Manner | None":
        """What to try after a refusal; None where nothing is left to try.

        Args:
            complaint: the server's.
            schema: whether the request had one.
            stream: whether it asked for a stream.
        """
        if self.limit == "max_tokens" and "max_completion_tokens" in complaint:
            return replace(self, limit="max_completion_tokens")
        if self.greedy and "temperature" in complaint:
            return replace(self, greedy=False)
        if stream and self.counts:
            return replace(self, counts=False)
        if schema and self.form:
            return replace(self, form=_PLAINER[self.form])
        return None


class Chat:
    """One model of one server.

    Args:
        model: as the server names it.
        server: None for ``OPENAI_BASE_URL`` with ``OPENAI_API_KEY``, else OpenAI itself.

    Raises:
        InvalidInput: OpenAI itself is meant and ``OPENAI_API_KEY`` is not set.
    """

    def __init__(self, model: str, server: Server | None = None) -> None:
        self.model = model
        self.server = chatting(server) if server else patient(from_environment())
        self.name = f"openai:{model}@{self.server.place}"
        self._manner = Manner()

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

        def once(manner: Manner) -> Any:
            return self.server.ask(_PATH, self._payload(messages, manner, max_tokens, schema))

        return self._completion(self._suited(once, schema=schema is not None, stream=False))

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

        def once(manner: Manner) -> Completion:
            payload = {**self._payload(messages, manner, max_tokens), "stream": True}
            if manner.counts:
                payload["stream_options"] = {"include_usage": True}
            return self._heard(tell, payload)

        return self._suited(once, schema=False, stream=True)

    def _suited(self, once: Callable[[Manner], Answer], *, schema: bool, stream: bool) -> Answer:
        """The answer in the richest manner that the server takes; it is kept for the next time."""
        manner = self._manner
        while True:
            try:
                answer = once(manner)
            except Unfit as refusal:
                plainer = manner.after(str(refusal), schema=schema, stream=stream)
                if plainer is None:
                    raise
                manner = plainer
            else:
                self._manner = manner
                return answer

    def _payload(
        self,
        messages: Sequence[Mapping[str, str]],
        manner: Manner,
        max_tokens: int,
        schema: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "model": self.model,
            "messages": [dict(message) for message in messages],
            manner.limit: max_tokens,
        }
        if manner.greedy:
            payload["temperature"] = 0
        if schema is not None and manner.form:
            payload["response_format"] = _format(manner.form, schema)
        return payload

    def _completion(self, told: Any) -> Completion:
        text = dig(told, "choices", 0, "message", "content")
        if not isinstance(text, str):
            raise self.server.strange("a chat completion with text", told, _ADVICE)
        return Completion(text, *_counts(told))

    def _heard(self, tell: Callable[[str], None], payload: dict[str, Any]) -> Completion:
        """The pieces of a stream, put together."""
        said: list[str] = []
        counts: tuple[int | None, int | None] = (None, None)
        over = False
        for event in events(self.server, self.server.lines(_PATH, payload)):
            piece = dig(event, "choices", 0, "delta", "content")
            if isinstance(piece, str) and piece:
                said.append(piece)
                tell(piece)
            if event.get("done") or dig(event, "choices", 0, "finish_reason"):
                over = True
            if event.get("usage"):
                counts = _counts(event)
        if not over:
            raise self.server.strange("a whole answer", "".join(said), "ask again")
        return Completion("".join(said), *counts)


def _counts(told: Any) -> tuple[int | None, int | None]:
    return (
        count(dig(told, "usage", "prompt_tokens")),
        count(dig(told, "usage", "completion_tokens")),
    )


def _format(form: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    if form != "json_schema":
        return {"type": form}
    answer = {"name": "answer", "schema": dict(schema), "strict": _is_strict(schema)}
    return {"type": form, "json_schema": answer}


def _is_strict(schema: Any) -> bool:
    """Whether OpenAI can hold its models to it: no property of an object may be left out."""
    if isinstance(schema, Mapping):
        needs = "properties" not in schema or set(schema["properties"]) == set(
            schema.get("required", ())
        )
        return needs and all(map(_is_strict, schema.values()))
    return all(map(_is_strict, schema)) if isinstance(schema, (list, tuple)) else True
