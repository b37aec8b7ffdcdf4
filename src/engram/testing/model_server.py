"""A server that speaks the chat protocols of OpenAI, Anthropic and Ollama, and misbehaves.

It answers what its script says, and after that something right: an object that fits the schema of
the request, or a few words. ``FAULTS`` names the wrong ways.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from engram.testing.scripted import Answer as Answer
from engram.testing.scripted import ScriptedServer, running

WORDS = "I see."
"""What is said where nothing else was ordered."""

KEY = "sk-a1b2c3d4e5f6a7b8"
"""What the complaints of ``FAULTS`` repeat, as servers do."""

_BAD = json.dumps({"error": {"message": f"not with the key {KEY}"}}).encode()

FAULTS: Mapping[str, Answer] = {
    "bad request": Answer(400, _BAD),
    "wrong key": Answer(401, _BAD),
    "no such model": Answer(404, _BAD),
    "too many requests": Answer(429, _BAD, {"Retry-After": "0"}),
    "too many for long": Answer(429, _BAD, {"Retry-After": "3600"}),
    "broken": Answer(500, b"melting"),
    "loading": Answer(503, b""),
    "overloaded": Answer(529, b""),
    "hangs up": Answer(0),
    "hangs": Answer(silent=True),
    "drips": Answer(body=b" " * 1000, drip=0.02),
    "closed mid-body": Answer(cut=7),
    "announced too short": Answer(cut=-7),
    "endless": Answer(body=b'{"choices": "' + b"x" * 65_536, endless=True),
    "junk bytes": Answer(body=b"\xff\xfe\x00\x80"),
    "HTML": Answer(body=b"<html><body>Welcome to nginx!</body></html>"),
    "deep": Answer(body=b"[" * 100_000),
    "no choices": Answer(body=b'{"choices": [], "content": [], "message": {}}'),
    "another shape": Answer(body=b'["choices", 1, null]'),
    "no text": Answer(body=b'{"choices": [{"message": {"content": null}}], "content": null}'),
    "redirect": Answer(302, b"", {"Location": "http://127.0.0.1:9/elsewhere"}),
}
"""What a server can do wrong before a model has said anything."""

NONSENSE: Mapping[str, str] = {
    "prose": "I am afraid I cannot do that.",
    "nothing": "",
    "half an object": '{"ids": [0, 1',
    "a list": "[0, 1, 2]",
    "another object": '{"answer": 42, "sorry": true}',
    "invented ids": '{"ids": [0, 999999]}',
    "long ids": '{"ids": ["01a20b78-e09e-7ed4-8afe-fdfcf1215a58"]}',
    "no number": '{"ids": [NaN]}',
    "without end": '{"ids": [1e999]}',
    "half a character": '{"ids": [], "text": "\\ud83d"}',
    "deep": '{"ids": ' + "[" * 50_000,
    "long": '{"ids": [' + "0, " * 200_000 + "0]}",
}
"""What a model can say instead of ``{"ids": [...]}``, numbers below three."""

_UNKNOWN = "Unsupported parameter: '{}' is not supported with this model."
_INSTEAD = {"max_tokens": " Use 'max_completion_tokens' instead."}


class ModelServer(ScriptedServer):
    """Plays ``script``: an ``Answer``, or a text or an object for the model to say.

    Attributes:
        refuses: names of what the server does not know: a field of the request, or a type of
            ``response_format``. It answers 400 to each.
        counts: whether answers say what they took.
        served: tokens in and out of every right answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refuses: set[str] = set()
        self.counts = True
        self.served: list[tuple[int, int]] = []

    @property
    def requests(self) -> list[Any]:
        """The bodies of all requests, in order."""
        return [body for _, _, body in self.seen]

    def answer(self, path: str, asked: Any) -> Answer:
        """A refusal, else what the script says, else something right."""
        form = asked.get("response_format", {}).get("type")
        for name in sorted(self.refuses & {*asked, form}, key=str):
            said = _UNKNOWN.format(name) + _INSTEAD.get(name, "")
            return Answer(400, json.dumps({"error": {"message": said}}).encode())
        told = self.script.pop(0) if self.script else _default(asked)
        if isinstance(told, Answer) and told.body is not None:
            return told
        shape = told if isinstance(told, Answer) else Answer()
        text = _default(asked) if isinstance(told, Answer) else told
        said = text if isinstance(text, str) else json.dumps(text)
        counts = len(json.dumps(asked.get("messages")).split()), len(said.split())
        if shape == Answer():
            self.served.append(counts)
        spoken = _Said(said, bool(asked.get("tools")), counts if self.counts else None)
        return replace(shape, body=_spoken(path, asked, spoken))


@contextmanager
def model_server() -> Iterator[ModelServer]:
    """A server of its own, on a free port of this machine, until the block ends."""
    with running(ModelServer()) as server:
        yield server


def fitting(schema: Mapping[str, Any]) -> Any:
    """The least value that fits a JSON Schema of objects, lists, texts and numbers."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    if kind == "object":
        needed = schema.get("required", ())
        return {name: fitting(schema["properties"][name]) for name in needed}
    if kind == "array":
        return [fitting(schema["items"])] * int(schema.get("minItems", 0))
    if kind == "string":
        return "x" * max(1, int(schema.get("minLength", 1)))
    return False if kind == "boolean" else schema.get("minimum", 0)


def _default(asked: Mapping[str, Any]) -> Any:
    schema = _schema(asked)
    return WORDS if schema is None else fitting(schema)


def _schema(asked: Mapping[str, Any]) -> Any:
    """The schema that a request has, in whatever protocol."""
    if asked.get("tools"):
        return asked["tools"][0]["input_schema"]
    if isinstance(asked.get("format"), Mapping):
        return asked["format"]
    return asked.get("response_format", {}).get("json_schema", {}).get("schema")


@dataclass(frozen=True, slots=True)
class _Said:
    """What is said: the text, as a call of a tool or not, and what it took, where that is told."""

    text: str
    tool: bool
    usage: tuple[int, int] | None

    @property
    def words(self) -> list[str]:
        return [word for word in self.text.replace(" ", " \0").split("\0") if word]

    def taken(self, tokens_in: str, tokens_out: str) -> dict[str, int]:
        """The usage under the names of a protocol."""
        return (
            {}
            if self.usage is None
            else dict(zip((tokens_in, tokens_out), self.usage, strict=True))
        )


def _spoken(path: str, asked: Any, said: _Said) -> bytes:
    """What is said in the protocol that the path belongs to, whole or in pieces."""
    whole, pieces = next(both for end, both in _PROTOCOLS.items() if path.endswith(end))
    return b"".join(pieces(said)) if asked.get("stream") else json.dumps(whole(said)).encode()


def _openai(said: _Said) -> Any:
    message = {"role": "assistant", "content": said.text}
    usage = said.taken("prompt_tokens", "completion_tokens")
    return {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}


def _openai_pieces(said: _Said) -> Iterator[bytes]:
    yield b": keep the line open\n\n"
    for word in said.words:
        yield _event({"choices": [{"delta": {"content": word}}]})
    yield _event({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    yield _event({"choices": [], "usage": said.taken("prompt_tokens", "completion_tokens")})
    yield b"data: [DONE]\n\n"


def _anthropic(said: _Said) -> Any:
    block = {"type": "text", "text": said.text}
    if said.tool:
        block = {"type": "tool_use", "name": "answer", "input": _loaded(said.text)}
    return {"content": [block], "usage": said.taken("input_tokens", "output_tokens")}


def _loaded(said: str) -> Any:
    """A tool is called with an object; a model that has none to give calls it with its words."""
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        return {"said": said}


def _anthropic_pieces(said: _Said) -> Iterator[bytes]:
    usage = said.taken("input_tokens", "output_tokens")
    yield _event({"type": "message_start", "message": {"usage": usage}})
    yield _event({"type": "ping"})
    for word in said.words:
        yield b"event: content_block_delta\n"
        delta = {"type": "text_delta", "text": word}
        yield _event({"type": "content_block_delta", "delta": delta})
    yield _event({"type": "message_delta", "delta": {}, "usage": usage})
    yield _event({"type": "message_stop"})


def _ollama(said: _Said) -> Any:
    message = {"role": "assistant", "content": said.text}
    return {"message": message, "done": True, **said.taken("prompt_eval_count", "eval_count")}


def _ollama_pieces(said: _Said) -> Iterator[bytes]:
    for word in said.words:
        piece = {"message": {"role": "assistant", "content": word}, "done": False}
        yield json.dumps(piece).encode() + b"\n"
    yield json.dumps(_ollama(replace(said, text=""))).encode() + b"\n"


def _event(data: Any) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


_PROTOCOLS: Mapping[str, Any] = {
    "/chat/completions": (_openai, _openai_pieces),
    "/v1/messages": (_anthropic, _anthropic_pieces),
    "/api/chat": (_ollama, _ollama_pieces),
}
