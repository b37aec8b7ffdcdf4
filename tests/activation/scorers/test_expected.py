"""Expected weights are what a sample of queries to come gives in the mean."""

from dataclasses import replace

import pytest
import torch

from engram.activation.scorers.expected import Expected
from engram.errors import InvalidInput
from engram.testing.activation import gathered, planted


def test_scores_are_those_of_loops_over_positions() -> None:
    """Mean and covariance of queries, turned to each position to come, as the paper writes it."""
    scorer = Expected(ahead=5, n_sink=0, recent=0.0, norm=False)
    layer = gathered(scorer, planted(9, rows=1))
    assert layer.rotary is not None
    at = torch.arange(9)
    queries = layer.rotary.unturn(layer.queries, at[None, None])[0]  # (H, W, D)
    basis = torch.eye(16)[None, None]
    turns = [
        layer.rotary.turn(basis, torch.tensor(9 + step).expand(1, 1, 16))[0, 0] for step in range(5)
    ]
    turn = torch.stack(turns).mean(0)

    scores = scorer.score(layer)[0]

    for group in range(2):
        slow = torch.zeros(9)
        for head in (2 * group, 2 * group + 1):
            mean = queries[head].mean(0)
            centred = queries[head] - mean
            spread = turn.T @ (centred.T @ centred / 9) @ turn
            logits = torch.stack(
                [
                    key @ (mean @ turn) * layer.scale + key @ spread @ key * layer.scale**2 / 2
                    for key in layer.keys[0, group]
                ]
            )
            slow += logits.softmax(0) / 2
        assert torch.allclose(scores[group], slow, atol=1e-5)


def test_an_entry_that_all_queries_lean_to_is_expected() -> None:
    """With queries around one direction the key along it is worth most."""
    layer = planted(30, rows=1)
    assert layer.rotary is not None
    lean = torch.zeros(16)
    lean[7] = 3.0  # the slowest pair, so that turning hardly matters
    queries = layer.rotary.turn(
        lean.expand(1, 4, 30, 16) + 0.1 * layer.queries, layer.positions[:, :1]
    )
    keys = layer.keys.clone()
    keys[:, :, 12] = 3 * lean
    shown = replace(layer, queries=queries, keys=keys)

    scores = Expected(ahead=8, recent=0.0, norm=False).score(shown)

    assert (scores[..., 4:].argmax(-1) == 8).all()


def test_a_value_of_no_length_is_worth_nothing() -> None:
    """Whatever looks at it, nothing comes of it."""
    layer = planted(12)
    values = layer.values.clone()
    values[:, :, 6] = 0

    scores = Expected(ahead=8).score(replace(layer, values=values))

    assert (scores.argmin(-1) == 6).all()


def test_the_newest_have_a_part_of_what_is_kept() -> None:
    """Words that are written rest on those just before them, whatever is expected."""
    layer = replace(planted(40), total=torch.tensor([16, 16]))

    best = Expected(ahead=8).score(layer).topk(8, dim=-1).indices.sort(-1).values

    assert (best == torch.tensor([0, 1, 2, 3, 36, 37, 38, 39])).all()


def test_a_model_without_rotations_is_refused() -> None:
    """There is no position to take out of its queries."""
    with pytest.raises(InvalidInput, match="rotary positions, got none"):
        Expected().score(replace(planted(5), rotary=None))
