"""A layer that looks back: what is near is seen, what is far is chosen, and what is held stays."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from engram.activation import saving
from engram.activation.budgets.uniform import Uniform
from engram.activation.cache import Call, Layer
from engram.activation.codecs.asymmetric import Asymmetric
from engram.activation.offload import Offload
from engram.activation.pagers.growing import Growing
from engram.activation.policies import Policies
from engram.activation.positions import Rotary
from engram.activation.reaching import Reach
from engram.activation.roles import Place
from engram.activation.scorers.sinks import Sinks
from engram.activation.selectors.units import Units
from engram.errors import InvalidInput

ROTARY = Rotary(10_000 ** -(torch.arange(16.0) / 16))
SMALL: dict[str, Any] = {
    "n_init": 3,
    "n_local": 16,
    "block_size": 4,
    "topk": 2,
    "repr_topk": 2,
    "exec_block": 8,
}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small tensors are quickest on one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def policies(**settings: Any) -> Policies:
    """Small blocks and a small window."""
    chosen = {name: settings.pop(name) for name in list(settings) if name in SMALL}
    selector = Units(**{**SMALL, **chosen})
    made = {"pager": Growing(), "budget": Uniform(), "offload": Offload(), **settings}
    return Policies(**made, selector=selector, position=selector.n_local)


def layer(**settings: Any) -> Layer:
    """An empty one."""
    return Layer(policies(**settings), Place(0, 1), ROTARY)


def drawn(tokens: int, rows: int = 1, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Queries of four heads, keys and values of two."""
    dice = torch.Generator().manual_seed(seed)
    queries, keys, values = (
        torch.randn(rows, tokens, heads, 32, generator=dice).transpose(1, 2) for heads in (4, 2, 2)
    )
    return queries, keys, values


def fed(made: Layer, sizes: list[int], given: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """What the layer answers in calls of these sizes, the tokens turned to their positions."""
    outs = []
    for size in sizes:
        part = slice(made.seen, made.seen + size)
        at = torch.arange(part.start, part.stop)
        queries, keys = (ROTARY.turn(each[:, :, part], at) for each in given[:2])
        made.append(keys, given[2][:, :, part])
        outs.append(made.attend(queries, Call(0.3))[0])
    return torch.cat(outs, dim=2)


def reach(made: Layer) -> Reach:
    """The far part of a layer."""
    assert made.reach is not None
    return made.reach


def slowly(
    given: tuple[Tensor, Tensor, Tensor], starts: list[int], settings: dict[str, Any]
) -> tuple[Tensor, list[list[int]]]:
    """The paper in loops over one row: what each query gets, and which blocks it chose."""
    queries, keys, values = (each[0] for each in given)
    tokens, local, size = keys.shape[1], settings["n_local"], settings["block_size"]
    first, out, mass = settings["n_init"], torch.zeros(4, tokens, 32), torch.zeros(4, tokens)
    blocks: list[Tensor] = []  # the unit of each
    choices = []
    turned = [ROTARY.turn(queries[None], torch.full((tokens,), apart))[0] for apart in range(local)]
    for start, stop in zip(starts, [*starts[1:], tokens], strict=True):
        mean = turned[-1][:, start:stop].mean(1)
        worth = torch.tensor([float((mean * unit).sum()) for unit in blocks])
        chosen = sorted(worth.argsort(descending=True)[: settings["topk"]].tolist())
        choices.append(chosen)
        gone = {first + at for at in range(len(blocks) * size)}
        back = {first + block * size + at for block in chosen for at in range(size)}
        seen = [at for at in range(tokens) if at not in gone or at in back]
        for query in range(start, stop):
            visible = [at for at in seen if at <= query]
            for head in range(4):
                logits = []
                for at in visible:
                    asked = turned[min(query - at, local - 1)][head, query]
                    logits.append(float(asked @ keys[head // 2, at]) * 0.3)
                weights = torch.tensor(logits).softmax(0)
                for weight, at in zip(weights, visible, strict=True):
                    out[head, query] += weight * values[head // 2, at]
                    if query - at < local:
                        mass[head, at] += weight
        while first + (len(blocks) + 1) * size <= stop - local + 1:
            begin = first + len(blocks) * size
            unit = torch.zeros(4, 32)
            for head in range(4):
                best = mass[head, begin : begin + size].topk(settings["repr_topk"]).indices
                unit[head] = keys[head // 2, begin + best].mean(0)
            blocks.append(unit)
    return out, choices


@pytest.mark.parametrize(
    ("sizes", "starts"),
    [
        ([40], [0, 8, 16, 24, 32]),
        ([16, 8, 1, 1, 7, 7], [0, 8, 16, 24, 25, 26, 33]),
        ([3, 30, 1, 6], [0, 3, 11, 19, 27, 33, 34]),
    ],
    ids=str,
)
def test_a_layer_looks_back_as_the_paper_writes_it(sizes: list[int], starts: list[int]) -> None:
    """The same answers as loops over queries, heads and tokens."""
    given, made = drawn(40), layer()

    ours = fed(made, sizes, given)
    slow, choices = slowly(given, starts, SMALL)

    assert float((ours[0] - slow).abs().max()) <= 1e-5
    assert any(len(chosen) == 2 for chosen in choices)
    assert len(reach(made).far.rows[0].blocks) == (40 - 16 + 1 - 3) // 4


@pytest.mark.parametrize("match", ["mean", "bound"])
@pytest.mark.parametrize("sizes", [[48], [7] * 7, [1] * 48, [30, 1, 1, 16]], ids=str)
def test_with_all_blocks_it_is_attention_with_clamped_distances(
    sizes: list[int], match: str
) -> None:
    """Nothing is lost on the way to the far part and back."""
    given = drawn(sum(sizes))
    made = Layer(
        Policies(
            pager=Growing(),
            budget=Uniform(),
            offload=Offload("file", max_resident=2),
            selector=Units(**{**SMALL, "topk": 100, "match": match}),
            position=16,
        ),
        Place(),
        ROTARY,
    )
    dense = Layer(Policies(pager=Growing(), budget=Uniform(), position=16), Place(), ROTARY)

    ours, theirs = fed(made, sizes, given), fed(dense, sizes, given)

    assert float((ours - theirs).abs().max()) <= 1e-5


def test_chunks_do_not_matter_where_queries_share_the_same_choices() -> None:
    """One call or many, as long as they end where the layer ends its own."""
    given = drawn(64)
    outs = [fed(layer(), sizes, given) for sizes in ([64], [8] * 8, [16, 48])]

    assert all(float((each - outs[0]).abs().max()) <= 1e-6 for each in outs)


@pytest.mark.parametrize("size", [1, 50, 120])
def test_what_is_near_does_not_grow(size: int) -> None:
    """However long the text, and however much comes at once; what is far grows with the text."""
    made, given = layer(offload=Offload("file", max_resident=4)), drawn(480)
    held, far = [], []

    for _ in range(4):
        fed(made, [size] * (120 // size) + [120 % size] * (120 % size > 0), given)
        held.append(made.tail.nbytes + made.ledger.nbytes if made.ledger else 0)
        far.append(reach(made).far.bytes.file)

    assert len(made) <= 3 + 16 + 8 + 4
    assert max(held) <= 1.5 * min(held)
    assert [round(each / far[0], 1) for each in far] == pytest.approx([1, 2.2, 3.4, 4.5], abs=0.15)


def test_padding_is_nowhere_and_rows_choose_by_themselves() -> None:
    """A row that begins with padding gives what it gives alone."""
    long, short = drawn(50), drawn(39, seed=1)
    pads = 11
    given = [
        torch.cat([one, torch.cat([torch.full_like(two[:, :, :pads], 9.0), two], 2)])
        for one, two in zip(long, short, strict=True)
    ]
    valid = torch.ones(2, 50, dtype=torch.bool)
    valid[1, :pads] = False
    at = (valid.cumsum(-1) - 1).clamp(min=0)
    both, alone = layer(topk=3), [layer(topk=3), layer(topk=3)]

    outs = []
    for start in [0, *range(11, 50)]:  # so that the rows' queries share the same choices
        part = slice(start, 11 if start == 0 else start + 1)
        queries, keys = (ROTARY.turn(each[:, :, part], at[:, part]) for each in given[:2])
        both.append(keys, given[2][:, :, part], valid[:, part])
        outs.append(both.attend(queries, Call(0.3, valid=valid[:, part]))[0])
    ours = torch.cat(outs, dim=2)
    rows = [fed(alone[0], [11, *[1] * 39], long), fed(alone[1], [1] * 39, short)]

    assert float((ours[:1] - rows[0]).abs().max()) <= 1e-5
    assert float((ours[1:, :, pads:] - rows[1]).abs().max()) <= 1e-5
    counts = [len(row.blocks) for row in reach(both).far.rows]
    assert counts == [len(reach(each).far.rows[0].blocks) for each in alone]


def test_tokens_that_are_taken_back_leave_no_trace() -> None:
    """While a caller guesses, nothing leaves, and what the guesses looked at is forgotten."""
    given, other = drawn(60), drawn(60, seed=5)
    plain, guessing = layer(), layer()
    fed(plain, [40], given)
    fed(guessing, [40], given)
    guessing.recording = True

    for _ in range(5):
        fed(plain, [1], given)
        guesses = tuple(
            torch.cat([mine[:, :, : guessing.seen + 1], wrong[:, :, guessing.seen + 1 :]], 2)
            for mine, wrong in zip(given, other, strict=True)
        )
        fed(guessing, [4], (guesses[0], guesses[1], guesses[2]))
        guessing.crop(3)

    assert guessing.seen == plain.seen == 45
    assert guessing.ledger is not None
    assert plain.ledger is not None
    assert torch.equal(guessing.ledger.positions, plain.ledger.positions)
    assert torch.equal(guessing.present()[0], plain.present()[0])
    # A choice is shared by the four tokens of a guess, so that weights may differ a little.
    apart = (guessing.ledger.facts["mass"] - plain.ledger.facts["mass"]).abs()
    assert float(apart.max()) <= 0.2


def test_far_tokens_are_not_taken_back() -> None:
    """The window can be, and then the text goes on from there."""
    given, made = drawn(60), layer()
    fed(made, [40], given)

    with pytest.raises(InvalidInput, match=r"the newest 17 tokens can be taken back.*got 18"):
        made.crop(18)
    made.crop(5)

    assert made.seen == 35
    assert fed(made, [9], given).isfinite().all()


def test_a_fork_and_a_saved_layer_go_on_alike() -> None:
    """To the bit, and the first one does not notice."""
    given, made = drawn(80), layer(codec=Asymmetric(group_size=4, residual=4))
    fed(made, [50], given)
    twin, back = saving.fork(made), layer(codec=Asymmetric(group_size=4, residual=4))
    saving.load(back, {name: each.clone() for name, each in saving.state(made).items()})
    blocks = len(reach(made).far.rows[0].blocks)

    outs = [fed(each, [10, 1, 1], given) for each in (twin, back)]

    assert len(reach(made).far.rows[0].blocks) == blocks
    assert torch.equal(fed(made, [10, 1, 1], given), outs[0])
    assert torch.equal(*outs)


def test_rows_take_their_past_along() -> None:
    """Each goes on as the one that it is a copy of."""
    given = drawn(60, rows=2)
    made, whole = layer(), layer()
    fed(made, [40], given)
    fed(whole, [40], given)
    made.rows(torch.tensor([1, 0, 1]))

    ours = fed(made, [5, 1], tuple(each[[1, 0, 1]] for each in given))  # type: ignore[arg-type]
    usual = fed(whole, [5, 1], given)

    assert float((ours - usual[[1, 0, 1]]).abs().max()) <= 1e-6


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"scorer": Sinks(), "keep": 5}, "keeps every entry.*Sinks"),
        ({"codec": Asymmetric(group_size=32)}, "blocks of 4 tokens and groups of 32"),
        ({"offload": None}, "needs a place for far blocks"),
    ],
)
def test_what_does_not_go_together_is_refused(settings: dict[str, Any], says: str) -> None:
    """In one line, before anything is read."""
    with pytest.raises(InvalidInput, match=says):
        policies(**settings)


@pytest.mark.parametrize("how", [{"weights": True}, {"mask": torch.ones(1, 1, 8, 8)}], ids=str)
def test_weights_and_masks_of_four_axes_are_refused(how: dict[str, Any]) -> None:
    """They name entries that are not there."""
    queries, keys, values = drawn(8)
    made = layer()
    made.append(keys, values)

    with pytest.raises(InvalidInput, match="looks back by blocks"):
        made.attend(queries, Call(0.3, **how))


def test_a_model_without_rotary_positions_has_no_edge() -> None:
    """Far blocks could stand nowhere."""
    with pytest.raises(InvalidInput, match="needs rotary positions"):
        Layer(policies(), Place())
