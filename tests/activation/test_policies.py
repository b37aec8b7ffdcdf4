"""What goes together, and what a scorer makes the cache gather."""

from typing import Any

import pytest
import torch

from engram.activation.budgets.uniform import Uniform
from engram.activation.codecs.channels import Channels
from engram.activation.pagers.growing import Growing
from engram.activation.policies import Policies
from engram.activation.roles import Place
from engram.activation.scorers.heavy_hitters import HeavyHitters
from engram.activation.scorers.observed_window import ObservedWindow
from engram.activation.scorers.sinks import Sinks
from engram.errors import InvalidInput


def policies(**given: Any) -> Policies:
    """With the parts that every cache has."""
    return Policies(**{"pager": Growing(), "budget": Uniform(), **given})


@pytest.mark.parametrize("keep", [0, -3, 0.0, 1.5, True, "half", float("nan")])
def test_a_budget_that_is_none_is_refused(keep: Any) -> None:
    """With what it must be."""
    with pytest.raises(InvalidInput, match=r"tokens kept, at least 1, or a share kept"):
        policies(scorer=Sinks(), keep=keep)


@pytest.mark.parametrize("given", [{"scorer": Sinks()}, {"keep": 5}])
def test_a_budget_and_a_scorer_go_together(given: dict[str, Any]) -> None:
    """One without the other does nothing, and would say so too late."""
    with pytest.raises(InvalidInput, match="name both or none"):
        policies(**given)


@pytest.mark.parametrize("position", ["clamp", 0, -1, True, 2.5])
def test_a_position_that_is_none_is_refused(position: Any) -> None:
    """Words or a number of tokens."""
    with pytest.raises(InvalidInput, match="position must be"):
        policies(position=position)


def test_keys_that_lost_channels_are_turned_in_pairs_only() -> None:
    """The partner of a channel may be gone."""
    with pytest.raises(InvalidInput, match="paired=True"):
        policies(thinner=Channels(), position="compact")

    assert policies(thinner=Channels(paired=True), position="compact").asks


def test_slack_is_not_below_nothing() -> None:
    """It would be a larger budget."""
    with pytest.raises(InvalidInput, match="slack must be at least 0"):
        policies(slack=-1)


def test_no_more_is_gathered_than_is_needed() -> None:
    """Queries only where a policy reads them, and only as many."""
    none, mass, window = (
        policies(),
        policies(scorer=HeavyHitters(), keep=5),
        policies(scorer=ObservedWindow(window=7), keep=5, thinner=Channels(window=9)),
    )

    assert [each.asks for each in (none, mass, window)] == [False, True, True]
    assert [each.window for each in (none, mass, window)] == [0, 0, 9]
    assert dict(mass.facts) == {"mass": 0.0}
    assert none.observe is None


def test_a_total_is_at_least_one_and_at_most_what_there_is() -> None:
    """For each row by its own tokens."""
    told = torch.tensor([[10], [3]], dtype=torch.int32)

    assert policies(scorer=Sinks(), keep=0.2).total(told, Place()).tolist() == [2, 1]
    assert policies(scorer=Sinks(), keep=5).total(told, Place()).tolist() == [5, 3]
    assert policies().total(told, Place()).tolist() == [10, 3]
