"""Attention is summed up over every query, and the newest entries have a share of their own."""

from dataclasses import replace

import torch

from engram.activation.scorers.heavy_hitters import HeavyHitters
from engram.testing.activation import gathered, planted


def test_mass_is_that_of_a_loop_over_queries() -> None:
    """As the paper writes it: a softmax for each query, summed up for each key."""
    layer = planted(7, rows=1)
    mass = gathered(HeavyHitters(), layer).ledger["mass"]

    for group in range(2):
        slow = torch.zeros(7)
        for head in (2 * group, 2 * group + 1):
            for query in range(7):
                logits = layer.keys[0, group, : query + 1] @ layer.queries[0, head, query]
                slow[: query + 1] += (logits * layer.scale).softmax(0) / 2
        assert torch.allclose(mass[0, group], slow, atol=1e-5)


def test_mass_is_the_same_however_queries_are_told() -> None:
    """Block by block or all at once."""
    layer = planted(12)
    ledger = {"mass": torch.zeros(2, 2, 12)}
    shown = replace(layer, ledger=ledger)
    logits = torch.randn(2, 4, 12, 12, generator=torch.Generator().manual_seed(3))

    at_once = HeavyHitters().observe(shown, logits)["mass"]
    for start in (0, 5):
        block = logits[:, :, start : 5 if start == 0 else 12]
        shown = replace(shown, ledger=HeavyHitters().observe(shown, block))

    assert torch.allclose(at_once, shown.ledger["mass"], atol=1e-5)


def test_an_old_entry_that_was_looked_at_stays() -> None:
    """Beside the newest half of the budget, the heaviest of the past."""
    mass = torch.full((1, 2, 20), 0.1)
    mass[..., 3] = 5.0
    layer = replace(planted(20, rows=1), ledger={"mass": mass}, total=torch.tensor([6]))

    best = HeavyHitters().score(layer).topk(4, dim=-1).indices

    assert sorted(best[0, 0].tolist()) == [3, 17, 18, 19]


def test_a_query_that_sees_nothing_adds_nothing() -> None:
    """A row of padding is minus infinity all over, and no NaN comes of it."""
    layer = replace(planted(3, rows=1), ledger={"mass": torch.zeros(1, 2, 3)})

    mass = HeavyHitters().observe(layer, torch.full((1, 4, 2, 3), -torch.inf))["mass"]

    assert (mass == 0).all()
