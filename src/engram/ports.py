"""What engram asks of the outside world. One adapter file answers each request."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vectors: TypeAlias = NDArray[np.float32]


class Clock(Protocol):
    """Tells the time: seconds since 1970, UTC."""

    def __call__(self) -> float: ...


class Embedder(Protocol):
    """Turns texts into unit vectors, so that a dot product is the cosine.

    ``name`` identifies the exact weights: equal names must mean equal vectors, for the store
    keeps it beside every vector and never compares vectors of two names. ``embed`` gives
    (N, dimension) float32, rows of length 1, or all zero where a text says nothing.
    """

    name: str
    dimension: int

    def embed(self, texts: Sequence[str]) -> Vectors: ...
