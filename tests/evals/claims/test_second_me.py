"""The claim of Second Me holds."""

from engram.evals.claims.second_me import claim


def test_conclusions_answer_at_constant_tokens_and_fall_with_their_notes() -> None:
    """Every figure is measured and holds."""
    figures = claim()

    assert [figure["what"] for figure in figures if not figure["ok"]] == []
    assert len(figures) == 7
