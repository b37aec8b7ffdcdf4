"""What the paper claims holds, at a size that takes seconds."""

import torch

from engram.evals.claims.exact_attention import peak_bytes
from engram.evals.claims.flashattention import claim


def test_every_figure_of_the_claim_holds() -> None:
    """Each is measured, and none is left out."""
    figures = claim()

    assert len(figures) == 10
    assert [figure for figure in figures if not figure["ok"]] == []


def test_peak_bytes_count_what_lives_at_one_time() -> None:
    """Two tensors that live together count together, one after the other count once."""

    def together() -> object:
        one = torch.zeros(1000)
        return one, torch.zeros(500).view(5, 100)

    def apart() -> None:
        for _ in range(3):
            torch.zeros(1000)

    assert (peak_bytes(together), peak_bytes(apart)) == (6000, 4000)
