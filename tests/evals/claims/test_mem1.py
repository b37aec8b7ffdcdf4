"""What MEM1 claims, as ``engram verify mem1`` measures it."""

from engram.evals.claims.mem1 import claim


def test_every_figure_of_mem1_holds() -> None:
    """The context, the rules as a policy, what can be recalled, and the packing."""
    figures = claim()

    assert len(figures) == 9
    assert [figure for figure in figures if not figure["ok"]] == []
