"""The same for all."""

import torch

from engram.activation.budgets.uniform import Uniform
from engram.activation.roles import Place


def test_every_head_of_every_layer_keeps_the_mean() -> None:
    """Rows may differ, heads may not."""
    total = torch.tensor([3, 7])

    counts = Uniform().split(torch.zeros(2, 4, 9), total)

    assert counts.tolist() == [[3] * 4, [7] * 4]
    assert torch.equal(Uniform().share(total, total, Place(5, 9)), total)
