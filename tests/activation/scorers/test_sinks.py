"""The first tokens and the newest ones stay, whatever is in them."""

import torch

from engram.activation.scorers.sinks import Sinks
from engram.testing.activation import planted


def test_sinks_and_the_newest_stay_whatever_they_hold() -> None:
    """Of 20 entries the best seven are the four sinks and the last three."""
    scores = Sinks().score(planted(20))

    best = scores.topk(7, dim=-1).indices.sort(-1).values

    assert best[0, 0].tolist() == [0, 1, 2, 3, 17, 18, 19]
    assert (best == best[:1, :1]).all()


def test_padding_is_no_sink() -> None:
    """The first tokens of a row are counted from where its text begins."""
    layer = planted(20, padding=6)

    best = Sinks(n_sink=2).score(layer)[1, 0, 6:].topk(3).indices + 6

    assert sorted(best.tolist()) == [6, 7, 19]


def test_without_sinks_the_newest_are_best() -> None:
    """Scores rise with the position."""
    assert (Sinks(n_sink=0).score(planted(9)).diff(dim=-1) > 0).all()


def test_one_token_is_kept() -> None:
    """An awkward size."""
    assert torch.isfinite(Sinks().score(planted(1))).all()
