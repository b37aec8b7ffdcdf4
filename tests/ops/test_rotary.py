"""Rotary positions are set, moved and taken off as a model would have set them."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from engram.errors import InvalidInput
from engram.ops.rotary import move, rotate, unrotate

every_pairing = pytest.mark.parametrize("pairing", ["halves", "interleaved"])


def frequencies(width: int) -> Tensor:
    """Those of Llama: 10000 ** (-2 i / R)."""
    return 1.0 / 10000.0 ** (torch.arange(0, width, 2) / width)


def states(tokens: int, width: int = 16, dtype: Any = torch.float32) -> Tensor:
    """Keys of two rows and two heads."""
    dice = torch.Generator().manual_seed(tokens)
    return torch.randn(2, 2, tokens, width, generator=dice).to(dtype)


def slow(keys: Tensor, positions: list[int], rates: Tensor, pairing: str, scaling: float) -> Tensor:
    """Pair by pair, as the paper writes it: a turn by position times frequency."""
    turned = keys.clone()
    for at, position in enumerate(positions):
        for pair, rate in enumerate(rates.tolist()):
            one = pair if pairing == "halves" else 2 * pair
            other = pair + len(rates) if pairing == "halves" else 2 * pair + 1
            cosine, sine = math.cos(position * rate), math.sin(position * rate)
            x, y = keys[:, :, at, one], keys[:, :, at, other]
            turned[:, :, at, one] = scaling * (x * cosine - y * sine)
            turned[:, :, at, other] = scaling * (y * cosine + x * sine)
    return turned


@every_pairing
@pytest.mark.parametrize("tokens", [0, 1, 3, 63])
@pytest.mark.parametrize("turned", [16, 8, 0])
def test_pairs_turn_by_position_times_frequency(pairing: Any, tokens: int, turned: int) -> None:
    """All channels, the first half of them, or none."""
    keys, rates = states(tokens), frequencies(turned)
    positions = [(7 * at) % 50 for at in range(tokens)]

    found = rotate(keys, torch.tensor(positions).long(), rates, pairing=pairing, scaling=1.3)

    expected = slow(keys, positions, rates, pairing, 1.3)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@every_pairing
def test_two_moves_are_one_move(pairing: Any) -> None:
    """R(a) R(b) is R(a + b), and a move back gives what there was."""
    keys, rates, start = states(63), frequencies(8), torch.arange(63)
    near, far = start + 17, start + 90

    twice = move(move(keys, start, near, rates, pairing=pairing), near, far, rates, pairing=pairing)

    torch.testing.assert_close(
        twice, move(keys, start, far, rates, pairing=pairing), atol=1e-5, rtol=0
    )
    back = move(twice, far, start, rates, pairing=pairing)
    torch.testing.assert_close(back, keys, atol=1e-5, rtol=0)


@every_pairing
def test_moved_keys_are_those_of_the_new_place(pairing: Any) -> None:
    """The scaling of the model is in them once; even a million tokens away."""
    keys, rates = states(63), frequencies(16)
    start, end = torch.arange(63) + 1_000_000, torch.arange(63)

    moved = move(
        rotate(keys, start, rates, pairing=pairing, scaling=1.2), start, end, rates, pairing=pairing
    )

    expected = rotate(keys, end, rates, pairing=pairing, scaling=1.2)
    torch.testing.assert_close(moved, expected, atol=2e-6, rtol=0)


@every_pairing
def test_what_was_set_is_taken_off(pairing: Any) -> None:
    """Scaling and all, at any distance."""
    keys, rates, far = states(63), frequencies(8), torch.arange(63) * 10_007

    turned = rotate(keys, far, rates, pairing=pairing, scaling=1.3)

    found = unrotate(turned, far, rates, pairing=pairing, scaling=1.3)
    torch.testing.assert_close(found, keys, atol=2e-6, rtol=0)
    assert torch.equal(turned[..., 8:], keys[..., 8:])


@every_pairing
def test_scores_depend_on_the_distance_only(pairing: Any) -> None:
    """What rotary positions are for."""
    keys, rates, at = states(63), frequencies(16), torch.arange(63)

    def scores(shift: int) -> Tensor:
        turned = rotate(keys, at + shift, rates, pairing=pairing)
        return turned @ turned.mT

    torch.testing.assert_close(scores(0), scores(100), atol=2e-4, rtol=0)


def test_rows_and_heads_may_have_positions_of_their_own() -> None:
    """One for all, one a row, one a row and head."""
    keys, rates = states(3), frequencies(16)
    own = torch.tensor([[[0, 4, 5], [1, 2, 9]], [[3, 4, 5], [0, 0, 7]]])

    by_head = rotate(keys, own, rates)
    by_row = rotate(keys, own[:, 0], rates)

    assert torch.equal(by_head[1, 1], rotate(keys, own[1, 1], rates)[1, 1])
    assert torch.equal(by_row[1, 1], rotate(keys, own[1, 0], rates)[1, 1])


def test_half_precision_is_turned_in_single() -> None:
    """One rounding at the end, so the error is half a step of the dtype."""
    keys, rates, at = states(63, dtype=torch.bfloat16), frequencies(16), torch.arange(63)

    found = rotate(keys, at, rates)

    assert found.dtype is torch.bfloat16
    assert torch.equal(found, rotate(keys.float(), at, rates).to(torch.bfloat16))


def test_the_pairing_of_a_llama_is_halves() -> None:
    """The model library and this give the same keys."""
    llama = pytest.importorskip("transformers.models.llama.modeling_llama")
    keys, rates, at = states(63), frequencies(16), torch.arange(63)
    angles = torch.cat([at[:, None] * rates] * 2, dim=-1)[None]

    theirs, _ = llama.apply_rotary_pos_emb(keys, keys, angles.cos(), angles.sin())

    torch.testing.assert_close(rotate(keys, at, rates), theirs, atol=1e-6, rtol=0)


def test_shapes_and_pairings_that_do_not_fit_are_named() -> None:
    """What must hold and what came."""
    keys, rates = states(3), frequencies(16)

    with pytest.raises(InvalidInput, match=r"got \(2, 2, 3, 16\), \(4,\) and \(8,\); reshape"):
        rotate(keys, torch.arange(4), rates)
    with pytest.raises(InvalidInput, match=r"R at most D, got .* and \(10,\)"):
        rotate(keys, torch.arange(3), frequencies(20))
    with pytest.raises(InvalidInput, match="pairing must be halves or interleaved, got 'odd'"):
        rotate(keys, torch.arange(3), rates, pairing="odd")  # type: ignore[arg-type]
