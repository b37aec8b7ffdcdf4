"""The newest query decides for all heads together."""

import torch

from engram.activation.scorers.last_query import LastQuery
from engram.testing.activation import gathered, planted


def test_scores_are_those_of_a_loop_over_heads() -> None:
    """The softmax of the last query of each head, in the mean."""
    layer = planted(8, rows=1)

    scores = LastQuery().score(gathered(LastQuery(), layer))[0, :, :7]

    slow = torch.zeros(8)
    for head in range(4):
        logits = layer.keys[0, head // 2] @ layer.queries[0, head, -1]
        slow += (logits * layer.scale).softmax(0) / 4
    assert torch.allclose(scores[0], slow[:7], atol=1e-6)


def test_all_heads_drop_the_same_entry() -> None:
    """One state for a layer, as in a recurrent network."""
    scores = LastQuery().score(gathered(LastQuery(), planted(20)))

    assert torch.equal(scores[:, 0], scores[:, 1])


def test_the_newest_entry_is_never_the_one_that_goes() -> None:
    """It was not asked for yet."""
    scores = LastQuery().score(gathered(LastQuery(), planted(20)))

    assert (scores.argmax(-1) == 19).all()
