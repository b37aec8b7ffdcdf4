"""One layer: what comes in is attended and held, and what leaves was worth least."""

from typing import Any

import pytest
import torch
from torch import Tensor

from engram.activation import saving, turns
from engram.activation.budgets.uniform import Uniform
from engram.activation.cache import Call, Layer
from engram.activation.codecs.asymmetric import Asymmetric
from engram.activation.codecs.channels import Channels
from engram.activation.pagers.growing import Growing
from engram.activation.policies import Policies
from engram.activation.positions import Rotary
from engram.activation.roles import Place
from engram.activation.scorers.heavy_hitters import HeavyHitters
from engram.activation.scorers.key_norm import KeyNorm
from engram.activation.scorers.sinks import Sinks
from engram.activation.scorers.surprisal import Surprisal
from engram.errors import ShapeError

ROTARY = Rotary(10_000 ** -(torch.arange(16.0) / 16))


def layer(**policies: Any) -> Layer:
    """An empty one."""
    made = Policies(**{"pager": Growing(), "budget": Uniform(), **policies})
    return Layer(made, Place(0, 1), ROTARY)


def drawn(tokens: int, rows: int = 1, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Queries of four heads, keys and values of two."""
    dice = torch.Generator().manual_seed(seed)
    queries, keys, values = (
        torch.randn(rows, heads, tokens, 32, generator=dice) for heads in (4, 2, 2)
    )
    return queries, keys, values


def fed(made: Layer, sizes: list[int], rows: int = 1) -> Layer:
    """The layer after calls of these sizes."""
    queries, keys, values = drawn(sum(sizes), rows)
    start = 0
    for size in sizes:
        part = slice(start, start + size)
        made.append(keys[:, :, part], values[:, :, part])
        made.attend(queries[:, :, part], Call(0.2))
        start += size
    return made


@pytest.mark.parametrize("sizes", [[1], [3, 1], [63, 1, 1], [1] * 20, [200, 3]])
def test_a_layer_holds_what_it_was_given(sizes: list[int]) -> None:
    """Without a budget nothing goes, and nothing is changed."""
    made = fed(layer(), sizes)

    _, keys, values = drawn(sum(sizes))

    assert torch.equal(made.present()[0], keys)
    assert torch.equal(made.present()[1], values)
    assert made.seen == len(made) == sum(sizes)


def test_eviction_comes_after_attention() -> None:
    """A prompt attends to all of itself, however small the budget is."""
    queries, keys, values = drawn(30)
    full, small = layer(), layer(scorer=Sinks(), keep=5)
    outs = []

    for made in (full, small):
        made.append(keys, values)
        outs.append(made.attend(queries, Call(0.2))[0])

    assert torch.equal(*outs)
    assert (len(full), len(small)) == (30, 5)
    assert small.seen == 30


def test_keys_that_are_kept_are_the_very_ones() -> None:
    """Position, key and value stay together, head by head."""
    made = fed(layer(scorer=KeyNorm(), keep=7), [20, 1, 1, 5])
    _, keys, values = drawn(27)

    told = made.told()

    for head in range(2):
        at = told.positions[0, head].long()
        assert torch.equal(told.keys[0, head], keys[0, head, at])
        assert torch.equal(told.values[0, head], values[0, head, at])
        assert (at.diff() > 0).all()


@pytest.mark.parametrize("keep", [5, 0.25])
def test_a_budget_is_a_count_or_a_share(keep: float) -> None:
    """Of the tokens that were seen, at any time."""
    made = layer(scorer=Sinks(), keep=keep)
    held = []

    for count in (16, 4, 20):
        before = drawn(count)
        made.append(*before[1:])
        made.attend(before[0], Call(0.2))
        held.append(len(made))

    assert held == ([5, 5, 5] if keep == 5 else [4, 5, 10])


def test_slack_makes_eviction_seldom_and_never_late() -> None:
    """It goes further down, so that it need not come at each token."""
    made = layer(scorer=Sinks(n_sink=1), keep=10, slack=4)
    held = []

    for count in (12, 1, 1, 1, 1, 1):
        before = drawn(count)
        made.append(*before[1:])
        made.attend(before[0], Call(0.2))
        held.append(len(made))

    assert held == [10, 6, 7, 8, 9, 10]


def test_old_tokens_are_packed_and_the_newest_are_not() -> None:
    """In whole groups; what is left as it came is the residual, and less than a group more."""
    made = fed(
        layer(codec=Asymmetric(group_size=16, residual=32)), [70, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    )
    _, keys, _ = drawn(80)

    assert made.old is not None
    assert (len(made.old), len(made.tail)) == (48, 32)
    assert torch.equal(made.present()[0][:, :, 48:], keys[:, :, 48:])
    apart = (made.present()[0][:, :, :48] - keys[:, :, :48]).abs()
    assert 0 < float(apart.max()) <= 0.5 * float(made.old.keys.scale.max()) * 1.01  # type: ignore[attr-defined]


def test_sixteen_bits_are_no_change_at_all() -> None:
    """The whole way of packed entries with a codec that only copies."""
    codec = Asymmetric(bits_keys=16, bits_values=16, group_size=16, residual=16)
    queries, keys, values = drawn(60)
    full, packed = layer(), layer(codec=codec)

    for start, stop in ((0, 50), (50, 51), (51, 60)):
        part = slice(start, stop)
        outs = []
        for made in (full, packed):
            made.append(keys[:, :, part], values[:, :, part])
            outs.append(made.attend(queries[:, :, part], Call(0.2))[0])
        assert torch.allclose(outs[0], outs[1], atol=1e-5)
    assert packed.old is not None


def test_thinned_keys_have_lost_their_channels_for_good() -> None:
    """Once, at the prompt; what is generated is whole."""
    made = fed(layer(thinner=Channels(ratio=0.5, window=8, recent=10)), [40, 1, 1, 1])

    assert made.old is not None
    assert made.old.keys.decode().shape == (1, 2, 30, 16)
    assert len(made.tail) == 13
    keys, _ = made.present()
    assert bool(((keys[:, :, :30] == 0).sum(-1) == 16).all())


def test_packed_entries_are_evicted_in_whole_groups() -> None:
    """The residual stays, and a head never holds more than its budget."""
    codec = Asymmetric(group_size=16, residual=16)
    made = layer(codec=codec, scorer=Sinks(n_sink=4), keep=64, position="absolute")
    held = []

    fed(made, [100])
    for _ in range(40):
        before = drawn(1)
        made.append(*before[1:])
        made.attend(before[0], Call(0.2))
        held.append(len(made))

    positions = made.told().positions[0, 0].tolist()
    assert max(held) <= 64
    assert min(held) > 64 - 16
    assert positions[:4] == [0, 1, 2, 3]
    assert positions[-20:] == list(range(120, 140))


@pytest.mark.parametrize(
    "policies",
    [
        {},
        {"scorer": HeavyHitters(), "keep": 12},
        {"scorer": KeyNorm(), "keep": 12},
        {"codec": Asymmetric(group_size=16, residual=16)},
        {"thinner": Channels(window=4, recent=8)},
    ],
    ids=["full", "mass", "norm", "packed", "thinned"],
)
@pytest.mark.parametrize("taken", [1, 5])
def test_tokens_that_are_taken_back_leave_no_trace(policies: dict[str, Any], taken: int) -> None:
    """While recording: entries, facts and form are those of a layer that never saw them."""
    plain, guess = fed(layer(**policies), [40]), fed(layer(**policies), [40])
    guess.recording = True
    queries, keys, values = drawn(6, seed=9)

    guess.append(keys, values)
    guess.attend(queries, Call(0.2))
    guess.crop(taken)
    kept = slice(0, 6 - taken)
    plain.append(keys[:, :, kept], values[:, :, kept])
    plain.attend(queries[:, :, kept], Call(0.2))

    assert guess.seen == plain.seen == 46 - taken
    ours, theirs = saving.state(guess), saving.state(plain)
    assert ours.keys() == theirs.keys()
    for name, held in theirs.items():
        assert torch.allclose(ours[name].float(), held.float(), atol=1e-5), name


def test_cropping_goes_into_what_was_packed() -> None:
    """A block that is cut is brought back as whole entries."""
    made = fed(layer(codec=Asymmetric(group_size=16, residual=16)), [64])
    assert made.old is not None
    before = made.present()[0].clone()

    made.crop(30)

    assert len(made) == made.seen == 34
    assert torch.equal(made.present()[0], before[:, :, :34])


def test_cropping_everything_leaves_an_empty_layer() -> None:
    """Which can be used again, and as often as one likes."""
    made = fed(layer(), [10])

    made.crop(99)
    fed(made, [7])

    assert made.seen == len(made) == 7


def test_what_gave_way_to_a_cropped_token_stays_away() -> None:
    """Where the newest were evicted already, only what is left of them goes."""
    made = fed(layer(scorer=KeyNorm(), keep=6), [20])
    before = made.told()
    left = [int((before.positions[0, head] < 15).sum()) for head in range(2)]

    made.crop(5)

    told = made.told()
    assert made.seen == 15
    assert told.valid[0].sum(-1).tolist() == left
    assert int(told.positions.masked_fill(~told.valid, 0).max()) < 15


def test_rows_change_places_with_all_they_know() -> None:
    """As beams do: what comes next is what each row would have had."""
    policies = {"scorer": HeavyHitters(), "keep": 12}
    made, other = (fed(layer(**policies), [30], rows=3) for _ in range(2))
    order = torch.tensor([2, 2, 0])

    made.rows(order)

    told, before = made.told(), other.told()
    for name in ("keys", "values", "positions"):
        assert torch.equal(getattr(told, name), getattr(before, name)[order])
    assert torch.equal(told.ledger["mass"], before.ledger["mass"][order])


def test_tokens_of_another_shape_are_refused() -> None:
    """With both shapes, in one line."""
    made = fed(layer(), [5])

    with pytest.raises(
        ShapeError, match=r"keys must be \(B=1, G=2, T, D=32\).*got \(2, 2, 3, 32\)"
    ):
        made.append(torch.zeros(2, 2, 3, 32), torch.zeros(2, 2, 3, 32))
    with pytest.raises(ShapeError, match=r"must be \(B, G, T, D\) each"):
        made.append(torch.zeros(2, 3, 32), torch.zeros(2, 3, 32))


def test_a_turn_makes_room_and_lets_surprises_fade() -> None:
    """The most surprising stay, and what comes next finds its place."""
    made = fed(layer(scorer=Surprisal(n_sink=1, decay=0.5), keep=12), [10])
    turns.tell(made, "surprisal", torch.tensor([[9.0, 1, 5, 1, 1, 7, 1, 1, 1, 3]]))

    turns.begin(made, incoming=8)

    told = made.told()
    assert told.positions[0, 0].tolist() == [0, 2, 5, 9]
    assert told.ledger["surprisal"][0, 0].tolist() == [4.5, 2.5, 3.5, 1.5]


def test_an_empty_layer_can_be_asked_for_anything() -> None:
    """Nothing is settled, cropped, reordered, saved and forked without a word."""
    made = layer(scorer=HeavyHitters(), keep=4)

    made.settle()
    made.crop(3)
    made.rows(torch.tensor([0, 0]))
    turns.begin(made)

    assert len(saving.fork(made)) == made.seen == 0
    assert saving.state(made) == {}
