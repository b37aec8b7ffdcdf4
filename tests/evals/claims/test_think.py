"""What ThinK claims, as ``engram verify think`` measures it."""

from engram.evals.claims.think import claim


def test_every_figure_of_think_holds() -> None:
    """Exact where the paper's mathematics is, and better than a choice that asks no query."""
    figures = claim()

    assert len(figures) == 7
    assert [figure for figure in figures if not figure["ok"]] == []
