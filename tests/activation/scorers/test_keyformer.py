"""Noise and a temperature on the logits of heavy hitters."""

from dataclasses import replace

import pytest
import torch

from engram.activation.scorers.heavy_hitters import HeavyHitters
from engram.activation.scorers.keyformer import Keyformer
from engram.errors import InvalidInput
from engram.testing.activation import gathered, planted


def test_without_noise_and_heat_it_is_attention_summed_up() -> None:
    """Index for index what heavy hitters choose."""
    layer = planted(40)
    plain = Keyformer(recent=0.5, tau_last=1.0, noise=False)

    ours, heavy = (each.score(gathered(each, layer)) for each in (plain, HeavyHitters()))

    assert torch.allclose(ours, heavy, atol=1e-5)
    assert torch.equal(ours.argsort(-1), heavy.argsort(-1))


def test_a_seed_gives_the_same_and_another_something_else() -> None:
    """Noise is an argument, not an accident."""
    layer = planted(30)

    first, again, other = (
        gathered(each, layer).ledger["mass"]
        for each in (Keyformer(), Keyformer(), Keyformer(seed=1))
    )

    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=1e-3)


def test_noise_is_of_gumbels_distribution() -> None:
    """Its mean is Euler's constant and its variance pi squared over six."""
    layer = planted(64, rows=1)
    where = layer.positions.repeat_interleave(2, 1)[:, :, None]

    drawn = Keyformer()._gumbel(layer, where, where.mT)

    assert abs(float(drawn.mean()) - 0.5772) < 0.03
    assert abs(float(drawn.var()) - 1.6449) < 0.1


def test_heat_makes_shares_more_even() -> None:
    """The entropy of what entries get rises with tau."""
    layer = planted(30)

    def entropy(tau: float) -> float:
        scorer = Keyformer(tau_first=tau, tau_last=tau, noise=False)
        mass = gathered(scorer, layer).ledger["mass"]
        shares = mass / mass.sum(-1, keepdim=True)
        return float(-(shares * shares.log()).sum())

    assert entropy(0.5) < entropy(1.0) < entropy(2.0) < entropy(8.0)


def test_heat_rises_after_the_prompt_and_not_within_it() -> None:
    """Tau is that of the first step over the whole prompt, and then grows token by token."""
    layer = planted(10, rows=1)
    ledger = {"mass": torch.zeros(1, 2, 10), "prompt": torch.full((1, 2, 10), 6.0)}
    shown = replace(layer, ledger=ledger)
    scorer = Keyformer(tau_first=1.0, tau_last=3.0, steps=4, noise=False)
    logits = torch.arange(10.0).expand(1, 4, 1, 10)

    for query, tau in ((5, 1.0), (6, 1.5), (7, 2.0), (9, 3.0)):
        seen = logits.masked_fill(torch.arange(10) > query, -torch.inf)
        mass = scorer.observe(shown, seen)["mass"]
        assert torch.allclose(mass[0, 0], (seen[0, 0, 0] / tau).softmax(0), atol=1e-6)


def test_a_needle_is_kept_in_nearly_every_trial() -> None:
    """A key that queries point at survives half the budget in 99 of 100 draws."""
    kept = 0
    for seed in range(100):
        layer = planted(64, rows=1, seed=seed)
        keys, queries = layer.keys.clone(), layer.queries.clone()
        keys[:, :, 20, 0], queries[:, :, 30:, 0] = 6.0, 3.0
        shown = replace(layer, keys=keys, queries=queries)
        shown = gathered(Keyformer(seed=seed), shown)
        best = Keyformer(seed=seed).score(shown)[0, 0].topk(32).indices
        kept += 20 in best.tolist()

    assert kept >= 99


@pytest.mark.parametrize("wrong", [{"tau_first": 0.0}, {"tau_last": -1.0}, {"steps": 0}])
def test_a_temperature_that_is_none_is_refused(wrong: dict[str, float]) -> None:
    """A softmax cannot be divided by nothing."""
    with pytest.raises(InvalidInput, match="tau must be above 0"):
        Keyformer(**wrong)  # type: ignore[arg-type]
