"""What the last queries look at stays, and their neighbours."""

from dataclasses import replace

import pytest
import torch

from engram.activation.scorers.observed_window import ObservedWindow
from engram.errors import InvalidInput
from engram.testing.activation import gathered, planted


def test_scores_are_those_of_loops() -> None:
    """A causal softmax of each query of the window, a mean, a mean over neighbours."""
    scorer = ObservedWindow(window=3, kernel=3)
    layer = replace(planted(10, rows=1), total=torch.tensor([6]))

    scores = scorer.score(gathered(scorer, layer))[0, :, :7]

    for group in range(2):
        mean = torch.zeros(12)
        for head in (2 * group, 2 * group + 1):
            for query in (7, 8, 9):
                logits = layer.keys[0, group, : query + 1] @ layer.queries[0, head, query]
                weights = (logits * layer.scale).softmax(0)
                mean[1:8] += weights[:7] / 6  # the window itself is left out
        slow = torch.stack([mean[at : at + 3].mean() for at in range(7)])
        assert torch.allclose(scores[group], slow, atol=1e-6)


def test_an_entry_that_the_window_asks_for_outranks_the_past() -> None:
    """Keys that the last queries point at are the best of what is not the window."""
    scorer = ObservedWindow(window=4, kernel=1)
    layer = planted(40, rows=1)
    keys = layer.keys.clone()
    keys[:, :, 7] = 4 * layer.queries[:, ::2, -4:].mean(2)

    scores = scorer.score(gathered(scorer, replace(layer, keys=keys)))

    assert (scores[..., :36].argmax(-1) == 7).all()
    assert (scores[..., 36:].amin(-1) > scores[..., :36].amax(-1)).all()


def test_a_window_takes_at_most_half_of_what_is_kept() -> None:
    """So that a small budget is more than the newest, and they alone are asked."""
    wide, narrow = ObservedWindow(window=64), ObservedWindow(window=3)
    layer = replace(planted(20), total=torch.tensor([6, 6]))

    scores = wide.score(gathered(wide, layer))

    assert torch.allclose(scores, narrow.score(gathered(narrow, layer)), atol=1e-6)
    assert (scores.topk(3, dim=-1).indices.sort(-1).values == torch.tensor([17, 18, 19])).all()


def test_without_queries_there_is_an_error() -> None:
    """It cannot work where the model's attention is not attached."""
    layer = planted(5)
    blind = replace(layer, queries=layer.queries[:, :, :0], asked=layer.asked[:, :0])

    with pytest.raises(InvalidInput, match="attach the model's attention"):
        ObservedWindow().score(blind)
