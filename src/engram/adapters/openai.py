"""Embeddings from any server that speaks the OpenAI protocol. Used only when it is asked for."""

import os
from collections.abc import Sequence
from typing import Any

from engram.adapters.server import Server, TooMuch
from engram.adapters.vectors import Limits, dimension_of, embedded
from engram.errors import EmbedderFailed, InvalidInput
from engram.ports import Vectors

HOME = "https://api.openai.com/v1"
_LIMITS = Limits(texts=64, letters=30_000, total=200_000)  # 30,000: 8,000 tokens of English
_SHORTEST = 256  # characters; a refusal of less than that is not about the length


class OpenAI:
    """One model of one server.

    Texts of more than 30,000 characters are cut there, and halved while the server refuses them.

    Args:
        model: as the server names it.
        server: None for ``OPENAI_BASE_URL`` with ``OPENAI_API_KEY``, else OpenAI itself.

    Raises:
        InvalidInput: OpenAI itself is meant and ``OPENAI_API_KEY`` is not set.
        EmbedderFailed: the server cannot be reached, or does not have the model.
    """

    def __init__(self, model: str, server: Server | None = None) -> None:
        self.model = model
        self.server = server or from_environment()
        # One name can mean other weights on another server.
        self.name = f"openai:{model}@{self.server.place}"
        self.dimension = dimension_of(self._request)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(N, dimension) unit rows; zeros for a text that says nothing.

        Raises:
            EmbedderFailed: the server refused, could not be reached, or sent something else.
        """
        return embedded(texts, self.dimension, self._some, _LIMITS)

    def _some(self, texts: list[str]) -> list[Any]:
        """Vectors of texts, in smaller requests where the server takes no large one."""
        try:
            return self._request(texts)
        except TooMuch:
            if len(texts) > 1:
                half = len(texts) // 2
                return self._some(texts[:half]) + self._some(texts[half:])
            if len(texts[0]) <= _SHORTEST:
                raise
            return self._some([texts[0][: len(texts[0]) // 2]])

    def _request(self, texts: list[str]) -> list[Any]:
        payload = {"model": self.model, "input": texts, "encoding_format": "float"}
        told = self.server.ask("/embeddings", payload)
        try:
            data = told["data"]
            rows = {row.get("index", at): row["embedding"] for at, row in enumerate(data)}
            return [rows[at] for at in range(max(len(texts), len(data)))]
        except (LookupError, TypeError, AttributeError):
            raise EmbedderFailed(
                f"the embedding server must send {len(texts)} vectors, {self.server.url!r} sent "
                f"{str(told)[:200]!r}; check that the address ends in the version, such as /v1"
            ) from None


def from_environment() -> Server:
    """The server that ``OPENAI_BASE_URL`` and ``OPENAI_API_KEY`` mean.

    Raises:
        InvalidInput: it is OpenAI itself, and there is no key.
    """
    url = os.environ.get("OPENAI_BASE_URL", "").strip() or HOME
    key = os.environ.get("OPENAI_API_KEY", "").strip() or None
    if url == HOME and not key:
        raise InvalidInput(
            "OpenAI needs a key, got none; set OPENAI_API_KEY, or OPENAI_BASE_URL for a server "
            "that needs none"
        )
    return Server(url, key)
