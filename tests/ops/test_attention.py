"""Attention in tiles and in parts is the attention that a T x T matrix gives."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from engram.errors import InvalidInput
from engram.evals.claims.exact_attention import peak_bytes
from engram.ops import flash
from engram.ops.attention import attention_path, merge_attention, tiled_attention

SIZES = list(itertools.product((0, 1, 3, 63, 130), (0, 1, 3, 63, 200)))
MASKS = ("none", "padding", "bool", "float")

every_path = pytest.mark.parametrize("path", ["tiles", "auto"])
every_order = pytest.mark.parametrize("causal", [None, "lower_right"])


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small tensors are quicker on one core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def drawn(
    heads: int, groups: int, length: int, tokens: int, width: int = 8, dtype: Any = torch.float32
) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values of a batch of two that take a gradient."""
    dice = torch.Generator().manual_seed(length * 1000 + tokens)
    shapes = (heads, length), (groups, tokens), (groups, tokens)
    one, two, three = (
        torch.randn(2, *shape, width, generator=dice, dtype=dtype).requires_grad_()
        for shape in shapes
    )
    return one, two, three


def mask_of(kind: str, length: int, tokens: int) -> Tensor | None:
    """A mask that leaves some rows with nothing to see."""
    dice = torch.Generator().manual_seed(7)
    if kind == "none":
        return None
    if kind == "padding":
        return torch.arange(tokens) >= torch.tensor([tokens // 2, tokens]).view(2, 1, 1, 1)
    seen = torch.rand(2, 4, length, tokens, generator=dice) > 0.6
    if kind == "bool":
        return seen
    return torch.randn(1, 1, length, tokens, generator=dice).masked_fill(~seen[:1, :1], -math.inf)


def dense(
    queries: Tensor, keys: Tensor, values: Tensor, *, causal: str | None, mask: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The slow form: all scores at once, one query after the other sees what it may."""
    shared = queries.shape[1] // keys.shape[1]
    keys, values = (each.repeat_interleave(shared, dim=1) for each in (keys, values))
    scores = queries @ keys.mT / math.sqrt(queries.shape[3])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype is torch.bool else scores + mask
    length, tokens = scores.shape[2:]
    hidden = torch.zeros(length, tokens, dtype=torch.bool)
    for query in range(length if causal else 0):
        hidden[query, max(tokens - length + query + 1, 0) :] = True
    scores = scores.masked_fill(hidden, -math.inf)
    blind = (scores == -math.inf).all(dim=3, keepdim=True)
    shares = scores.masked_fill(blind, 0.0).softmax(dim=3).masked_fill(blind, 0.0)
    lse = scores.masked_fill(blind, 0.0).logsumexp(dim=3).masked_fill(blind[..., 0], -math.inf)
    return shares @ values, lse


@every_path
@every_order
@pytest.mark.parametrize("kind", MASKS)
def test_tiles_give_what_the_whole_matrix_gives(path: Any, causal: Any, kind: str) -> None:
    """Output, lse and gradients, at awkward sizes, with heads that share keys."""
    for length, tokens in SIZES:
        given, mask = drawn(4, 2, length, tokens), mask_of(kind, length, tokens)

        out, lse = tiled_attention(
            *given, causal=causal, mask=mask, path=path, block_q=16, block_k=32, return_lse=True
        )
        slow, slow_lse = dense(*given, causal=causal, mask=mask)

        at = f"{length} queries, {tokens} keys"
        torch.testing.assert_close(out, slow, atol=1e-5, rtol=0, msg=at)
        torch.testing.assert_close(lse, slow_lse, atol=1e-5, rtol=0, msg=at)
        back = torch.cos(torch.arange(float(out.numel()))).view(out.shape)
        for ours, theirs in zip(
            torch.autograd.grad(out, given, back),
            torch.autograd.grad(slow, given, back),
            strict=True,
        ):
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5, msg=at)


@every_path
@every_order
def test_gradients_of_both_results_are_exact(path: Any, causal: Any) -> None:
    """Finite differences in float64, through the output and through its lse."""
    given = drawn(2, 1, 5, 7, width=3, dtype=torch.float64)
    mask = torch.rand(1, 1, 5, 7, generator=torch.Generator().manual_seed(0)) > 0.2

    def both(*given: Tensor) -> tuple[Tensor, Tensor]:
        return tiled_attention(
            *given, causal=causal, mask=mask, path=path, block_q=2, block_k=3, return_lse=True
        )

    assert torch.autograd.gradcheck(both, given)
    assert torch.autograd.gradcheck(lambda *given: both(*given)[0], given)


def test_values_may_have_a_width_of_their_own() -> None:
    """The kernel cannot do it, so the tiles do."""
    queries, keys, _ = drawn(4, 2, 5, 9)
    values = torch.randn(2, 2, 9, 3, generator=torch.Generator().manual_seed(1))

    out = tiled_attention(queries, keys, values)

    torch.testing.assert_close(out, dense(queries, keys, values, causal=None, mask=None)[0])
    assert attention_path(queries, keys, values) == "tiles"


@every_path
@pytest.mark.parametrize(("dtype", "most"), [(torch.float16, 2e-3), (torch.bfloat16, 2e-2)])
def test_half_precision_sums_in_single(path: Any, dtype: Any, most: float) -> None:
    """The output has the dtype of the queries, the lse is in float32."""
    given = [each.detach().to(dtype) for each in drawn(4, 2, 63, 130)]

    out, lse = tiled_attention(*given, causal="lower_right", path=path, return_lse=True)
    slow, slow_lse = dense(*(each.float() for each in given), causal="lower_right", mask=None)

    assert (out.dtype, lse.dtype) == (dtype, torch.float32)
    assert (out - slow).abs().max() <= most
    assert (lse - slow_lse).abs().max() <= most


@every_path
def test_views_of_any_stride_are_read_right(path: Any) -> None:
    """A transposed tensor is not noise; the private kernel alone would make it that."""
    wide = torch.randn(2, 2, 8, 9, generator=torch.Generator().manual_seed(2))
    queries, keys, values = wide.mT[:, :, 4:], wide.mT, wide.mT.flip(2)

    out = tiled_attention(queries, keys, values, path=path)

    torch.testing.assert_close(out, dense(queries, keys, values, causal=None, mask=None)[0])


@every_path
@every_order
def test_a_mask_of_blocks_is_a_mask_of_what_they_hold(path: Any, causal: Any) -> None:
    """Skipped tiles are hidden, at sizes that do not divide and blocks that are not square."""
    for length, tokens, block_q, block_k in [(63, 63, 16, 16), (50, 130, 16, 32), (70, 33, 8, 16)]:
        given, mask = drawn(4, 2, length, tokens), mask_of("padding", length, tokens)
        dice = torch.Generator().manual_seed(3)
        rows, columns = -(-length // block_q), -(-tokens // block_k)
        for shape in [(rows, columns), (2, 4, rows, columns)]:
            blocks = torch.rand(shape, generator=dice) > 0.5
            seen = blocks.repeat_interleave(block_q, -2).repeat_interleave(block_k, -1)

            out, lse = tiled_attention(
                *given,
                causal=causal,
                mask=mask,
                block_mask=blocks,
                block_q=block_q,
                block_k=block_k,
                path=path,
                return_lse=True,
            )
            slow, slow_lse = dense(
                *given,
                causal=causal,
                mask=seen[..., :length, :tokens] & mask,  # type: ignore[operator]
            )

            torch.testing.assert_close(out, slow, atol=1e-5, rtol=0)
            torch.testing.assert_close(lse, slow_lse, atol=1e-5, rtol=0)
            for ours, theirs in zip(
                torch.autograd.grad(out.sum(), given),
                torch.autograd.grad(slow.sum(), given),
                strict=True,
            ):
                torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_all_blocks_are_no_mask() -> None:
    """Looking at every tile is dense attention, bit for bit."""
    given = drawn(4, 2, 63, 63)
    blocks = torch.ones(4, 4, dtype=torch.bool)

    out = tiled_attention(*given, block_mask=blocks, block_q=16, block_k=16, path="tiles")

    assert torch.equal(out, tiled_attention(*given, block_q=16, block_k=16, path="tiles"))


@every_path
def test_parts_of_the_keys_join_to_the_whole(path: Any) -> None:
    """Any partition in any order gives the same, one with an empty part too."""
    queries, keys, values = drawn(4, 2, 5, 63)
    order = torch.randperm(63, generator=torch.Generator().manual_seed(4))
    cuts = torch.tensor_split(order, (3, 3, 40))

    parts = [
        tiled_attention(queries, keys[:, :, at], values[:, :, at], path=path, return_lse=True)
        for at in cuts
    ]
    out, lse = merge_attention(parts)
    slow, slow_lse = dense(queries, keys, values, causal=None, mask=None)

    torch.testing.assert_close(out, slow, atol=1e-6, rtol=0)
    torch.testing.assert_close(lse, slow_lse, atol=1e-6, rtol=0)
    given = queries, keys, values
    ours, theirs = (torch.autograd.grad(each.sum(), given) for each in (out, slow))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_parts_that_see_nothing_join_to_nothing() -> None:
    """Not to NaN, in the result and in the gradient."""
    out = torch.zeros(1, 1, 3, 2, requires_grad=True)
    lse = torch.full((1, 1, 3), -math.inf, requires_grad=True)

    mixed, level = merge_attention([(out, lse), (out, lse)])

    assert torch.equal(mixed, torch.zeros(1, 1, 3, 2))
    assert torch.equal(level, lse)
    assert all(g.isfinite().all() for g in torch.autograd.grad(mixed.sum(), (out, lse)))


def test_memory_grows_with_the_length_and_not_with_its_square() -> None:
    """Forward and backward at four times the length take four times the bytes, not sixteen."""

    def peak(length: int) -> int:
        given = drawn(1, 1, length, length, width=4)

        def both() -> object:
            out = tiled_attention(*given, path="tiles", block_q=64, block_k=64)
            return torch.autograd.grad(out.sum(), given)

        return peak_bytes(both)

    small, large = peak(256), peak(1024)

    assert large <= 4.2 * small
    assert large < 1024 * 1024 * 4


@every_path
def test_a_float_mask_may_hide_the_first_tiles_of_a_row(path: Any) -> None:
    """A tile in which all is hidden before one in which something is seen is not NaN."""
    given = drawn(2, 2, 3, 63)
    mask = torch.zeros(3, 63).masked_fill(torch.arange(63) < 40, -math.inf)

    out = tiled_attention(*given, mask=mask, block_q=2, block_k=8, path=path)

    torch.testing.assert_close(out, dense(*given, causal=None, mask=mask)[0])


def test_large_scores_do_not_overflow() -> None:
    """The peak is taken out before the exponent."""
    queries, keys, values = (200 * each.detach() for each in drawn(1, 1, 3, 63))

    out = tiled_attention(queries, keys, values, scale=1.0, block_k=8, path="tiles")

    assert out.isfinite().all()
    torch.testing.assert_close(out, tiled_attention(queries, keys, values, scale=1.0))


def test_the_path_is_known_before_it_is_taken() -> None:
    """A wish that cannot be met is refused, not passed over."""
    given = drawn(2, 1, 3, 5)
    empty = drawn(2, 1, 3, 0)

    assert flash.known()
    assert attention_path(*given) == "flash"
    assert attention_path(*given, path="tiles") == "tiles"
    assert attention_path(*empty) == "tiles"
    with pytest.raises(InvalidInput, match=r"path 'flash' needs .* choose 'auto'"):
        tiled_attention(*empty, path="flash")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"causal": "upper_left"}, "causal must be 'lower_right' or None, got 'upper_left'"),
        ({"path": "fast"}, "path must be 'auto', 'flash' or 'tiles', got 'fast'"),
        ({"block_k": 0}, "at least 1 query and 1 key, got block_q 128 and block_k 0"),
        ({"mask": torch.zeros(3, 4)}, r"mask must .* broadcast to \(2, 4, 3, 5\), got \(3, 4\)"),
        ({"mask": torch.zeros(5).long()}, "mask must be bool or float .* of torch.int64"),
        ({"mask": torch.zeros(5, requires_grad=True)}, "mask must .* without a gradient"),
        ({"block_mask": torch.ones(1, 1)}, "block_mask must be of bools, got torch.float32"),
        ({"block_mask": torch.ones(2, 1).bool()}, r"block_mask must .* \(2, 4, 1, 1\)"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(change: Any, said: str) -> None:
    """What must hold and what came, in one line."""
    with pytest.raises(InvalidInput, match=said):
        tiled_attention(*drawn(4, 2, 3, 5), **change)


def test_shapes_that_do_not_fit_are_named() -> None:
    """Heads that do not divide, another batch, another dtype, nothing to join."""
    queries, keys, values = drawn(4, 2, 3, 5)

    with pytest.raises(InvalidInput, match=r"H a multiple of G, got \(2, 3, 3, 8\), \(2, 2, 5, 8"):
        tiled_attention(queries[:, :3], keys, values)
    with pytest.raises(InvalidInput, match=r"and \(1, 2, 5, 8\); reshape them"):
        tiled_attention(queries, keys, values[:1])
    with pytest.raises(InvalidInput, match=r"one float dtype, got torch.float32, torch.float64"):
        tiled_attention(queries, keys.double(), values)
    with pytest.raises(InvalidInput, match="at least one part, got none"):
        merge_attention([])
    with pytest.raises(InvalidInput, match="parts must share one"):
        merge_attention([(queries, queries[..., 0]), (keys, keys[..., 0])])
