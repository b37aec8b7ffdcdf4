"""Embeddings from an Ollama server."""

import os
import re
from collections.abc import Sequence
from typing import Any

from engram.adapters.server import Server
from engram.adapters.vectors import Limits, dimension_of, embedded
from engram.errors import EmbedderFailed
from engram.ports import Vectors

_PORT = 11434
_HOST = re.compile(r"(\[.*\]|.*?)(?::(\d+))?")
_LIMITS = Limits(texts=64, letters=100_000)  # Ollama itself cuts what its model cannot take


class Ollama:
    """One model of an Ollama server.

    Args:
        model: as ``ollama list`` shows it; without a tag, the latest.
        server: None for the one that ``OLLAMA_HOST`` names, else the one on this machine.

    Raises:
        EmbedderFailed: the server cannot be reached, or does not have the model.
    """

    def __init__(self, model: str, server: Server | None = None) -> None:
        self.model = model
        self.server = server or Server(address(os.environ.get("OLLAMA_HOST", "")))
        self.name = f"ollama:{model}@{self._digest()}"  # a tag can move to other weights
        self.dimension = dimension_of(self._request)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(N, dimension) unit rows; zeros for a text that says nothing.

        Raises:
            EmbedderFailed: the server refused, could not be reached, or sent something else.
        """
        return embedded(texts, self.dimension, self._request, _LIMITS)

    def _request(self, texts: list[str]) -> list[Any]:
        payload = {"model": self.model, "input": texts, "truncate": True}
        told = self.server.ask("/api/embed", payload)
        found = told.get("embeddings") if isinstance(told, dict) else None
        if not isinstance(found, list) or len(found) != len(texts):
            raise self._strange(f"{len(texts)} vectors", told)
        return found

    def _digest(self) -> str:
        """Twelve letters that tell the model's weights from all others."""
        full = self.model if ":" in self.model else f"{self.model}:latest"
        told = self.server.ask("/api/tags")
        try:
            digests = {row["name"]: str(row["digest"]) for row in told["models"]}
        except (LookupError, TypeError):
            raise self._strange("a list of models", told) from None
        if full not in digests:
            raise EmbedderFailed(
                f"the Ollama server must have the model, {full!r} is not among "
                f"{sorted(digests)}; try: ollama pull {self.model}"
            )
        return digests[full].removeprefix("sha256:")[:12]

    def _strange(self, wanted: str, told: object) -> EmbedderFailed:
        return EmbedderFailed(
            f"the Ollama server must send {wanted}, {self.server.url!r} sent {str(told)[:200]!r}; "
            "update Ollama, or correct OLLAMA_HOST"
        )


def address(host: str) -> str:
    """The URL that ``OLLAMA_HOST`` means, which may leave out any of its parts."""
    scheme, apart, rest = host.strip().rpartition("://")
    place, slash, path = rest.partition("/")
    name, port = _HOST.fullmatch(place).groups()  # type: ignore[union-attr]  # matches anything
    if name in ("", "0.0.0.0"):  # what a server listens on, and no client can call
        name = "127.0.0.1"
    usual = {"http": 80, "https": 443}.get(scheme, _PORT) if apart else _PORT
    return f"{scheme or 'http'}://{name}:{port or usual}{slash}{path}".rstrip("/")
