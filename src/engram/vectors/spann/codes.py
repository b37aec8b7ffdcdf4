"""A vector in a list as one bit a coordinate, of what it differs from the head by.

Source: Gao and Long 2024, "RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error
    Bound for Approximate Nearest Neighbor Search", SIGMOD 2024, arXiv:2405.12497.
Differs: what the rotated head itself adds is kept with each code, so that a query is rotated and
    rounded once and not once for each head.

A record is a row of 64-bit words: the signs of the rotated difference, then the number of the
vector and a factor, then a term and the squared distance to the head. The inner product of the
vector with a query is about that of its head, plus the term, plus the factor times the sum of the
query's coordinates with those signs.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import shake_256
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engram.vectors.exact import Floats

Records: TypeAlias = NDArray[np.uint64]
_ROUNDS = 4
_PLANES = 4
_LARGEST = 2 ** (_PLANES - 1) - 1
_WEIGHTS = (1, 2, 4, -8)


def words(dimension: int) -> int:
    """64-bit words of a record."""
    return -(-dimension // 64) + 2


@cache
def rotation(dimension: int) -> Floats:
    """A (D, D) rotation without a direction of its own, the same everywhere.

    Signs that are drawn and sums of all pairs, over the first and the last coordinates in turn.
    """
    power = 1 << (dimension.bit_length() - 1)
    drawn = np.frombuffer(shake_256(b"engram").digest(_ROUNDS * dimension), np.uint8) & 1
    signs = (1.0 - 2.0 * drawn).reshape(_ROUNDS, dimension, 1)
    turned = np.eye(dimension)
    for at in range(_ROUNDS):
        turned *= signs[at]
        part = turned[:power] if at % 2 == 0 else turned[dimension - power :]
        half = 1
        while half < power:
            pairs = part.reshape(-1, 2, half, dimension)
            pairs[:] = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1)
            half *= 2
        part /= np.sqrt(power)
    return turned.astype(np.float32)


def encode(turned: Floats, heads: Floats, numbers: NDArray[np.uint32]) -> Records:
    """Records of (N, D) rotated vectors under (N, D) rotated heads."""
    count, dimension = turned.shape
    rest = turned - heads
    squared = np.einsum("nd,nd->n", rest, rest)
    positive = rest > 0
    of_rest = np.einsum("nd,nd->n", rest, heads)
    of_head = 2 * np.einsum("nd,nd->n", positive, heads) - heads.sum(axis=1)
    total = np.abs(rest, out=rest).sum(axis=1)
    factor = np.divide(squared, total, out=np.zeros(count, np.float32), where=total > 0)
    bits = np.packbits(positive, axis=1)
    records = np.zeros((count, words(dimension)), np.uint64)
    records.view(np.uint8)[:, : bits.shape[1]] = bits
    numbers_of(records)[:] = numbers
    ends = records.view(np.float32)
    ends[:, -3], ends[:, -2], ends[:, -1] = factor, of_rest - factor * of_head, squared
    return records


def numbers_of(records: Records) -> NDArray[np.uint32]:
    """(N,) the vectors that the records stand for; may be written to."""
    found: NDArray[np.uint32] = records.view(np.uint32)[:, -4]
    return found


def distances_of(records: Records) -> Floats:
    """(N,) squared distances to the head."""
    found: Floats = records.view(np.float32)[:, -1]
    return found


@dataclass(frozen=True, slots=True)
class Rounded:
    """A query as four bits a coordinate: one plane of bits for each power of two."""

    planes: NDArray[np.uint64]
    step: float
    total: float

    @classmethod
    def of(cls, query: Floats) -> "Rounded":
        """Round a (D,) query."""
        turned = rotation(len(query)) @ query
        step = float(np.abs(turned).max(initial=0.0)) / _LARGEST or 1.0
        levels = np.rint(turned / step).astype(np.int8).view(np.uint8)
        bits = np.packbits((levels >> np.arange(_PLANES, dtype=np.uint8)[:, None]) & 1, axis=1)
        planes = np.zeros((_PLANES, words(len(query)) - 2), np.uint64)
        planes.view(np.uint8)[:, : bits.shape[1]] = bits
        return cls(planes, step, float(step * levels.view(np.int8).sum(dtype=np.int64)))

    def estimate(self, records: Records, heads: Floats) -> Floats:
        """(N,) inner products, about; ``heads`` (N,) are those of the records' heads."""
        signs = np.ascontiguousarray(records[:, :-2].T)
        found = np.zeros(len(records), np.int32)
        for plane, weight in zip(self.planes, _WEIGHTS, strict=True):
            set_bits = _ones(signs & plane[:, None]).sum(axis=0, dtype=np.uint16)
            found += weight * set_bits.astype(np.int32)
        ends = records.view(np.float32)
        sums = np.float32(2 * self.step) * found - np.float32(self.total)
        estimated: Floats = heads + ends[:, -2] + ends[:, -3] * sums
        return estimated


def _by_table(values: NDArray[np.uint64]) -> NDArray[Any]:
    """Ones in each word, where numpy does not count them."""
    halves = _TABLE[np.ascontiguousarray(values).view(np.uint16)]
    return halves.reshape(*values.shape, 4).sum(axis=-1, dtype=np.uint8)


_TABLE = np.unpackbits(
    np.arange(65_536, dtype=np.uint16).view(np.uint8).reshape(-1, 2), axis=1
).sum(axis=1, dtype=np.uint8)
_ones = getattr(np, "bitwise_count", _by_table)


def rotated(vectors: Floats) -> Floats:
    """(N, D) vectors turned."""
    turned: Floats = vectors @ rotation(vectors.shape[1]).T
    return turned
