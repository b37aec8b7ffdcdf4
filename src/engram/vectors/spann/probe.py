"""A search: the nearest heads, their lists, the best by their codes, and these by their vectors.

Source: Chen et al. 2021, "SPANN", NeurIPS 2021, arXiv:2111.08566, section 3.2.3.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engram.vectors.exact import Floats, Mask, Rows, best, products
from engram.vectors.pieces import Pieces
from engram.vectors.spann.codes import Rounded, numbers_of
from engram.vectors.spann.postings import Postings

Numbers: TypeAlias = NDArray[np.uint32]
_CODES = 4
"""Records whose codes are looked at for one vector that is read: most are replicas."""

_ONCE = 4096


class Asked(NamedTuple):
    """What a search may take.

    Attributes:
        most: results.
        heads: lists to read; all of them makes the result exact.
        eps2: as in the settings.
        rerank: vectors whose inner products are exact.
        among: (N,) which vectors count, or None.
    """

    most: int
    heads: int
    eps2: float | None
    rerank: int
    among: Mask | None


class Near(NamedTuple):
    """What was found, and what was read for it.

    Attributes:
        numbers: of vectors, best first.
        scores: their inner products.
        postings, bytes, scanned: lists, bytes and records that were read.
        passed: records of these that count.
    """

    numbers: Rows
    scores: Floats
    postings: int
    bytes: int
    scanned: int
    passed: int


def probe(lists: Postings, pieces: Pieces, query: Floats, asked: Asked) -> Near:
    """The vectors in lists with the highest inner products."""
    rounded = Rounded.of(query)
    heads, away, inner = lists.heads.nearest(query, asked.heads, rounded)
    if asked.eps2 is not None and len(away):
        kept = away <= (1 + asked.eps2) ** 2 * away[0]
        heads, inner = heads[kept], inner[kept]
    order = np.argsort(heads)
    heads, inner = heads[order], inner[order]
    records, size = lists.read(heads)
    numbers = numbers_of(records)
    about = rounded.estimate(records, np.repeat(inner, lists.counts[heads]))
    counting = _counting(numbers, about, lists.covered, asked.among)
    about = np.where(counting, about, -np.inf)
    if asked.heads >= len(lists.counts):
        found = np.unique(numbers[about > -np.inf]).astype(np.int64)
    else:
        found = _promising(numbers, about, asked.rerank)
    scores = _exact(pieces, found, query)
    order = best(scores, asked.most)
    size += 2 * pieces.dimension * len(found)
    passed = int(np.count_nonzero(counting))
    return Near(found[order], scores[order], len(heads), size, len(records), passed)


def _counting(numbers: Numbers, about: Floats, covered: int, among: Mask | None) -> Mask:
    """Which records count; what a damaged file holds in their place does not."""
    sound: Mask = (numbers < covered) & np.isfinite(about)
    if among is not None:
        sound &= among[np.minimum(numbers, len(among) - 1)]
    return sound


def _promising(numbers: Numbers, about: Floats, count: int) -> Rows:
    """The vectors with the best codes, each once, in the order of the files."""
    some = min(len(about), _CODES * count)
    if some < len(about):
        among = np.argpartition(about, len(about) - some)[len(about) - some :]
        numbers, about = numbers[among], about[among]
    order = np.argsort(-about, kind="stable")
    order = order[about[order] > -np.inf]
    _, first = np.unique(numbers[order], return_index=True)
    chosen = np.sort(first)[:count]
    return np.sort(numbers[order[chosen]]).astype(np.int64)


def _exact(pieces: Pieces, numbers: Rows, query: Floats) -> Floats:
    scores = np.empty(len(numbers), np.float32)
    for at in range(0, len(numbers), _ONCE):
        vectors = pieces.gather(numbers[at : at + _ONCE], mapped=False)
        scores[at : at + _ONCE] = products(vectors, query[None])[0]
    return scores
