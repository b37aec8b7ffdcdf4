"""What vAttention claims, as ``engram verify vattention`` measures it."""

import sys

import pytest

from engram.evals.claims.vattention import claim


@pytest.mark.skipif(sys.platform != "linux", reason="pages on demand need Linux")
def test_every_figure_of_vattention_holds() -> None:
    """Times are the quickest of several rounds, and far from their limits."""
    figures = claim()

    assert len(figures) == 9
    assert [figure for figure in figures if not figure["ok"]] == []
