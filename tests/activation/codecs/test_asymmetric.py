"""KIVI's packing: as the paper writes it, within half a step, and in as few bytes as it says."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor

from engram.activation.codecs.asymmetric import Asymmetric
from engram.activation.codecs.asymmetric.packed import Packed, pack, unpack
from engram.errors import InvalidInput

every_width = pytest.mark.parametrize("bits", [2, 4, 8])


def drawn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Noise around an offset for each channel."""
    dice = torch.Generator().manual_seed(seed)
    offsets = 5 * torch.randn(shape[-1], generator=dice)
    return (torch.randn(shape, generator=dice) + offsets).to(dtype)


def outliers(tokens: int = 512, width: int = 64) -> Tensor:
    """Keys (1, 1, T, D) of which four channels are large at every token."""
    keys = drawn(1, 1, tokens, width) * 0.2
    keys[..., [3, 17, 30, 55]] += torch.tensor([12.0, -9.0, 15.0, -11.0])
    return keys


def by_hand(groups: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """Codes and what they stand for; groups (N, S), one after the other."""
    codes, restored = torch.zeros_like(groups), torch.zeros_like(groups)
    for n, group in enumerate(groups):
        low, high = group.min(), group.max()
        scale = (high - low) / (2**bits - 1) if high > low else torch.tensor(1.0)
        for s, value in enumerate(group):
            code = min(max(torch.round((value - low) / scale).item(), 0), 2**bits - 1)
            codes[n, s], restored[n, s] = code, code * scale + low
    return codes, restored


def steps(packed: Packed) -> Tensor:
    """The step of every value, (B, G, T, D)."""
    whole = packed.scale.float().expand(*packed.codes.shape[:3], *packed.block[1:])
    return whole.reshape(packed.decode().shape)


@every_width
def test_keys_are_packed_as_the_paper_writes_it(bits: int) -> None:
    """A group is some tokens of one channel of one head of one row."""
    keys = drawn(2, 2, 8, 3)
    groups = keys.view(2, 2, 2, 4, 3).transpose(3, 4).reshape(-1, 4)
    codes, restored = by_hand(groups, bits)

    packed = Asymmetric(bits, bits, group_size=4, residual=4, exact=True).encode_keys(keys)

    back = restored.view(2, 2, 2, 3, 4).transpose(3, 4).reshape(keys.shape)
    assert torch.allclose(packed.decode(), back, atol=1e-6)
    flat = unpack(packed.codes, bits).view(2, 2, 2, 4, 3).transpose(3, 4).reshape(-1, 4)
    assert torch.equal(flat.float(), codes)


@every_width
def test_values_are_packed_as_the_paper_writes_it(bits: int) -> None:
    """A group is some channels of one token."""
    values = drawn(2, 2, 3, 8)
    codes, restored = by_hand(values.reshape(-1, 4), bits)

    packed = Asymmetric(bits, bits, group_size=4, residual=4, exact=True).encode_values(values)

    assert torch.allclose(packed.decode(), restored.view(values.shape), atol=1e-6)
    assert torch.equal(unpack(packed.codes, bits).reshape(-1, 4).float(), codes)


@given(
    st.sampled_from([2, 4, 8]),
    st.booleans(),
    st.integers(0, 3),
    st.sampled_from([4, 12, 32]),
    st.sampled_from([1e-6, 1.0, 300.0]),
    st.integers(0, 9),
)
def test_nothing_is_off_by_more_than_half_a_step(
    bits: int, exact: bool, groups: int, size: int, spread: float, seed: int
) -> None:
    """In whatever scales and minima are stored: the minimum is never above, the step never less."""
    x = spread * drawn(1, 2, groups * size, 3 * size, seed=seed)
    codec = Asymmetric(bits, bits, size, size, exact=exact)

    for packed in (codec.encode_keys(x), codec.encode_values(x)):
        off = (x - packed.decode()).abs() - 0.5001 * steps(packed)
        assert (off <= 1e-6 * x.abs()).all()


@given(st.sampled_from([2, 4, 8]), st.integers(0, 5), st.integers(0, 9))
def test_codes_survive_packing_bit_by_bit(bits: int, blocks: int, seed: int) -> None:
    """Every code, in its place."""
    dice = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 2**bits, (2, 1, blocks, 4, 7), generator=dice)

    packed = pack(codes, bits)

    assert packed.dtype == torch.uint8
    assert packed.shape == (2, 1, blocks, 28 * bits // 8)
    assert torch.equal(unpack(packed, bits).long().view(codes.shape), codes)


@pytest.mark.parametrize(("bits", "wanted"), [(2, 3.0), (4, 5.0), (8, 9.0)])
def test_a_number_takes_its_bits_and_its_share_of_the_scales(bits: int, wanted: float) -> None:
    """Bits + 32 / group size, counted over all tensors that are held."""
    x, codec = drawn(2, 4, 96, 64), Asymmetric(bits, bits)

    for packed in (codec.encode_keys(x), codec.encode_values(x)):
        held = packed.codes.nbytes + packed.scale.nbytes + packed.minimum.nbytes
        assert 8 * held / x.numel() == wanted
        assert packed.nbytes == held


def test_outlying_channels_cost_least_when_keys_are_grouped_by_channel() -> None:
    """At 2 bits the error is less than a third of that of groups within a token."""
    keys, codec = outliers(), Asymmetric()

    by_channel = (keys - codec.encode_keys(keys).decode()).norm()
    by_token = (keys - codec.encode_values(keys).decode()).norm()

    assert 3 * by_channel < by_token


def test_a_prompt_at_once_is_packed_like_one_token_after_the_other() -> None:
    """The same codes for every group, and as many: a group never holds a single token."""
    x, codec = drawn(1, 2, 70, 8), Asymmetric(group_size=4, residual=8)
    keys: list[Packed] = []
    values: list[Packed] = []
    packed_keys = packed_values = 0
    for seen in range(1, 71):
        due_keys, due_values = codec.due(seen)
        if due_keys > packed_keys:
            keys.append(codec.encode_keys(x[:, :, packed_keys:due_keys]))
        if due_values > packed_values:
            values.append(codec.encode_values(x[:, :, packed_values:due_values]))
        packed_keys, packed_values = due_keys, due_values

    assert (packed_keys, packed_values) == (64, 62)
    for parts, whole in (
        (keys, codec.encode_keys(x[:, :, :64])),
        (values, codec.encode_values(x[:, :, :62])),
    ):
        assert torch.equal(Packed.cat(parts).codes, whole.codes)
        assert torch.equal(Packed.cat(parts).decode(), whole.decode())


@pytest.mark.parametrize(
    ("seen", "due"),
    [(0, (0, 0)), (1, (0, 0)), (127, (0, 0)), (128, (128, 0)), (129, (128, 1)), (300, (256, 172))],
)
def test_the_newest_tokens_are_left_as_they_came(seen: int, due: tuple[int, int]) -> None:
    """Keys leave by whole residuals, values one by one; below one residual nothing leaves."""
    assert Asymmetric(residual=128).due(seen) == due


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_sixteen_bits_give_back_every_bit(dtype: torch.dtype) -> None:
    """The same path with nothing coded: what differs then is a fault of the path."""
    x, codec = drawn(2, 2, 8, 8, dtype=dtype), Asymmetric(16, 16, 4, 4)

    for packed in (codec.encode_keys(x), codec.encode_values(x)):
        assert torch.equal(packed.decode(), x)
        assert packed.nbytes == x.nbytes
        assert packed.decode().dtype == dtype


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_what_comes_back_has_the_dtype_of_what_went_in(dtype: torch.dtype) -> None:
    """And is as near as that dtype can tell."""
    x = drawn(1, 2, 8, 8, dtype=dtype)
    packed = Asymmetric(8, 8, 4, 4).encode_keys(x)

    assert packed.decode().dtype == dtype
    off = (packed.decode().double() - x.double()).abs()
    assert (off <= 0.51 * steps(packed).double() + torch.finfo(dtype).eps * x.abs().double()).all()


@every_width
@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1000.0])
def test_a_group_of_one_value_comes_back(bits: int, value: float) -> None:
    """Its range is nothing, by which nothing is divided."""
    x = torch.full((1, 1, 4, 4), value)

    for exact, near in ((True, 0.0), (False, 1e-3)):
        packed = Asymmetric(bits, bits, 4, 4, exact=exact).encode_keys(x)
        assert torch.allclose(packed.decode(), x, atol=0, rtol=near)


@pytest.mark.parametrize("junk", [1e4, torch.nan, torch.inf])
def test_padding_has_no_part_in_the_range_of_a_group(junk: float) -> None:
    """Whatever lies there, the tokens beside it keep their step, and what comes back is finite."""
    x, valid = drawn(2, 2, 8, 8), torch.ones(2, 8, dtype=torch.bool)
    valid[1, :5] = False
    padded = x.clone()
    padded[1, :, :5] = junk
    codec = Asymmetric(group_size=4, residual=4, exact=True)
    alone = (x[1:, :, 5:8] - x[1:, :, 5:8].amin(2, keepdim=True)).amax(2) / 3

    for packed in (codec.encode_keys(padded, valid), codec.encode_values(padded, valid)):
        assert packed.decode().isfinite().all()
    keys = codec.encode_keys(padded, valid)

    assert torch.allclose(keys.scale[1:, :, 1, 0], alone)
    assert torch.equal(keys.decode()[:1], codec.encode_keys(x[:1]).decode())


def test_a_row_is_packed_like_it_is_alone() -> None:
    """No group mixes the sequences of a batch, or their heads."""
    x, codec = drawn(3, 2, 8, 8), Asymmetric(group_size=4, residual=4)

    for encode in (codec.encode_keys, codec.encode_values):
        for row in range(3):
            alone = encode(x[row : row + 1, 1:])
            assert torch.equal(encode(x).codes[row : row + 1, 1:], alone.codes)


def test_packed_tokens_are_cut_joined_and_reordered() -> None:
    """As the tokens that they stand for would be."""
    x, codec = drawn(3, 2, 12, 8), Asymmetric(group_size=4, residual=4)
    rows = torch.tensor([2, 0, 0, 1])

    for packed in (codec.encode_keys(x), codec.encode_values(x)):
        whole = packed.decode()
        first, last = packed.narrow(0, 4), packed.narrow(4, 8)
        assert (first.tokens, last.tokens, packed.narrow(12, 0).tokens) == (4, 8, 0)
        assert torch.equal(last.decode(), whole[:, :, 4:])
        assert torch.equal(
            Packed.cat([last, first]).decode(), whole[:, :, [*range(4, 12), 0, 1, 2, 3]]
        )
        assert torch.equal(packed.select(rows).decode(), whole[rows])


@pytest.mark.parametrize("bits", [2, 16])
def test_each_head_may_keep_blocks_of_its_own(bits: int) -> None:
    """Blocks of keys are whole groups, those of values tokens."""
    x, codec = drawn(2, 2, 12, 8), Asymmetric(bits, bits, 4, 4)
    at = torch.tensor([[[2, 0], [1, 1]], [[0, 1], [2, 2]]])
    keys, values = codec.encode_keys(x), codec.encode_values(x)
    tokens = (4 * at.unsqueeze(-1) + torch.arange(4)).flatten(2)

    for held, blocks in ((keys.take(at), tokens), (values.take(at), at)):
        whole = (keys if blocks is tokens else values).decode()
        assert torch.equal(held.decode(), whole.take_along_dim(blocks.unsqueeze(-1), dim=2))
        assert isinstance(held, Packed)


def test_long_tensors_are_worked_on_piece_by_piece() -> None:
    """With the same result as at once, and into a tensor that is there already."""
    tokens = 66_000 // 32 * 32
    x, codec = drawn(1, 2, tokens, 64), Asymmetric()
    queries, out = drawn(1, 4, 1, 64), torch.empty(1, 2, tokens, 64)
    for packed in (codec.encode_keys(x), codec.encode_values(x)):
        whole = Packed.cat([packed.narrow(0, 32), packed.narrow(32, tokens - 32)]).decode()
        assert packed.decode(out) is out
        assert torch.equal(packed.decode(), whole)
        assert torch.equal(out, whole)
        shared = whole.repeat_interleave(2, 1)
        products = queries @ shared.mT
        assert torch.allclose(packed.scores(queries), products, rtol=1e-4, atol=1e-2)
        weights = products.softmax(-1)
        assert torch.allclose(packed.mix(weights), weights @ shared, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("bits", [2, 4, 8, 16])
def test_a_saved_state_is_the_same_again(bits: int, tmp_path: Path) -> None:
    """Through a file of tensors, of a cut as well as of the whole."""
    x, codec = drawn(2, 2, 8, 8, dtype=torch.bfloat16), Asymmetric(bits, bits, 4, 4)

    for packed in (codec.encode_keys(x), codec.encode_values(x).narrow(2, 5)):
        save_file(packed.state(), tmp_path / "packed.safetensors")
        again = Packed.from_state(load_file(tmp_path / "packed.safetensors"))
        assert torch.equal(again.decode(), packed.decode())
        assert (again.nbytes, again.tokens) == (packed.nbytes, packed.tokens)


def test_a_damaged_state_is_refused() -> None:
    """It says what does not fit, in place of giving other numbers."""
    state = Asymmetric(group_size=4, residual=4).encode_keys(drawn(1, 1, 8, 4)).state()

    with pytest.raises(InvalidInput, match=r"lacks \['scale'\]"):
        Packed.from_state({name: part for name, part in state.items() if name != "scale"})
    for wrong in ({"codes": state["codes"][..., 1:]}, {"format": torch.tensor([2, 4])}):
        with pytest.raises(InvalidInput, match="save it again"):
            Packed.from_state(state | wrong)


@pytest.mark.parametrize("bits", [2, 4, 8, 16])
@pytest.mark.parametrize(("heads", "asked"), [(2, 1), (4, 1), (8, 3)])
def test_products_are_those_of_what_the_codes_stand_for(bits: int, heads: int, asked: int) -> None:
    """One query or many, heads of their own or shared."""
    x, codec = drawn(2, 2, 64, 8), Asymmetric(bits, bits, 4, 4)
    keys, values = codec.encode_keys(x), codec.encode_values(x)
    queries = drawn(2, heads, asked, 8, seed=1)
    shared = heads // 2
    logits = queries @ keys.decode().repeat_interleave(shared, 1).mT
    weights = logits.softmax(-1)

    assert torch.allclose(keys.scores(queries), logits, rtol=1e-4, atol=1e-3)
    mixed = weights @ values.decode().repeat_interleave(shared, 1)
    assert torch.allclose(values.mix(weights), mixed, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_products_have_the_dtype_of_the_queries(dtype: torch.dtype) -> None:
    """Though codes and scales are of others."""
    x, codec = drawn(1, 2, 8, 8, dtype=dtype), Asymmetric(group_size=4, residual=4)
    queries, weights = drawn(1, 2, 1, 8, dtype=dtype), torch.ones(1, 2, 1, 8, dtype=dtype)

    assert codec.encode_keys(x).scores(queries).dtype == dtype
    assert codec.encode_values(x).mix(weights).dtype == dtype


@pytest.mark.parametrize("shape", [(1, 2, 0, 8), (0, 2, 8, 8)])
def test_nothing_is_packed_as_nothing(shape: tuple[int, ...]) -> None:
    """No token, or no row."""
    x, codec = torch.zeros(shape), Asymmetric(group_size=4, residual=4)

    for packed in (codec.encode_keys(x), codec.encode_values(x)):
        assert packed.decode().shape == shape
        assert packed.scores(torch.zeros(shape[0], 4, 1, 8)).shape == (shape[0], 4, 1, shape[2])
        assert packed.mix(torch.zeros(shape[0], 4, 1, shape[2])).shape == (shape[0], 4, 1, 8)


def test_odd_channels_left_by_pruning_are_packed_as_keys() -> None:
    """Only values need whole groups of channels."""
    keys = drawn(1, 2, 64, 39)

    packed = Asymmetric().encode_keys(keys)

    assert (keys - packed.decode()).abs().max() <= 0.5001 * packed.scale.float().max()


def test_what_cannot_be_packed_is_refused_in_one_line() -> None:
    """The shape, the value or the cut, and what to do."""
    codec, x = Asymmetric(group_size=4, residual=4), drawn(1, 1, 8, 6)
    keys = codec.encode_keys(x)

    with pytest.raises(InvalidInput, match=r"T whole groups of 4, got T=1$"):
        codec.encode_keys(x[:, :, :1])
    with pytest.raises(InvalidInput, match=r"a multiple of group_size=4 wide, got D=6;"):
        codec.encode_values(x)
    for wrong in (torch.nan, torch.inf, 1e6):
        with pytest.raises(InvalidInput, match=r"finite and within 65504"):
            codec.encode_keys(torch.where(x == x[0, 0, 3, 2], wrong, x))
    for start, length in ((0, 3), (2, 4), (4, 8), (-4, 4), (8, -4)):
        with pytest.raises(InvalidInput, match=rf"start {start} and length {length};"):
            keys.narrow(start, length)
    with pytest.raises(InvalidInput, match="encoded alike"):
        Packed.cat([keys, codec.encode_values(drawn(1, 1, 8, 4))])
    with pytest.raises(InvalidInput, match="multiple of the 2 packed ones, got 3"):
        codec.encode_keys(drawn(1, 2, 8, 6)).scores(torch.zeros(1, 3, 1, 6))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"bits_keys": 3}, r"2, 4, 8 or 16, got \(3, 2\)"),
        ({"group_size": 6}, "multiple of 4, got 6"),
        ({"group_size": 0}, "multiple of 4, got 0"),
        ({"residual": 40}, "multiple of group_size=32, got 40"),
        ({"residual": 0}, "multiple of group_size=32, got 0"),
    ],
)
def test_settings_that_no_group_fits_are_refused(settings: dict[str, Any], said: str) -> None:
    """When they are made, not when a prompt comes."""
    with pytest.raises(InvalidInput, match=said):
        Asymmetric(**settings)
