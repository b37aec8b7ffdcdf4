"""Entries side by side, and rotations that add up."""

import torch

from engram.activation.positions import Rotary, side_by_side

ROTARY = Rotary(10_000 ** -(torch.arange(4.0) / 4), scaling=1.3)


def test_shown_positions_end_at_the_newest_without_a_gap() -> None:
    """Kept entries stand directly before the token that asks."""
    held = torch.tensor([[[0, 1, 7, 9]]])

    assert side_by_side(held, None)[0, 0].tolist() == [6, 7, 8, 9]


def test_what_is_not_there_leaves_no_gap() -> None:
    """Each head stands by itself."""
    held = torch.tensor([[[0, 2, 9], [0, 4, 9]]])
    valid = torch.tensor([[[True, True, True], [False, True, True]]])

    shown = side_by_side(held, valid)

    assert shown[0, 0].tolist() == [7, 8, 9]
    assert shown[0, 1, 1:].tolist() == [8, 9]


def test_nothing_can_be_shown_too() -> None:
    """An empty layer has no positions."""
    assert side_by_side(torch.zeros(1, 1, 0, dtype=torch.int32), None).shape == (1, 1, 0)


def test_rotations_add_up() -> None:
    """Turned and moved is turned at once, with the scaling once; and it can be taken off."""
    states = torch.randn(2, 3, 5, 8, generator=torch.Generator().manual_seed(0))
    here, there = torch.arange(5)[None, None], torch.tensor([[[40, 3, 0, 99, 12]]])

    moved = ROTARY.move(ROTARY.turn(states, here), here, there)

    assert torch.allclose(moved, ROTARY.turn(states, there), atol=1e-5)
    assert torch.allclose(ROTARY.unturn(moved, there), states, atol=1e-5)
