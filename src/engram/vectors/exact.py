"""Inner products as numpy does them fastest: what every approximate search is checked against."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Halves: TypeAlias = NDArray[np.float16]
Rows: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

BLOCK = 1024
"""Rows multiplied at once: few enough that the library of numpy stays in one thread. To wake the
others and wait for them takes longer than the work, above all where the cores are shared."""


def widened(halves: Halves) -> Floats:
    """The same numbers as float32. Several times faster than ``astype``; all must be finite."""
    bits = halves.view(np.int16).astype(np.int32)
    bits <<= 13
    bits &= _SIGN_AND_REST
    values: Floats = bits.view(np.float32)
    values *= _REBIASED
    return values


_SIGN_AND_REST = np.array(0x8FFFE000, np.uint32).view(np.int32)
_REBIASED = np.float32(2.0**112)


def products(vectors: Floats, queries: Floats) -> Floats:
    """(B, N) inner products of N vectors with B queries."""
    found = np.empty((len(queries), len(vectors)), np.float32)
    if len(queries) == 1:
        for at in range(0, len(vectors), BLOCK):
            np.dot(vectors[at : at + BLOCK], queries[0], out=found[0, at : at + BLOCK])
    else:
        np.matmul(queries, vectors.T, out=found)
    return found


def best(scores: Floats, count: int) -> Rows:
    """Positions of the highest scores, best first; of equal ones the first comes first."""
    if count < len(scores):
        if not count:
            return np.zeros(0, np.int64)
        least = np.partition(scores, len(scores) - count)[len(scores) - count]
        among = np.flatnonzero(scores >= least)
        return among[np.argsort(-scores[among], kind="stable")[:count]]
    return np.argsort(-scores, kind="stable")
