"""Heads share entries by what they are worth."""

import pytest
import torch

from engram.activation.budgets.adaptive import Adaptive
from engram.errors import InvalidInput


def test_counts_are_those_of_one_sorted_list() -> None:
    """As the paper writes it: the best of all heads together, after what each is sure of."""
    for seed in range(10):
        scores = torch.rand(1, 3, 20, generator=torch.Generator().manual_seed(seed)) ** 3
        sure = {(head, int(at)) for head in range(3) for at in scores[0, head].topk(2).indices}
        rest = [
            (float(scores[0, h, t]), h, t)
            for h in range(3)
            for t in range(20)
            if (h, t) not in sure
        ]
        kept = [head for head, _ in sure] + [h for _, h, _ in sorted(rest, reverse=True)[: 30 - 6]]

        counts = Adaptive(safeguard=0.2).split(scores, torch.tensor([10]))

        assert counts[0].tolist() == [kept.count(head) for head in range(3)]


def test_a_head_that_looks_at_much_keeps_more() -> None:
    """One with a single peak needs a single entry."""
    peaked, spread = torch.zeros(16), torch.full((16,), 1 / 16)
    peaked[3] = 1.0

    counts = Adaptive(safeguard=0.25).split(torch.stack([peaked, spread])[None], torch.tensor([8]))

    assert counts.tolist() == [[2, 14]]


def test_a_full_safeguard_is_uniform() -> None:
    """Each head is sure of the whole mean."""
    scores = torch.randn(2, 4, 30, generator=torch.Generator().manual_seed(0))

    counts = Adaptive(safeguard=1.0).split(scores, torch.tensor([7, 11]))

    assert counts.tolist() == [[7] * 4, [11] * 4]


def test_what_is_not_there_is_not_counted() -> None:
    """Padding is scored minus infinity."""
    scores = torch.zeros(1, 2, 6)
    scores[..., :4] = -torch.inf

    assert Adaptive().split(scores, torch.tensor([5])).tolist() == [[2, 2]]


@pytest.mark.parametrize("safeguard", [-0.1, 1.5])
def test_a_safeguard_is_a_share(safeguard: float) -> None:
    """Of the mean."""
    with pytest.raises(InvalidInput, match="between 0 and 1"):
        Adaptive(safeguard=safeguard)
