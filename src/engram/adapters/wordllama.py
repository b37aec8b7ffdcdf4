"""The default embedding: WordLlama's table of token vectors, which ships inside its wheel.

A text's vector is the mean of its tokens' vectors; long texts count in full, as in WordLlama. The
files are read directly, for WordLlama's own loader imports a network client and changes logging.
"""

import sys
import threading
from collections.abc import Sequence
from hashlib import sha256
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engram.adapters.vectors import Limits, embedded
from engram.errors import EmbedderFailed
from engram.ports import Vectors

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

Table: TypeAlias = NDArray[np.float16]

FINGERPRINT = "e492dc7b"
"""Of wordllama 0.4.0.post1: its tokenizer, and every 64th row of its table."""

_WEIGHTS = "weights/l2_supercat_256.safetensors"
_TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"
_WORDS = "▁+"  # this tokenizer's blank; no token of its vocabulary has one after a letter
_LIMITS = Limits(letters=sys.maxsize)  # the tokenizer's memory grows with what it gets at once
_FEW = 64  # tokens up to which looking for repeated ones costs more than it saves
_LONG = 1024  # tokens above which counting them beats gathering their vectors


class WordLlama:
    """WordLlama ``l2_supercat``, 256 dimensions. Loaded when first used, safe to share."""

    def __init__(self) -> None:
        self.name = f"wordllama:l2_supercat_256@{FINGERPRINT}"
        self.dimension = 256
        self._lock = threading.Lock()
        self._loaded: tuple[Tokenizer, Table] | None = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(N, 256) unit rows; zeros for a text that says nothing.

        Raises:
            EmbedderFailed: the files of the package are missing or are of another version.
        """
        return embedded(texts, self.dimension, self._encode, _LIMITS)

    def _encode(self, texts: list[str]) -> Vectors:
        tokenizer, table = self._load()
        return _sums(tokenizer.encode_batch_fast(texts, add_special_tokens=False), table)

    def _load(self) -> "tuple[Tokenizer, Table]":
        with self._lock:
            if self._loaded is None:
                self._loaded = _read(_folder())
            return self._loaded


def _sums(found: "list[Encoding]", table: Table) -> Vectors:
    """(N, 256) sums of token vectors: the same direction as the means."""
    tokens = [each.ids for each in found]
    flat = np.fromiter(chain.from_iterable(tokens), dtype=np.intp)
    at = np.arange(len(flat))
    if len(flat) > _FEW:  # each token is widened to float32 once, however often it occurs
        flat, at = np.unique(flat, return_inverse=True)
    rows = table[flat].astype(np.float32)
    sums = np.empty((len(tokens), table.shape[1]), dtype=np.float32)
    begin = 0
    for row, ids in enumerate(tokens):
        sums[row] = _sum(rows, at[begin : begin + len(ids)])
        begin += len(ids)
    return sums


def _sum(rows: Vectors, at: NDArray[np.intp]) -> Vectors:
    if len(at) > _LONG:
        return np.bincount(at, minlength=len(rows)).astype(np.float32) @ rows
    total: Vectors = np.add.reduce(rows.take(at, axis=0), axis=0)
    return total


def _folder() -> Path:
    """Where the package is, without importing it."""
    spec = find_spec("wordllama")
    if spec is None or spec.origin is None:
        raise EmbedderFailed(
            "the default embedder needs the package 'wordllama', which is not installed: "
            "pip install wordllama==0.4.0.post1"
        )
    return Path(spec.origin).parent


def _read(folder: Path) -> "tuple[Tokenizer, Table]":
    # Imported here: a memory is often opened for something that needs no vectors.
    from safetensors import SafetensorError
    from safetensors.numpy import load_file
    from tokenizers import Regex, Tokenizer
    from tokenizers.pre_tokenizers import Split

    try:
        spelling = (folder / _TOKENIZER).read_bytes()
        table: Table = load_file(folder / _WEIGHTS)["embedding.weight"]
    except (OSError, KeyError, SafetensorError) as fault:
        raise EmbedderFailed(
            f"the files of the package 'wordllama' must be whole, got {fault!r}; reinstall it"
        ) from fault
    found = sha256(spelling + table[::64].tobytes()).hexdigest()[: len(FINGERPRINT)]
    if found != FINGERPRINT:
        raise EmbedderFailed(
            f"the files of the package 'wordllama' must have fingerprint {FINGERPRINT}, got "
            f"{found}: pip install wordllama==0.4.0.post1"
        )
    tokenizer = Tokenizer.from_buffer(spelling)
    # Words apart give the same tokens as the whole text, and known words are not split again.
    tokenizer.pre_tokenizer = Split(Regex(_WORDS), "merged_with_next")
    return tokenizer, table
