"""Lists of neighbours lie on disk, each under a vector that heads it; the heads are in memory.

A search finds the nearest heads and reads their lists. A vector at a border is in the lists of
several heads, so that few lists hold all of its neighbours.

Source: Chen et al. 2021, "SPANN: Highly-efficient Billion-scale Approximate Nearest Neighbor
    Search", NeurIPS 2021, arXiv:2111.08566; Xu et al. 2023, "SPFresh: Incremental In-Place Update
    for Billion-Scale Vector Search", SOSP 2023, arXiv:2410.14452.
Differs: lists hold one bit a coordinate (Gao 2024, RaBitQ, arXiv:2405.12497) and the vectors, which
    are kept once, are read for the best; heads are in lists, too; heads are found through cells and
    codes in place of a graph; updates are gathered and written as one new file.
"""

from dataclasses import dataclass

from engram.errors import InvalidInput

LEAF = 8
"""A list of so many vectors and two more, or fewer, is merged into its neighbours."""

CANDIDATES = 64
"""Heads that a vector may be listed under: the nearest, in the order of distance."""


@dataclass(frozen=True, slots=True)
class Spann:
    """Settings of an index.

    Attributes:
        head_ratio: heads for each vector, about.
        replicas: most lists that a vector is in.
        rng: how strongly a head near one that was chosen is passed over; 0 passes over all others.
        eps1: how much farther than its nearest head, of that distance, a vector's others may be.
        pages: most pages of a list.
        page: bytes.
        heads: lists that a search reads; more where a filter lets little of them pass.
        eps2: how much farther than the nearest head, of that distance, others are read; None reads
            them all.
    """

    head_ratio: float = 0.03
    replicas: int = 8
    rng: float = 1.0
    eps1: float = 0.15
    pages: int = 3
    page: int = 4096
    heads: int = 128
    eps2: float | None = None

    def __post_init__(self) -> None:
        """Refuse settings under which nothing can be found."""
        if not 0 < self.head_ratio <= 1:
            raise InvalidInput(f"head_ratio must be above 0, at most 1, got {self.head_ratio!r}")
        least = min(self.replicas, self.pages, self.page, self.heads)
        if least < 1 or self.rng < 0 or self.eps1 < 0 or (self.eps2 or 0) < 0:
            raise InvalidInput(f"sizes must be at least 1 and factors at least 0, got {self!r}")
