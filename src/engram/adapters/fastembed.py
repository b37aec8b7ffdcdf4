"""Embeddings from an ONNX model that fastembed knows. Its first use downloads the model."""

from collections.abc import Sequence
from typing import Any

from engram.adapters.vectors import dimension_of, embedded, unloadable
from engram.extras import require
from engram.ports import Vectors

_BATCH = 64  # texts that the model works on together


class FastEmbed:
    """One model, loaded at once.

    Args:
        model: as fastembed lists it, such as ``BAAI/bge-small-en-v1.5``.

    Raises:
        MissingExtra: fastembed is not installed.
        EmbedderFailed: fastembed does not know the model, or cannot get it.
    """

    def __init__(self, model: str) -> None:
        library = require("fastembed", extra="fastembed", purpose="the embedder 'fastembed'")
        # A version of fastembed names the files of its models, and how their vectors are pooled.
        self.name = f"fastembed:{model}@{library.__version__}"
        try:
            self._model: Any = library.TextEmbedding(model)
        except (OSError, ValueError, RuntimeError) as fault:
            raise unloadable("fastembed", model, fault) from fault
        self.dimension = dimension_of(self._encode)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(N, dimension) unit rows; zeros for a text that says nothing.

        Raises:
            EmbedderFailed: the model gave no usable vectors.
        """
        return embedded(texts, self.dimension, self._encode)

    def _encode(self, texts: list[str]) -> list[Any]:
        return list(self._model.embed(texts, batch_size=_BATCH))
