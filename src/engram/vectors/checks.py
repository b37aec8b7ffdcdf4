"""What callers pass, checked once; and what a disk refuses, as errors of the house."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from engram.errors import InvalidInput, ShapeError, StoreFull, StoreReadOnly, brief
from engram.vectors.exact import Floats, Mask, Rows

_LOOSE = 1e-2  # by how much a length may differ from 1: half precision alone moves it


def whole(value: int, name: str, least: int) -> int:
    """A whole number that is large enough."""
    given: object = value
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or value < least:
        raise InvalidInput(f"{name} must be a whole number of at least {least}, got {brief(value)}")
    return int(value)


def rows(given: Rows) -> Rows:
    """(n,) rows, ascending, at least 1."""
    found = np.asarray(given)
    if found.ndim != 1 or (len(found) and found.dtype.kind not in "iu"):
        raise ShapeError(f"rows must be (n,) whole numbers, got {brief(given)}")
    numbers = found.astype(np.int64)
    if len(numbers) and (numbers[0] < 1 or (np.diff(numbers) <= 0).any()):
        raise InvalidInput(f"rows must ascend from 1 or more, got {brief(given)}")
    return numbers


def allowed(given: Mask | Rows) -> Mask | Rows:
    """A mask over rows, or ascending rows."""
    found = np.asarray(given)
    if found.dtype == bool and found.ndim == 1:
        mask: Mask = found.astype(bool, copy=False)
        return mask
    numbers = np.asarray(found, np.int64) if found.dtype.kind in "iu" or not len(found) else None
    if numbers is None or numbers.ndim != 1 or (np.diff(numbers) <= 0).any():
        raise InvalidInput(f"allowed must be a mask or ascending rows, got {brief(given)}")
    return numbers


def vectors(given: Floats, dimension: int, name: str, many: int | None = None) -> Floats:
    """(n, D) finite float32."""
    found = np.ascontiguousarray(given, np.float32)
    if found.ndim != 2 or found.shape[1] != dimension or many not in (None, len(found)):
        count = "n" if many is None else f"n={many}"
        raise ShapeError(f"{name} must be ({count}, D={dimension}), got {found.shape!r}")
    if not np.isfinite(found).all():
        raise InvalidInput(f"{name} must be finite numbers; leave out what has none")
    return found


def unit(given: Floats) -> None:
    """Vectors of length 1, or 0."""
    lengths = np.sqrt(np.einsum("nd,nd->n", given, given))
    wrong = np.flatnonzero((np.abs(lengths - 1) > _LOOSE) & (lengths > 0))
    if len(wrong):
        raise InvalidInput(
            f"vectors must have length 1, got {float(lengths[wrong[0]]):.4g}; divide by the length"
        )


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Tell of a disk that refuses in the errors of the house."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
            raise StoreFull(f"{folder}: no space is left for the index; free some") from error
        raise StoreReadOnly(f"{folder}: the index cannot be written ({error})") from error
