"""What the paper and its card claim holds, at a size that takes seconds."""

from engram.evals.claims.mirix import claim, labelled


def test_every_figure_of_the_claim_holds() -> None:
    """Three hundred messages are routed, and secrets are kept."""
    figures = claim()

    assert len(labelled()) == 300
    assert [figure for figure in figures if not figure["ok"]] == []
