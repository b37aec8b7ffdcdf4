"""A server that speaks the embedding protocols of OpenAI and Ollama, and fails when told to."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from engram.testing.scripted import Answer as Answer
from engram.testing.scripted import ScriptedServer, running

DIMENSION = 16


class EmbeddingServer(ScriptedServer):
    """Gives each answer of ``script`` once and right answers after; ``seen`` keeps requests."""

    def answer(self, path: str, asked: Any) -> Answer:
        """The next answer of the script, filled in where it is to be a right one."""
        answer: Answer = self.script.pop(0) if self.script else Answer()
        return replace(answer, body=_right(path, asked)) if answer.body is None else answer


@contextmanager
def embedding_server() -> Iterator[EmbeddingServer]:
    """A server of its own, on a free port of this machine, until the block ends."""
    with running(EmbeddingServer()) as server:
        yield server


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
