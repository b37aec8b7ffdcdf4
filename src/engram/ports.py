"""What engram asks of the outside world. One adapter file answers each request."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

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


@dataclass(frozen=True, slots=True)
class Completion:
    """What a language model said, and what it took: its own counts, None where it gives none."""

    text: str
    tokens_in: int | None = None
    tokens_out: int | None = None


class LanguageModel(Protocol):
    """Writes text. Nothing in engram needs one; some methods do better with one.

    ``name`` identifies provider and model. ``complete`` gets messages of ``role`` and ``content``;
    with a ``schema`` (JSON Schema of an object) the text should be JSON that fits it, which the
    caller checks. It raises ``ModelFailed`` where the model gives nothing usable.
    """

    name: str

    def complete(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = 1024,
    ) -> Completion: ...


@runtime_checkable
class Streams(Protocol):
    """A language model that can be heard while it writes.

    ``stream`` gives each piece of text to ``tell`` as it comes, and returns all of it.
    """

    def stream(
        self,
        messages: Sequence[Mapping[str, str]],
        tell: Callable[[str], None],
        *,
        max_tokens: int = 1024,
    ) -> Completion: ...
