"""What SirLLM claims, as ``engram verify sirllm`` measures it."""

from engram.evals.claims.sirllm import claim


def test_every_figure_of_sirllm_holds() -> None:
    """Items outlast chatter, nothing else does, and a surprise fades when it should."""
    figures = claim()

    assert len(figures) == 5
    assert [figure for figure in figures if not figure["ok"]] == []
