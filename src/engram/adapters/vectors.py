"""What every embedding adapter must give back, checked in one place."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engram.errors import EmbedderFailed
from engram.ports import Vectors

_PROBE = "The quick brown fox"  # any text will do: only the length of its vector is looked at
_ADVICE = "check the model and its server"


def unit(raw: Any, count: int) -> Vectors:
    """Rows of length 1 from what a model gave; a row of zeros stays one.

    Args:
        raw: (count, D) numbers in any form that numpy takes.
        count: how many texts were embedded, at least 1.

    Raises:
        EmbedderFailed: the shape is wrong, or something is not a finite number.
    """
    try:
        found = np.asarray(raw)
    except ValueError:  # rows of several lengths
        found = np.empty((0, 0), dtype=object)
    if found.dtype.kind not in "fiu" or found.ndim != 2 or found.shape[0] != count:
        raise EmbedderFailed(
            f"an embedder must give ({count}, D) numbers, got shape {found.shape} of "
            f"{found.dtype}; {_ADVICE}"
        )
    wide = found.astype(np.float64)  # squares of large float32 numbers would overflow
    if found.shape[1] == 0 or not np.isfinite(wide).all():
        raise EmbedderFailed(f"an embedder must give finite numbers, got {_worst(wide)}; {_ADVICE}")
    largest = np.abs(wide).max(axis=1, keepdims=True)
    wide = np.divide(wide, largest, out=np.zeros_like(wide), where=largest > 0)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    return np.divide(wide, lengths, out=wide, where=lengths > 0).astype(np.float32)


def embedded(texts: Sequence[str], dimension: int, encode: Callable[[list[str]], Any]) -> Vectors:
    """(N, dimension) unit rows for any texts; zeros for those that say nothing.

    Args:
        texts: anything, also nothing.
        dimension: what the model gave when it was first asked.
        encode: gives the raw vectors of texts that each say something.

    Raises:
        EmbedderFailed: ``encode`` gave something else than ``dimension`` numbers a text.
    """
    vectors = np.zeros((len(texts), dimension), dtype=np.float32)
    told = [row for row, text in enumerate(texts) if says_something(text)]
    if told:
        found = unit(encode([_sendable(texts[row]) for row in told]), len(told))
        if found.shape[1] != dimension:
            raise EmbedderFailed(
                f"an embedder must keep its dimension, got {found.shape[1]} after {dimension}; "
                "reopen the memory if the model was replaced"
            )
        vectors[told] = found
    return vectors


def dimension_of(encode: Callable[[list[str]], Any]) -> int:
    """How many numbers a text gets, found by asking once."""
    return int(unit(encode([_PROBE]), 1).shape[1])


def says_something(text: str) -> bool:
    """False for a text of blanks and control characters only."""
    return any(letter.isprintable() and not letter.isspace() for letter in text)


def _sendable(text: str) -> str:
    """The text with a question mark for each half of a character: UTF-8 has no place for it."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _worst(found: Vectors | np.ndarray) -> str:
    broken = found[~np.isfinite(found)]
    return repr(float(broken[0])) if len(broken) else "none at all"
