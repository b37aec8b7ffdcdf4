"""Block masks: which tiles a pattern looks at."""

import math

import pytest
import torch

from engram.errors import InvalidInput
from engram.ops.attention import tiled_attention
from engram.ops.sparse import block_sparse_mask


@pytest.mark.parametrize("length", [0, 1, 3, 63, 64, 1000])
def test_a_butterfly_looks_at_tiles_one_bit_away(length: int) -> None:
    """As the paper draws it: the diagonal, and at every level the tile across."""
    count = -(-length // 16)
    slow = torch.zeros(count, count, dtype=torch.bool)
    for row in range(count):
        slow[row, row] = True
        for level in range(count.bit_length()):
            if row ^ (1 << level) < count:
                slow[row, row ^ (1 << level)] = True

    assert torch.equal(block_sparse_mask(length, 16, "butterfly"), slow)


def test_local_and_global_look_at_neighbours_and_at_the_first() -> None:
    """Two tiles to each side, and one tile that sees all and that all see."""
    slow = torch.zeros(8, 8, dtype=torch.bool)
    for row in range(8):
        for column in range(8):
            slow[row, column] = abs(row - column) <= 2 or row == 0 or column == 0

    mask = block_sparse_mask(8 * 4 - 3, 4, "local+global", n_local=2, n_global=1)

    assert torch.equal(mask, slow)


def test_a_butterfly_has_a_logarithm_of_tiles_in_a_row() -> None:
    """Of 256 tiles a row looks at nine, so the cost is T log T."""
    mask = block_sparse_mask(256 * 64, 64, "butterfly")

    assert set(mask.sum(dim=1).tolist()) == {1 + math.log2(256)}


@pytest.mark.parametrize("pattern", ["butterfly", "local", "global", "butterfly+local+global"])
def test_every_token_sees_itself(pattern: str) -> None:
    """So that no row of causal attention is left with nothing."""
    given = torch.randn(1, 1, 63, 8, generator=torch.Generator().manual_seed(0))
    mask = block_sparse_mask(63, 8, pattern, n_local=0, n_global=0)

    _, lse = tiled_attention(
        given,
        given,
        given,
        causal="lower_right",
        block_mask=mask,
        block_q=8,
        block_k=8,
        return_lse=True,
    )

    assert mask.diagonal().all()
    assert lse.isfinite().all()


def test_a_pattern_or_size_that_is_not_known_is_named() -> None:
    """With what can be asked for."""
    with pytest.raises(InvalidInput, match="butterfly, local, global joined by '\\+', got 'moth'"):
        block_sparse_mask(64, 16, "moth")
    with pytest.raises(InvalidInput, match="block at least 1, got 64, 1, 1 and 0"):
        block_sparse_mask(64, 0)
