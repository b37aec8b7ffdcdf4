"""What InfLLM claims, as ``engram verify infllm`` measures it."""

from engram.evals.claims.infllm import claim


def test_every_figure_of_infllm_holds() -> None:
    """Needles are found, nothing is lost where all is seen, and bytes stay."""
    figures = claim()

    assert len(figures) == 9
    assert [figure for figure in figures if not figure["ok"]] == []
