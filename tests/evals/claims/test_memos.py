"""What MemOS claims, as ``engram verify memos`` measures it."""

from engram.evals.claims.memos import claim


def test_every_figure_of_memos_holds() -> None:
    """Conflicts, the tree, the scheduler and its advice, at a size that takes seconds."""
    failed = [figure for figure in claim() if not figure["ok"]]

    assert failed == []
