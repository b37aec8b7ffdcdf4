"""What L2MAC claims, as ``engram verify l2mac`` measures it."""

import os

import pytest

from engram.evals.claims.l2mac import claim


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="tests run with limits of POSIX systems")
def test_every_figure_of_l2mac_holds() -> None:
    """A book of many windows, its tests, a kill in the midst, and a model that repeats itself."""
    figures = claim()

    assert len(figures) == 7
    assert [figure for figure in figures if not figure["ok"]] == []
