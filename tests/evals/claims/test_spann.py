"""What SPANN claims, as ``engram verify spann`` measures it."""

from engram.evals.claims.spann import claim


def test_every_figure_of_spann_holds() -> None:
    """Nothing in it depends on time: the same vectors give the same figures."""
    figures = claim()

    assert len(figures) == 8
    assert [figure for figure in figures if not figure["ok"]] == []
