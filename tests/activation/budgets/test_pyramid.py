"""Counts fall from the first layer to the last."""

from itertools import pairwise

import pytest
import torch

from engram.activation.budgets.pyramid import Pyramid
from engram.activation.roles import Place
from engram.errors import InvalidInput


def shares(budget: Pyramid, total: int, seen: int, layers: int) -> list[int]:
    """What each layer keeps."""
    given = torch.tensor([total]), torch.tensor([seen])
    return [int(budget.share(*given, Place(at, layers))) for at in range(layers)]


def test_counts_are_on_a_line_from_twice_the_mean_to_a_twentieth() -> None:
    """As the paper writes it, with beta 20."""
    found = shares(Pyramid(), 100, 10_000, 5)

    assert found == [195, 147, 100, 53, 5]
    assert sum(found) == 500


def test_no_layer_gets_more_than_there_is() -> None:
    """What the first cannot use goes to the last."""
    found = shares(Pyramid(), 100, 120, 5)

    assert found == [120, 110, 100, 90, 80]


def test_with_room_for_all_every_layer_keeps_all() -> None:
    """A budget that is not reached changes nothing."""
    assert shares(Pyramid(), 50, 50, 4) == [50] * 4


@pytest.mark.parametrize("layers", [1, 2, 3, 32, 63])
@pytest.mark.parametrize("total", [1, 2, 3, 63, 1000])
def test_layers_sum_up_to_the_budget(layers: int, total: int) -> None:
    """And every one of them keeps something."""
    found = shares(Pyramid(), total, 5000, layers)

    assert sum(found) == total * layers
    assert min(found) >= 1
    assert all(later <= before + 1 for before, later in pairwise(found))  # to the nearest one


def test_a_pyramid_does_not_stand_on_its_head() -> None:
    """Below 1 the last layer would keep most."""
    with pytest.raises(InvalidInput, match=r"beta must be at least 1, got 0\.5"):
        Pyramid(beta=0.5)
