"""Embeddings from a sentence-transformers model in a folder of this machine. Needs torch."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engram.adapters.folders import fingerprint, model_folder
from engram.adapters.vectors import dimension_of, embedded, unloadable
from engram.extras import require
from engram.ports import Vectors

_BATCH = 64  # texts that the model works on together


class SentenceTransformers:
    """One model, loaded at once; never downloads.

    Args:
        path: folder of the model.
        device: as torch names it, such as ``cuda:0``.

    Raises:
        InvalidInput: there is no such folder.
        MissingExtra: sentence-transformers is not installed.
        EmbedderFailed: the folder holds no model that it can load.
    """

    def __init__(self, path: str, device: str = "cpu") -> None:
        folder = model_folder(path, "sentence-transformers")
        self.name = f"sentence-transformers:{folder.name}@{fingerprint(folder)}"
        self._model = _loaded(folder, device)
        self._lock = threading.Lock()
        self.dimension = dimension_of(self._encode)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(N, dimension) unit rows; zeros for a text that says nothing.

        Raises:
            EmbedderFailed: the model gave no usable vectors.
        """
        return embedded(texts, self.dimension, self._encode)

    def _encode(self, texts: list[str]) -> Any:
        with self._lock:  # a fast tokenizer may not be shared while it is in use
            return self._model.encode(
                texts,
                batch_size=_BATCH,
                convert_to_numpy=True,
                show_progress_bar=False,
            )


def _loaded(folder: Path, device: str) -> Any:
    library = require(
        "sentence_transformers",
        extra="sentence-transformers",
        purpose="the embedder 'sentence-transformers'",
    )
    try:
        return library.SentenceTransformer(str(folder), device=device, local_files_only=True)
    except (OSError, ValueError, LookupError, RuntimeError) as fault:
        raise unloadable("sentence-transformers", str(folder), fault) from fault
