"""What ``engram verify locomo`` says."""

from engram.evals.claims.locomo import claim


def test_every_figure_of_the_claim_holds() -> None:
    """Each is measured here and bears out what was published."""
    assert [figure for figure in claim() if not figure["ok"]] == []
