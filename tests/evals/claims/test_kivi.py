"""What KIVI claims, as ``engram verify kivi`` measures it."""

from engram.evals.claims.kivi import claim


def test_every_figure_of_kivi_holds() -> None:
    """Its bytes, its error and its grouping; what a model loses by it needs the cache."""
    figures = claim()

    assert len(figures) == 7
    assert [figure for figure in figures if not figure["ok"]] == []
