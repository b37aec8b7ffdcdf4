"""The default embedding: WordLlama's table of token vectors, which ships inside its wheel.

A text's vector is the mean of its tokens' vectors; long texts count in full, as in WordLlama. The
files are read directly, for WordLlama's own loader imports a network client and changes logging.
"""

import threading
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engram.adapters.vectors import embedded
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
_BLOCK = 256  # texts tokenized at once
_LETTERS = 1_000_000  # and characters of them, except where one text alone has more
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
        return embedded(texts, self.dimension, self._sums)

    def _sums(self, texts: list[str]) -> Vectors:
        tokenizer, table = self._load()
        return np.concatenate(
            [
                _sums(tokenizer.encode_batch_fast(block, add_special_tokens=False), table)
                for block in _blocks(texts)
            ]
        )

    def _load(self) -> "tuple[Tokenizer, Table]":
        with self._lock:
            if self._loaded is None:
                self._loaded = _read(_folder())
            return self._loaded


def _sums(found: "list[Encoding]", table: Table) -> Vectors:
    """(N, 256) sums of token vectors: the same direction as the means."""
    tokens = [each.ids for each in found]
    ends = np.cumsum([len(ids) for ids in tokens])
    # Each token of the block is widened to float32 once, however often it occurs.
    distinct, at = np.unique(np.concatenate(tokens), return_inverse=True)
    rows = table[distinct].astype(np.float32)
    return np.stack([_sum(rows, part) for part in np.split(at, ends[:-1])])


def _sum(rows: Vectors, at: NDArray[np.intp]) -> Vectors:
    if len(at) > _LONG:
        return np.bincount(at, minlength=len(rows)).astype(np.float32) @ rows
    total: Vectors = rows.take(at, axis=0).sum(axis=0)
    return total


def _blocks(texts: list[str]) -> Iterator[list[str]]:
    """The texts in order, in pieces that keep the tokenizer's memory bounded."""
    block: list[str] = []
    letters = 0
    for text in texts:
        if block and (len(block) == _BLOCK or letters + len(text) > _LETTERS):
            yield block
            block, letters = [], 0
        block.append(text)
        letters += len(text)
    yield block


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
