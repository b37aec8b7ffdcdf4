"""A needle that queries point at: chance finds it by its share, the newest never, a score does."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from engram.activation.roles import Scorer
from engram.activation.scorers.chance import Chance
from engram.activation.scorers.expected import Expected
from engram.activation.scorers.heavy_hitters import HeavyHitters
from engram.activation.scorers.keyformer import Keyformer
from engram.activation.scorers.last_query import LastQuery
from engram.activation.scorers.observed_window import ObservedWindow
from engram.activation.scorers.sinks import Sinks
from engram.testing.activation import gathered, planted

TRIALS = 40
POLICIES: list[Scorer] = [
    Expected(ahead=16),
    HeavyHitters(),
    Keyformer(),
    LastQuery(),
    ObservedWindow(window=16),
]


def found(make: Callable[[int], Scorer], share: float) -> float:
    """How often a needle in the middle is among what is kept of 120 entries."""
    kept = 0
    for seed in range(TRIALS):
        layer, scorer = planted(120, rows=1, seed=seed), make(seed)
        keys, queries = layer.keys.clone(), layer.queries.clone()
        # The slowest pair of channels, so that turning hardly moves it.
        keys[:, :, 50, 7], queries[:, :, 60:, 7] = 12.0, 3.0
        total = layer.total.clone().fill_(int(120 * share))
        shown = replace(layer, keys=keys, queries=queries, total=total)
        best: Any = scorer.score(gathered(scorer, shown))[0].topk(int(120 * share)).indices
        kept += sum(50 in head.tolist() for head in best)
    return kept / (2 * TRIALS)


@pytest.mark.parametrize("share", [0.5, 0.25, 0.1])
def test_a_score_finds_what_chance_and_age_lose(share: float) -> None:
    """At each budget: age alone, then chance, then every policy."""
    chance, age = found(Chance, share), found(lambda _: Sinks(), share)
    policies = {
        type(each).__name__: found(lambda _, each=each: each, share)  # type: ignore[misc]
        for each in POLICIES
    }

    assert age == 0
    assert abs(chance - share) < 0.2
    assert min(policies.values()) > chance + 0.3, policies
    assert min(policies.values()) >= 0.95, policies
