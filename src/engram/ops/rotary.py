"""Rotary positions: set, moved and taken off, in the pairing and width that a model has.

Source: Su et al. 2021, "RoFormer: Enhanced Transformer with Rotary Position Embedding",
    arXiv:2104.09864, section 3.4.
Differs: a move turns by the difference of the two angles as models round them, in float32, so that
    what is moved is what the model itself would have made there, at any distance.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor

from engram.errors import InvalidInput

Pairing = Literal["halves", "interleaved"]


def rotate(
    states: Tensor,
    positions: Tensor,
    frequencies: Tensor,
    *,
    pairing: Pairing = "halves",
    scaling: float = 1.0,
) -> Tensor:
    """Return queries or keys (B, G, T, D), turned to their positions.

    Args:
        states: (B, G, T, D), not yet turned.
        positions: (T,), (B, T) or (B, G, T).
        frequencies: (R / 2,), a model's ``inv_freq``; the first R channels are turned, the others
            stay as they are.
        pairing: which channels turn together: ``"halves"`` i and i + R / 2 (Llama),
            ``"interleaved"`` 2 i and 2 i + 1 (GPT-J).
        scaling: what the turned channels are multiplied by, a model's ``attention_scaling``.

    Raises:
        InvalidInput: the shapes do not fit one another, or the pairing is not known.
    """
    return _turned(states, _angles(states, positions, frequencies), pairing, scaling)


def move(
    states: Tensor,
    start: Tensor,
    end: Tensor,
    frequencies: Tensor,
    *,
    pairing: Pairing = "halves",
) -> Tensor:
    """Return keys that were turned to ``start``, turned to ``end``: R(end - start).

    Their scaling is in them already and is not applied again. Move from what was stored first, and
    not from what was moved: in 16 bits the rounding would add up. See ``rotate``.
    """
    angles = _angles(states, end, frequencies) - _angles(states, start, frequencies)
    return _turned(states, angles, pairing, 1.0)


def unrotate(
    states: Tensor,
    positions: Tensor,
    frequencies: Tensor,
    *,
    pairing: Pairing = "halves",
    scaling: float = 1.0,
) -> Tensor:
    """Return what ``rotate`` with the same arguments was given."""
    return _turned(states, -_angles(states, positions, frequencies), pairing, 1 / scaling)


def _angles(states: Tensor, positions: Tensor, frequencies: Tensor) -> Tensor:
    """The angles as models round them, held in float64: (B, G, T, R / 2) broadcast."""
    shape, turned = tuple(states.shape), 2 * frequencies.numel()
    fits = len(shape) == 4 and positions.dim() in (1, 2, 3) and frequencies.dim() == 1
    if fits:
        of = {1: (shape[2],), 2: (shape[0], shape[2]), 3: shape[:3]}[positions.dim()]
        fits = turned <= shape[3] and all(
            have in (1, want) for have, want in zip(positions.shape, of, strict=True)
        )
    if not fits:
        raise InvalidInput(
            "states must be (B, G, T, D), positions (T,), (B, T) or (B, G, T) and frequencies "
            f"(R / 2,) with R at most D, got {shape}, {tuple(positions.shape)} and "
            f"{tuple(frequencies.shape)}; reshape them"
        )
    if positions.dim() == 2:
        positions = positions[:, None]
    kind = torch.promote_types(states.dtype, torch.float32)
    return (positions.to(kind)[..., None] * frequencies.to(kind)).double()


def _turned(states: Tensor, angles: Tensor, pairing: Pairing, scaling: float) -> Tensor:
    if pairing not in _PAIRINGS:
        raise InvalidInput(f"pairing must be {' or '.join(_PAIRINGS)}, got {pairing!r}")
    kind = torch.promote_types(states.dtype, torch.float32)
    cosine, sine = ((each * scaling).to(kind) for each in (angles.cos(), angles.sin()))
    split, joined = _PAIRINGS[pairing]
    width = 2 * angles.shape[-1]
    one, other = split(states[..., :width].to(kind))
    turned = joined(one * cosine - other * sine, other * cosine + one * sine)
    return torch.cat([turned.to(states.dtype), states[..., width:]], dim=-1)


def _halves(states: Tensor) -> tuple[Tensor, Tensor]:
    one, other = states.chunk(2, dim=-1) if states.shape[-1] else (states, states)
    return one, other


def _by_halves(one: Tensor, other: Tensor) -> Tensor:
    return torch.cat([one, other], dim=-1)


def _neighbours(states: Tensor) -> tuple[Tensor, Tensor]:
    return states[..., 0::2], states[..., 1::2]


def _by_neighbours(one: Tensor, other: Tensor) -> Tensor:
    return torch.stack([one, other], dim=-1).flatten(-2)


_PAIRINGS: Mapping[
    str,
    tuple[Callable[[Tensor], tuple[Tensor, Tensor]], Callable[[Tensor, Tensor], Tensor]],
] = {"halves": (_halves, _by_halves), "interleaved": (_neighbours, _by_neighbours)}
