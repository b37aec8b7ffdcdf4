"""ThinK's pruning: the product form is the Frobenius norm, and what is dropped is gone."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from engram.activation.codecs.asymmetric import Asymmetric
from engram.activation.codecs.channels import Channels
from engram.errors import InvalidInput


def drawn(*shape: int, seed: int = 0) -> Tensor:
    """Noise whose channels differ in size."""
    dice = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=dice) * torch.rand(shape[-1], generator=dice).mul(3).exp()


def by_hand(queries: Tensor, keys: Tensor) -> Tensor:
    """How far the products of every head change when one channel is left out, (B, G, D)."""
    (b, h, _, d), g = queries.shape, keys.shape[1]
    worth = torch.zeros(b, g, d)
    for row in range(b):
        for head in range(h):
            held = keys[row, head // (h // g)]
            whole = queries[row, head] @ held.mT
            for channel in range(d):
                others = [at for at in range(d) if at != channel]
                part = queries[row, head][:, others] @ held[:, others].mT
                worth[row, head // (h // g), channel] += (whole - part).norm() ** 2
    return worth


@pytest.mark.parametrize(("heads", "shared"), [(1, 1), (2, 1), (2, 3)])
def test_the_worth_of_a_channel_is_what_it_adds_to_the_products(heads: int, shared: int) -> None:
    """The product of two energies, in place of a norm for every channel."""
    queries, keys = drawn(2, heads * shared, 5, 7), drawn(2, heads, 9, 7, seed=1)

    worth = Channels().worth(queries, keys)

    assert torch.allclose(worth, by_hand(queries, keys), rtol=1e-3)


@given(
    st.integers(1, 2),
    st.integers(1, 3),
    st.sampled_from([0, 1, 3, 31, 32, 63]),
    st.sampled_from([0.0, 0.25, 0.4, 0.5, 0.9]),
    st.sampled_from([0, 3, 32]),
    st.booleans(),
)
def test_old_keys_keep_the_channels_that_are_worth_most(
    heads: int, shared: int, tokens: int, ratio: float, recent: int, paired: bool
) -> None:
    """As many as the ratio leaves, for each key head its own; the newest keys stay whole."""
    queries, keys = drawn(2, heads * shared, 4, 10), drawn(2, heads, tokens, 10, seed=1)
    method = Channels(ratio, recent=recent, paired=paired)

    thinned = method.prune(queries, keys)

    old = max(0, tokens - recent)
    dropped = 2 * int(5 * ratio) if paired else int(10 * ratio)
    assert thinned.kept.shape == (2, heads, old, 10 - dropped)
    assert torch.equal(thinned.recent, keys[:, :, old:])
    worth = method.worth(queries, keys)
    if paired:
        worth = (worth[..., :5] + worth[..., 5:]).repeat(1, 1, 2)
    for row in range(2):
        for head in range(heads):
            mask = thinned.mask[row, head]
            assert torch.equal(thinned.kept[row, head], keys[row, head, :old][:, mask])
            if dropped > 0 and old:
                assert worth[row, head][mask].min() >= worth[row, head][~mask].max()


def test_with_nothing_dropped_the_products_are_the_same() -> None:
    """Bit by bit."""
    queries, keys = drawn(2, 4, 3, 8), drawn(2, 2, 50, 8, seed=1)

    thinned = Channels(ratio=0.0).prune(queries, keys)

    alike = [
        queries @ keys[:, :, part].repeat_interleave(2, 1).mT for part in (slice(18), slice(18, 50))
    ]
    assert torch.equal(thinned.scores(queries), torch.cat(alike, -1))
    assert bool(thinned.mask.all())


def test_channels_that_are_zero_cost_nothing_to_drop() -> None:
    """They are found, and products with them gone are the same, of shared heads as well."""
    queries, keys = drawn(2, 4, 6, 16), drawn(2, 2, 80, 16, seed=1)
    keys[:, 0, :, ::2] = 0
    keys[:, 1, :, 8:] = 0

    thinned = Channels(ratio=0.5).prune(queries, keys)

    wanted = queries @ keys.repeat_interleave(2, 1).mT
    assert thinned.kept.shape[-1] == 8
    assert torch.allclose(thinned.scores(queries), wanted, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("ratio", [0.25, 0.5])
def test_the_bytes_of_keys_fall_by_the_ratio_of_the_old_ones(ratio: float) -> None:
    """Dropped, not zeroed: nothing else holds on to the whole keys."""
    queries, keys = drawn(1, 8, 32, 64), drawn(1, 2, 256, 64, seed=1)

    thinned = Channels(ratio).prune(queries, keys)

    held = {
        part.untyped_storage().data_ptr(): part.untyped_storage().nbytes()
        for part in (thinned.kept, thinned.recent)
    }
    assert sum(held.values()) == keys.nbytes * (1 - ratio * (256 - 32) / 256)
    assert thinned.nbytes == sum(held.values()) + thinned.channels.nbytes


def weight_error(queries: Tensor, keys: Tensor, channels: Tensor) -> float:
    """How far the attention weights move when keys keep these channels alone, (B, G, K)."""
    mask = torch.zeros(keys.shape[0], keys.shape[1], 1, keys.shape[3]).scatter(
        3, channels.unsqueeze(2), 1.0
    )
    scale = keys.shape[3] ** -0.5
    exact, pruned = ((scale * queries @ held.mT).softmax(-1) for held in (keys, keys * mask))
    return float((exact - pruned).abs().sum(-1).mean())


def test_asking_the_queries_beats_the_size_of_keys_and_that_beats_chance() -> None:
    """Where queries look into few of the directions that keys have."""
    errors = torch.zeros(3)
    for seed in range(20):
        dice = torch.Generator().manual_seed(seed)
        sizes = torch.rand(2, 32, generator=dice).mul(3).sub(2).exp()
        queries = torch.randn(1, 2, 32, 32, generator=dice) * sizes[0]
        keys = torch.randn(1, 2, 200, 32, generator=dice) * sizes[1]
        think = Channels(ratio=0.5).prune(queries, keys).channels
        large = keys.square().sum(2).topk(16).indices
        chance = torch.rand(1, 2, 32, generator=dice).topk(16).indices
        errors += torch.tensor([weight_error(queries, keys, at) for at in (think, large, chance)])

    assert errors[0] < errors[1] < errors[2]


def test_tokens_that_grow_old_later_lose_the_same_channels() -> None:
    """The choice is made once, after the prompt."""
    queries, keys = drawn(2, 4, 32, 16), drawn(2, 2, 96, 16, seed=1)
    thinned = Channels(recent=32).prune(queries, keys)

    later = thinned.thin(thinned.recent)

    for row in range(2):
        for head in range(2):
            mask = thinned.mask[row, head]
            assert torch.equal(later[row, head], thinned.recent[row, head][:, mask])


def test_only_the_newest_queries_are_asked() -> None:
    """Older ones may point elsewhere."""
    queries, keys = drawn(1, 2, 40, 8), drawn(1, 2, 64, 8, seed=1)
    misleading = queries.clone()
    misleading[:, :, :8] *= 1000

    for asked in (queries, misleading):
        worth = Channels(window=32).worth(asked, keys)
        assert torch.equal(worth, Channels().worth(queries[:, :, 8:], keys))


def test_a_padded_row_is_pruned_like_it_is_alone() -> None:
    """Whatever lies in the padding, among the queries asked as well."""
    queries, keys = drawn(2, 4, 32, 16), drawn(2, 2, 40, 16, seed=1)
    valid = torch.ones(2, 40, dtype=torch.bool)
    valid[1, :20] = False
    queries[1, :, :12] = torch.nan
    keys[1, :, :20] = torch.inf

    worth = Channels().worth(queries, keys, valid)

    alone = Channels().worth(queries[1:, :, 12:], keys[1:, :, 20:])
    assert torch.allclose(worth[1:], alone)
    assert torch.equal(worth[:1], Channels().worth(queries[:1], keys[:1]))


def test_what_is_left_can_be_packed() -> None:
    """At 2 bits an odd number of channels, asked with the matching channels of the queries."""
    queries, keys = drawn(1, 4, 1, 64), drawn(1, 2, 160, 64, seed=1)
    thinned = Channels(ratio=0.4).prune(queries, keys)

    packed = Asymmetric().encode_keys(thinned.kept)

    assert packed.decode().shape == (1, 2, 128, 39)
    assert packed.nbytes * 8 == 3 * thinned.kept.numel()
    products = packed.scores(thinned.ask(queries))
    wanted = thinned.ask(queries) @ packed.decode().repeat_interleave(2, 1).mT
    assert torch.allclose(products, wanted, rtol=1e-4, atol=1e-2)


def test_pairs_can_still_be_turned_after_pruning() -> None:
    """Channel i goes with channel i + D / 2, so a rotation of what is left loses nothing."""
    queries, keys = drawn(1, 2, 8, 16), drawn(1, 2, 64, 16, seed=1)

    mask = Channels(ratio=0.4, paired=True).prune(queries, keys).mask

    assert torch.equal(mask[..., :8], mask[..., 8:])
    assert (mask.sum(-1) == 16 - 2 * int(8 * 0.4)).all()


def test_what_cannot_be_pruned_is_refused_in_one_line() -> None:
    """Shapes that do not fit, and settings that leave nothing."""
    with pytest.raises(InvalidInput, match=r"got \(1, 3, 4, 8\) and \(1, 2, 5, 8\)"):
        Channels().prune(torch.zeros(1, 3, 4, 8), torch.zeros(1, 2, 5, 8))
    with pytest.raises(InvalidInput, match="even D, got D=7"):
        Channels(paired=True).prune(torch.zeros(1, 2, 4, 7), torch.zeros(1, 2, 5, 7))
    for ratio in (-0.1, 1.0):
        with pytest.raises(InvalidInput, match=f"below 1, got {ratio}"):
            Channels(ratio)
    with pytest.raises(InvalidInput, match=r"got \(0, 32\)"):
        Channels(window=0)
