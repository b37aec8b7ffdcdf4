"""Embeddings from a model2vec model in a folder of this machine."""

from collections.abc import Sequence
from typing import Any

from engram.adapters.folders import fingerprint, model_folder
from engram.adapters.vectors import dimension_of, embedded, unloadable
from engram.extras import require
from engram.ports import Vectors


class Model2Vec:
    """One table of token vectors, loaded at once; never downloads.

    Args:
        path: folder of the model.

    Raises:
        InvalidInput: there is no such folder.
        MissingExtra: model2vec is not installed.
        EmbedderFailed: the folder holds no model that model2vec can load.
    """

    def __init__(self, path: str) -> None:
        folder = model_folder(path, "model2vec")
        self.name = f"model2vec:{folder.name}@{fingerprint(folder)}"
        library = require("model2vec", extra="model2vec", purpose="the embedder 'model2vec'")
        try:
            self._model: Any = library.StaticModel.from_pretrained(str(folder))
        except (OSError, ValueError, LookupError) as fault:
            raise unloadable("model2vec", str(folder), fault) from fault
        self.dimension = dimension_of(self._encode)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(N, dimension) unit rows; zeros for a text that says nothing.

        Raises:
            EmbedderFailed: the model gave no usable vectors.
        """
        return embedded(texts, self.dimension, self._encode)

    def _encode(self, texts: list[str]) -> Any:
        return self._model.encode(texts, use_multiprocessing=False)
