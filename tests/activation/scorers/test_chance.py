"""A draw that is fair, and the same at any time."""

from dataclasses import replace

import pytest
import torch

from engram.activation.roles import Place
from engram.activation.scorers.chance import Chance
from engram.testing.activation import planted


def test_lots_are_drawn_evenly() -> None:
    """Each of ten bins has about a tenth of many lots."""
    layer = planted(4000, rows=1)

    lots = Chance().score(layer)[0, 0]
    counts = torch.histc(lots, 10, 0.0, 1.0)

    assert lots.min() >= 0
    assert lots.max() < 1
    assert (counts - 400).abs().max() < 80


def test_an_entry_keeps_its_lot_while_others_come() -> None:
    """Else the oldest would be drawn most often and none of them would be left."""
    early, late = planted(20), planted(50)

    assert torch.equal(Chance().score(early), Chance().score(late)[..., :20])


@pytest.mark.parametrize("differs", ["seed", "layer", "head"])
def test_seeds_layers_and_heads_draw_for_themselves(differs: str) -> None:
    """Lots that agreed would drop the same token everywhere."""
    layer = planted(200)
    lots = Chance().score(layer)
    other = {
        "seed": Chance(seed=1).score(layer),
        "layer": Chance().score(replace(layer, place=Place(2, 4))),
        "head": lots.flip(1),
    }[differs]

    pairs = torch.stack([lots[0, 0], other[0, 0]])

    assert abs(float(torch.corrcoef(pairs)[0, 1])) < 0.2
