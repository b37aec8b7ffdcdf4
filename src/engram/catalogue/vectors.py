"""Indexes of vectors: what finds the nearest among many without looking at all."""

from engram.catalogue.row import Row

ROWS: tuple[Row, ...] = (
    Row(
        "spann",
        "vectors",
        {"lists": "vectors.spann.settings:Spann"},
        "Chen 2021, SPANN, NeurIPS 2021, arXiv:2111.08566; Xu 2023, SPFresh, SOSP 2023",
        differs=(
            "lists hold a bit a coordinate, the vectors are kept once and read for the best; heads "
            "are found through cells and codes, not a graph; updates are written as one new file"
        ),
        claim="evals.claims.spann:claim",
    ),
)
