"""Far blocks of a layer: taken by number, few of them at hand, shared by forks."""

from collections import deque

import pytest
import torch
from torch import Tensor

from engram.activation.codecs.asymmetric import Asymmetric
from engram.activation.far import Far, Row
from engram.activation.offload import Offload, Tier

TIERS: list[Tier] = ["host", "file"]
CPU = torch.device("cpu")


def drawn(blocks: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Keys and values of blocks of 16 tokens, two heads, and what is known of them."""
    dice = torch.Generator().manual_seed(seed)
    keys, values = (torch.randn(blocks, 2, 16, 32, generator=dice) for _ in range(2))
    return keys, values, torch.randn(blocks, 6, generator=dice)


def filled(counts: list[int], offload: Offload | None = None) -> Far:
    """A row for each count, of as many blocks."""
    far = Far(offload or Offload())
    far.rows = [Row() for _ in counts]
    for row, count in enumerate(counts):
        far.append(row, *drawn(count, seed=row))
    return far


@pytest.mark.parametrize("tier", TIERS)
def test_blocks_are_taken_in_the_order_that_is_asked_for(tier: Tier) -> None:
    """Rows that take fewer are filled up at the front."""
    far = filled([5, 3], Offload(tier))

    found = far.take([[0, 3, 4], [2]], CPU)

    assert found is not None
    for at, (held, side) in enumerate(zip(found[:2], (0, 1), strict=True)):
        assert torch.equal(held[0], drawn(5)[side][[0, 3, 4]].transpose(0, 1).flatten(1, 2)), at
        assert torch.equal(held[1, :, 32:], drawn(3, seed=1)[side][2])
    assert found[2] is not None
    assert found[2].sum(-1).tolist() == [[48], [16]]
    assert far.take([[], []], CPU) is None


@pytest.mark.parametrize("room", [0, 1, 3, 63])
def test_the_blocks_that_were_read_last_are_at_hand(room: int) -> None:
    """Hits are those of a list that forgets what was not used for longest."""
    far = filled([20], Offload("file", max_resident=room))
    dice = torch.Generator().manual_seed(1)
    held: deque[int] = deque(maxlen=room)
    hits = misses = 0

    for _ in range(60):
        numbers = sorted(set(torch.randint(0, 20, (3,), generator=dice).tolist()))
        far.take([numbers], CPU)
        for number in numbers:
            hits, misses = hits + (number in held), misses + (number not in held)
            if number in held:
                held.remove(number)
            held.append(number)

    assert (far.hits, far.misses) == (hits, misses)
    assert far.bytes.near == len(held) * 2 * 2 * 16 * 32 * 4


def test_bytes_are_told_by_where_they_are() -> None:
    """A block in memory of the host is not counted again where it is at hand."""
    host, file = (filled([4, 2], Offload(tier)) for tier in TIERS)

    for far in (host, file):
        far.take([[0, 1], [1]], CPU)

    size = 2 * 2 * 16 * 32 * 4
    assert (host.bytes.host, host.bytes.file) == (6 * size, 0)
    assert (file.bytes.host, file.bytes.file) == (0, 6 * size)
    assert (host.bytes.near, file.bytes.near) == (0, 3 * size)


def test_a_copy_shares_blocks_and_goes_its_own_way() -> None:
    """What one adds is not in the other."""
    far = filled([3])
    twin = far.copy()

    twin.append(0, *drawn(2, seed=7))
    far.append(0, *drawn(1, seed=8))

    assert [len(each.rows[0].blocks) for each in (far, twin)] == [4, 5]
    assert far.rows[0].blocks[:3] == twin.rows[0].blocks[:3]
    assert torch.equal(far.rows[0].known[3:], drawn(1, seed=8)[2])
    assert torch.equal(twin.rows[0].known[3:], drawn(2, seed=7)[2])


def test_rows_that_are_repeated_cost_nothing() -> None:
    """Beams share their past; what was not named is gone."""
    far = filled([3, 2])

    far.take_rows([1, 1, 1])

    assert far.bytes.host == 2 * 2 * 2 * 16 * 32 * 4
    assert [row.known.shape for row in far.rows] == [(2, 6)] * 3


@pytest.mark.parametrize("packed", [False, True])
def test_a_saved_past_is_the_same(packed: bool) -> None:
    """Blocks in their form, and what is known of them, row by row."""
    codec = Asymmetric(group_size=16, residual=16) if packed else None
    far = Far(Offload(), codec)
    far.rows = [Row(), Row(), Row()]
    far.append(0, *drawn(3))
    far.append(2, *drawn(1, seed=2))
    back = Far(Offload("file"), codec)

    back.load(far.state(), *(torch.zeros(1, 2, 0, 32) for _ in range(2)))

    chosen = [[0, 2], [], [0]]
    for one, other in zip(far.take(chosen, CPU) or (), back.take(chosen, CPU) or (), strict=True):
        assert one is not None
        assert other is not None
        assert torch.equal(one, other)
    for row, twin in zip(far.rows, back.rows, strict=True):
        assert torch.equal(row.known, twin.known)


def test_packed_blocks_take_fewer_bytes() -> None:
    """Two bits and what belongs to them, in place of 32."""
    whole, packed = Far(Offload()), Far(Offload(), Asymmetric(group_size=16, residual=16))

    for far in (whole, packed):
        far.rows = [Row()]
        far.append(0, *drawn(4))

    assert packed.bytes.host < 0.2 * whole.bytes.host
