"""The claim of QA-Memory holds."""

from engram.evals.claims.qa_memory import claim


def test_two_rounds_over_stored_pairs_answer_what_one_cannot() -> None:
    """Every figure is measured and holds."""
    figures = claim()

    assert [figure["what"] for figure in figures if not figure["ok"]] == []
    assert len(figures) == 5
