"""What the paper and the repository claim holds, at a size that takes seconds."""

from engram.evals.claims.mem0 import PRESETS, claim


def test_every_figure_of_the_claim_holds() -> None:
    """Each is measured, for all three presets, and none is left out."""
    figures = claim()
    measured = [preset for preset in PRESETS for f in figures if f["what"].startswith(f"{preset}:")]

    assert len(figures) == 18
    assert [measured.count(preset) for preset in PRESETS] == [5, 4, 3]
    assert [figure for figure in figures if not figure["ok"]] == []
