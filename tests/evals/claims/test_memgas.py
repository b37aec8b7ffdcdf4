"""What MemGAS claims, as ``engram verify memgas`` measures it."""

from engram.evals.claims.memgas import claim


def test_every_figure_of_memgas_holds() -> None:
    """Exact where the paper's mathematics is, and links help where two sessions are needed."""
    failed = [figure for figure in claim() if not figure["ok"]]

    assert failed == []
