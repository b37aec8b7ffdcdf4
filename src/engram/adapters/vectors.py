"""What every embedding adapter must give back, checked in one place."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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
    if found.dtype.kind not in "fiu" or found.ndim != 2 or len(found) != count or not found.size:
        raise EmbedderFailed(
            f"an embedder must give ({count}, D) numbers, got shape {found.shape} of "
            f"{found.dtype}; {_ADVICE}"
        )
    wide = found.astype(np.float64)  # squares of large float32 numbers would overflow
    lengths = np.sqrt(np.einsum("nd,nd->n", wide, wide))[:, None]  # (N, 1)
    odd = lengths[~np.isfinite(lengths)]
    if odd.size:
        raise EmbedderFailed(
            f"an embedder must give finite numbers, got a vector of length {odd[0]}; {_ADVICE}"
        )
    lengths[lengths == 0] = 1
    wide /= lengths
    return wide.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a model is given at once.

    Attributes:
        texts: at most so many.
        letters: characters of one text; it is cut there.
        total: characters of all, except where one text alone has more.
    """

    texts: int = 256
    letters: int = 50_000
    total: int = 1_000_000


def embedded(
    texts: Sequence[str],
    dimension: int,
    encode: Callable[[list[str]], Any],
    limits: Limits = Limits(),
) -> Vectors:
    """(N, dimension) unit rows for any texts; zeros for those that say nothing.

    Args:
        texts: anything, also nothing.
        dimension: what the model gave when it was first asked.
        encode: gives the raw vectors of texts that each say something.
        limits: how much ``encode`` is given at once.

    Raises:
        EmbedderFailed: ``encode`` gave something else than ``dimension`` numbers a text.
    """
    vectors = np.zeros((len(texts), dimension), dtype=np.float32)
    told = [row for row, text in enumerate(texts) if says_something(text)]
    begin = 0
    for batch in _batches([_sendable(texts[row][: limits.letters]) for row in told], limits):
        found = unit(encode(batch), len(batch))
        if found.shape[1] != dimension:
            raise EmbedderFailed(
                f"an embedder must keep its dimension, got {found.shape[1]} after {dimension}; "
                "reopen the memory if the model was replaced"
            )
        vectors[told[begin : begin + len(batch)]] = found
        begin += len(batch)
    return vectors


def _batches(texts: list[str], limits: Limits) -> Iterator[list[str]]:
    """The texts in order, cut into pieces that keep the limits."""
    batch: list[str] = []
    letters = 0
    for text in texts:
        if batch and (len(batch) == limits.texts or letters + len(text) > limits.total):
            yield batch
            batch, letters = [], 0
        batch.append(text)
        letters += len(text)
    if batch:
        yield batch


def dimension_of(encode: Callable[[list[str]], Any]) -> int:
    """How many numbers a text gets, found by asking once."""
    return int(unit(encode([_PROBE]), 1).shape[1])


def unloadable(library: str, model: str, fault: Exception) -> EmbedderFailed:
    """The error for a model that its library cannot load."""
    return EmbedderFailed(
        f"{library} must be able to load the model {model!r}, it said {str(fault)[:200]!r}; "
        "check its name, or download it again"
    )


def says_something(text: str) -> bool:
    """False for a text of blanks and control characters only."""
    return any(letter.isprintable() and not letter.isspace() for letter in text)


def _sendable(text: str) -> str:
    """The text with a question mark for each half of a character: UTF-8 has no place for it."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
