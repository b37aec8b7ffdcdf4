"""A short key is worth more than a long one."""

from dataclasses import replace

import torch

from engram.activation.scorers.key_norm import KeyNorm
from engram.testing.activation import planted


def test_the_norm_is_that_of_a_loop() -> None:
    """Minus the root of the sum of squares of every channel."""
    layer = planted(5, rows=1)

    scores = KeyNorm().score(layer)

    for group in range(2):
        for at in range(5):
            slow = -(sum(float(x) ** 2 for x in layer.keys[0, group, at]) ** 0.5)
            assert abs(float(scores[0, group, at]) - slow) < 1e-5


def test_a_short_key_outlives_a_long_one() -> None:
    """The sign: what is looked at often has a short key."""
    keys = planted(6).keys.clone()
    keys[:, :, 2] *= 0.1
    keys[:, :, 4] *= 10

    scores = KeyNorm().score(replace(planted(6), keys=keys))

    assert (scores.argmax(-1) == 2).all()
    assert (scores.argmin(-1) == 4).all()


def test_half_precision_is_summed_in_full() -> None:
    """Squares of large keys do not fit into 16 bits."""
    keys = torch.full_like(planted(3).keys, 300.0).half()

    assert torch.isfinite(KeyNorm().score(replace(planted(3), keys=keys))).all()
