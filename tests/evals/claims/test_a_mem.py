"""What A-MEM claims, as ``engram verify a-mem`` measures it."""

from engram.evals.claims.a_mem import claim


def test_every_figure_of_a_mem_holds() -> None:
    """Links find what words cannot, and only what is near evolves."""
    failed = [figure for figure in claim() if not figure["ok"]]

    assert failed == []
