"""Made vectors, and what a search must find among them."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Mixture: TypeAlias = Callable[..., Floats]


@pytest.fixture
def mixture() -> Mixture:
    """Makes (count, dimension) unit vectors around some centres, as half precision keeps them."""

    def made(count: int, dimension: int = 32, centres: int = 40, seed: int = 0) -> Floats:
        rng = np.random.default_rng(seed)
        around = np.random.default_rng(99).standard_normal((centres, dimension))
        drawn = around[rng.integers(0, centres, count)]
        drawn = drawn + 0.6 * rng.standard_normal((count, dimension))
        unit = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
        return unit.astype(np.float16).astype(np.float32)

    return made


@pytest.fixture
def recall() -> Callable[..., float]:
    """Tells which share of the true k nearest rows was found; row 1 is the first vector."""

    def share(found: Any, vectors: Floats, queries: Floats, alive: Any = None) -> float:
        scores = queries @ vectors.T
        if alive is not None:
            scores[:, ~alive] = -np.inf
        k = found.rows.shape[1]
        true = np.argsort(-scores, axis=1, kind="stable")[:, :k] + 1
        pairs = zip(found.rows, true, strict=True)
        return float(np.mean([len(np.intersect1d(*pair)) / k for pair in pairs]))

    return share
