"""What the paper claims holds, at a size that takes seconds."""

from engram.evals.claims.memorybank import claim


def test_every_figure_of_the_claim_holds() -> None:
    """Each is measured, and none is left out."""
    figures = claim()

    assert len(figures) == 9
    assert [figure for figure in figures if not figure["ok"]] == []
