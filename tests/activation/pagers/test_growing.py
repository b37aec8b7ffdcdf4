"""Growing in place: the same as joining, copied ever more seldom."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engram.activation.pagers.growing import Growing
from engram.errors import InvalidInput

steps = st.lists(st.tuples(st.sampled_from([0, 1, 3, 63]), st.integers(0, 1)), max_size=12)


@given(steps, st.integers(1, 9), st.sampled_from([1.01, 1.5, 4.0]))
def test_what_is_appended_reads_like_what_is_joined(
    trace: list[tuple[int, int]], first: int, factor: float
) -> None:
    """Layer by layer, keys and values of widths of their own."""
    pages = Growing(first, factor).open()
    joined = [(torch.zeros(2, 3, 0, 4), torch.zeros(2, 3, 0, 6)) for _ in range(2)]
    for at, (tokens, layer) in enumerate(trace):
        more = torch.full((2, 3, tokens, 4), at + 1.0), torch.full((2, 3, tokens, 6), -at - 1.0)
        pages.append(layer, *more)
        held = joined[layer]
        joined[layer] = torch.cat([held[0], more[0]], 2), torch.cat([held[1], more[1]], 2)

    for layer in {layer for _, layer in trace}:
        keys, values = pages.view(layer)
        assert torch.equal(keys, joined[layer][0])
        assert torch.equal(values, joined[layer][1])


@pytest.mark.parametrize("factor", [1.25, 1.5, 2.0])
def test_tokens_are_moved_a_fixed_number_of_times(factor: float) -> None:
    """All moves together are at most factor / (factor - 1) for each token, at any length."""
    pages, token = Growing(16, factor).open(), torch.ones(1, 1, 1, 1)
    moved, address = 0, 0
    for held in range(5000):
        pages.append(0, token, token)
        now = pages.view(0)[0].data_ptr()
        moved += held * (now != address)
        address = now

    assert 0 < moved <= 5000 * factor / (factor - 1)


def test_what_lies_idle_is_bounded_by_the_factor() -> None:
    """Committed bytes are at most the factor times those of the tokens."""
    pages, token = Growing(1, 1.5).open(), torch.ones(2, 2, 1, 8)
    for held in range(1, 400):
        pages.append(0, token, token)
        used = 2 * held * token.nbytes
        assert used <= pages.committed_bytes() <= max(1.5 * used, used + 2 * token.nbytes)


def test_a_tail_is_dropped_in_place_and_all_of_it_with_its_room() -> None:
    """What comes next lies behind what was kept; an empty layer takes any shape."""
    pages, block = Growing().open(), torch.arange(12.0).view(1, 1, 12, 1)
    pages.append(0, block, block)
    address = pages.view(0)[0].data_ptr()

    pages.release(0, keep=5)
    pages.append(0, block[:, :, 9:], block[:, :, 9:])

    assert pages.view(0)[0].flatten().tolist() == [0, 1, 2, 3, 4, 9, 10, 11]
    assert pages.view(0)[0].data_ptr() == address
    pages.release(0)
    assert (pages.committed_bytes(), pages.view(0)[0].shape[2]) == (0, 0)
    pages.append(0, torch.ones(3, 2, 1, 8), torch.ones(3, 2, 1, 8))
    assert pages.view(0)[1].shape == (3, 2, 1, 8)
    pages.release(7)  # a layer that never held anything has nothing to drop


def test_codes_and_scales_grow_as_well() -> None:
    """Any tensors with the tokens, or blocks of them, along axis 2."""
    pages = Growing(2).open()
    codes, scales = torch.ones(1, 2, 1, 8, dtype=torch.uint8), torch.ones(1, 2, 1, 4, 1).half()
    for _ in range(9):
        pages.append(0, codes, scales)

    held = pages.view(0)
    assert [part.shape for part in held] == [(1, 2, 9, 8), (1, 2, 9, 4, 1)]
    assert [part.dtype for part in held] == [torch.uint8, torch.float16]


def test_gradients_end_where_tokens_are_stored() -> None:
    """Writing in place would change what a gradient needs."""
    pages, keys = Growing().open(), torch.ones(1, 1, 2, 2, requires_grad=True)
    pages.append(0, keys * 2, keys * 2)

    assert not pages.view(0)[0].requires_grad


def test_a_prompt_read_in_inference_mode_is_continued_outside() -> None:
    """And the other way round: the room belongs to neither."""
    pages, block = Growing(2).open(), torch.ones(1, 1, 3, 2)
    for inside in (True, False, True, False):
        with torch.inference_mode(mode=inside):
            pages.append(0, block, block)

    assert torch.equal(pages.view(0)[0], torch.ones(1, 1, 12, 2))


def test_a_layer_takes_only_tokens_like_those_it_holds() -> None:
    """Another batch, head, width or dtype is refused and changes nothing."""
    pages, block = Growing().open(), torch.ones(2, 3, 4, 5)
    pages.append(0, block, block)

    for wrong in (block[:1], block[:, :2], block[..., :4], block.half()):
        with pytest.raises(InvalidInput, match="release the layer first"):
            pages.append(0, wrong, wrong)
    with pytest.raises(InvalidInput, match="release the layer first"):
        pages.append(0, block, block[:, :, :1])
    with pytest.raises(InvalidInput, match=r"one of \[0\], got 1"):
        pages.view(1)
    assert torch.equal(pages.view(0)[0], block)


@pytest.mark.parametrize(("first", "factor"), [(0, 1.5), (64, 1.0), (64, float("nan"))])
def test_room_that_never_grows_is_refused(first: int, factor: float) -> None:
    """By its settings."""
    with pytest.raises(InvalidInput, match="factor above 1"):
        Growing(first, factor)
