"""vAttention's pages: addresses that stay, memory for what is held and no more."""

import mmap
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from engram.activation.pagers.virtual import Virtual
from engram.activation.pagers.virtual.regions import Anonymous
from engram.activation.pagers.virtual.slots import Pool, Shape, Slots
from engram.activation.pagers.virtual.sparse import Sparse
from engram.errors import InvalidInput

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pages on demand need Linux")

PAGE = mmap.PAGESIZE
SHAPE = Shape(layers=2, slots=3, tokens=500, heads=2, width=32, dtype=torch.float32)
PER_PAGE = PAGE // SHAPE.token_bytes
BLOCK = 2 * SHAPE.layers * PAGE

every_region = pytest.mark.parametrize("region", [Anonymous, Sparse])


class Recorded(Anonymous):
    """A region that tells what is asked of it, and may have few pages."""

    def __init__(self, length: int, left: int = 10**9) -> None:
        super().__init__(length)
        self.calls: list[str] = []
        self.left = left

    def commit(self, start: int, length: int) -> None:
        """Count pages."""
        if length // PAGE > self.left:
            raise MemoryError("no page is left")
        self.left -= length // PAGE
        self.calls.append(f"commit {length // PAGE}")

    def release(self, start: int, length: int) -> None:
        """Count them back."""
        super().release(start, length)
        self.left += length // PAGE
        self.calls.append(f"release {length // PAGE}")


def recorded(limit: int | None = None, left: int = 10**9, **more: bool) -> tuple[Slots, Recorded]:
    """Slots, and the region that they are in."""
    made: list[Recorded] = []

    def reserve(length: int, page: int) -> Recorded:
        made.append(Recorded(length, left))
        return made[0]

    return Slots(SHAPE, reserve, PAGE, Pool(limit), **more), made[0]


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def told(slot: int, layer: int, tokens: int) -> Tensor:
    """Keys of a slot that no other slot, layer or token has."""
    numbers = torch.arange(tokens, dtype=torch.float32) + 1000 * (3 * layer + slot + 1)
    return numbers.view(tokens, 1, 1).expand(tokens, SHAPE.heads, SHAPE.width)


@given(
    st.sampled_from(["mmap", "memory"]),
    st.lists(
        st.tuples(st.integers(0, 1), st.sampled_from([0, 1, 3, 63]), st.integers(-1, 90)),
        max_size=12,
    ),
)
def test_what_is_appended_reads_like_what_is_joined(
    backing: str, trace: list[tuple[int, int, int]]
) -> None:
    """After any trace of tokens and of tails that are dropped, at an address that stays."""
    pages = Virtual(max_tokens=800, backing=backing, page_bytes=1).open()
    joined = [(torch.zeros(2, 2, 0, 24), torch.zeros(2, 2, 0, 24)) for _ in range(2)]
    addresses: dict[int, int] = {}
    for at, (layer, tokens, keep) in enumerate(trace):
        more = torch.full((2, 2, tokens, 24), at + 1.0), torch.full((2, 2, tokens, 24), -at - 1.0)
        pages.append(layer, *more)
        held = joined[layer]
        joined[layer] = torch.cat([held[0], more[0]], 2), torch.cat([held[1], more[1]], 2)
        if keep >= 0:
            pages.release(layer, keep)
            joined[layer] = joined[layer][0][:, :, :keep], joined[layer][1][:, :, :keep]
        keys, values = pages.view(layer)
        assert torch.equal(keys, joined[layer][0])
        assert torch.equal(values, joined[layer][1])
        if keys.shape[2]:  # torch has no address for nothing
            assert addresses.setdefault(layer, keys.data_ptr()) == keys.data_ptr()


@given(
    st.lists(st.tuples(st.sampled_from("taking freeing growing".split()), st.integers(0, 99))),
    st.booleans(),
)
def test_slots_hold_what_was_written_in_any_order(trace: list[tuple[str, int]], hold: bool) -> None:
    """Slots are taken, filled further and freed; nobody reads what another wrote."""
    slots = Slots(SHAPE, lambda length, _: Anonymous(length), PAGE, Pool(), deferred=hold)
    held: dict[int, int] = {}
    for verb, number in trace:
        if verb == "taking" and len(held) < SHAPE.slots:
            slot = slots.take()
            assert slot not in held
            held[slot] = 0
        elif verb == "freeing" and held:
            slot = sorted(held)[number % len(held)]
            slots.free(slot)
            del held[slot]
        elif verb == "growing" and held:
            slot = sorted(held)[number % len(held)]
            held[slot] = min(SHAPE.tokens, held[slot] + number)
            slots.step(held)
            for layer in range(SHAPE.layers):
                slots.keys(layer)[slot, : held[slot]] = told(slot, layer, held[slot])
                slots.values(layer)[slot, : held[slot]] = -told(slot, layer, held[slot])
        for slot, tokens in held.items():
            for layer in range(SHAPE.layers):
                assert torch.equal(slots.keys(layer)[slot, :tokens], told(slot, layer, tokens))
                assert torch.equal(slots.values(layer)[slot, :tokens], -told(slot, layer, tokens))
    if not hold:
        needed = sum(-(-tokens // PER_PAGE) for tokens in held.values())
        assert slots.committed_bytes() == needed * BLOCK


@pytest.mark.parametrize("tokens", [0, 1, PER_PAGE, PER_PAGE + 1, 63, 500])
def test_pages_are_as_many_as_the_tokens_need(tokens: int) -> None:
    """Rounded up, for the keys and the values of each layer."""
    slots, region = recorded()

    slots.take(tokens)

    needed = -(-tokens // PER_PAGE)
    assert slots.committed_bytes() == needed * BLOCK
    assert region.calls == [f"commit {needed}"] * (2 * SHAPE.layers if needed else 0)


@every_region
def test_memory_is_taken_for_what_is_held_and_not_for_what_is_reserved(
    region: type[Anonymous | Sparse],
) -> None:
    """A gigabyte of addresses, of which four megabytes are written and given back."""
    before = resident()
    room = region(2**30)
    room.commit(0, 2**22)
    room.room[: 2**22] = 1
    written = resident() - before
    room.release(0, 2**22)

    assert 2**22 <= written + 2**20 < 2**23
    assert resident() - before < 2**21
    assert not room.room[: 2**22].any()


def test_a_file_takes_the_disk_that_it_fills(tmp_path: Path) -> None:
    """Sparse, without a name, and with a hole where pages were given back."""
    shape = Shape(1, 1, 2**20, 1, 64, torch.float32)
    slots = Virtual(backing="file", folder=str(tmp_path)).slots(shape)
    slot = slots.take(4000)
    slots.keys(0)[slot, :4000] = 1

    assert torch.equal(slots.keys(0)[slot, :4000], torch.ones(4000, 1, 64))
    assert list(tmp_path.iterdir()) == []
    slots.free(slot)
    slots.reclaim(2**40)
    slots.step({slots.take(): 4000})
    assert not slots.keys(0)[0, :4000].any()


def test_a_freed_slot_is_taken_again_without_moving_a_page() -> None:
    """Reclaiming is deferred: the next text finds the pages in place."""
    slots, region = recorded()
    slots.free(slots.take(100))
    before = list(region.calls)

    slots.take(100)

    assert region.calls == before


def test_without_deferring_pages_go_at_once() -> None:
    """And come again for the next text."""
    slots, region = recorded(deferred=False)

    slots.free(slots.take(100))

    assert slots.committed_bytes() == 0
    assert region.left == 10**9


def test_the_free_slot_is_taken_whose_pages_fit_best() -> None:
    """The least that is enough, or else the most there is."""
    slots, _ = recorded()
    for tokens in (100, 300, 200):
        slots.take(tokens)
    for slot in range(3):
        slots.free(slot)

    assert [slots.take(150), slots.take(400), slots.take(0)] == [2, 1, 0]


def test_free_slots_give_their_pages_when_the_pool_runs_short() -> None:
    """From the last slot on, and those in use are left alone."""
    pages = -(-100 // PER_PAGE)
    slots, _ = recorded(limit=3 * pages * BLOCK)
    for _ in range(3):
        slots.take(100)
    slots.free(1)
    slots.free(2)

    slots.step({0: 200})

    assert slots.committed_bytes() == (-(-200 // PER_PAGE) + pages) * BLOCK
    assert [slots.take(100), slots.take(0)] == [1, 2]
    with pytest.raises(MemoryError, match=f"max_bytes={3 * pages * BLOCK}"):
        slots.step({0: 500})
    assert slots.committed_bytes() <= 3 * pages * BLOCK


def test_when_memory_ends_nothing_that_is_held_is_lost() -> None:
    """The pages of the step are given back, and the same step works once there is room."""
    slots, region = recorded(limit=4 * BLOCK, left=2 * SHAPE.layers * 4 - 1)
    first = slots.take(PER_PAGE)
    slots.keys(1)[first, :PER_PAGE] = 7

    with pytest.raises(MemoryError):
        slots.take(3 * PER_PAGE)

    assert slots.committed_bytes() == BLOCK
    assert region.left == 2 * SHAPE.layers * 3 - 1
    assert (slots.keys(1)[first, :PER_PAGE] == 7).all()
    region.left += 1
    assert slots.take(3 * PER_PAGE) != first


@pytest.mark.parametrize("backing", ["mmap", "memory"])
def test_a_prefix_is_shared_and_what_follows_is_not(backing: str) -> None:
    """Both go on by themselves; where pages can be shared, the prefix takes none."""
    slots = Virtual(backing=backing, page_bytes=PAGE).slots(SHAPE)
    source = slots.take(100)
    for layer in range(2):
        slots.keys(layer)[source, :100] = told(source, layer, 100)
        slots.values(layer)[source, :100] = -told(source, layer, 100)
    before, target = slots.committed_bytes(), slots.take()

    shared = slots.share(source, target, 90)

    assert shared == 90 // PER_PAGE * PER_PAGE
    grown = slots.committed_bytes() - before
    assert grown == (0 if backing == "memory" else shared // PER_PAGE * BLOCK)
    slots.step({source: 200, target: 200})
    for layer in range(2):
        slots.keys(layer)[target, shared:200] = 5
        slots.keys(layer)[source, 100:200] = 6
        assert torch.equal(slots.keys(layer)[target, :shared], told(source, layer, 100)[:shared])
        assert torch.equal(slots.keys(layer)[source, :100], told(source, layer, 100))
        assert (slots.keys(layer)[target, shared:200] == 5).all()
        assert torch.equal(slots.values(layer)[target, :shared], -told(source, layer, 100)[:shared])


def test_a_prefix_outlives_the_text_that_it_came_from() -> None:
    """The lender's slot is taken again only when nobody reads its pages."""
    slots = Virtual(backing="memory", page_bytes=PAGE).slots(SHAPE)
    lender = slots.take(64)
    slots.keys(0)[lender, :64] = told(lender, 0, 64)
    first, second = slots.take(), slots.take()
    assert slots.share(lender, first, 64) == 64
    assert slots.share(first, second, 500) == 64

    slots.free(lender)

    with pytest.raises(InvalidInput, match="all 3 slots are in use"):
        slots.take()
    slots.free(first)
    again = slots.take(64)
    slots.keys(0)[again, :64] = -1
    assert again == first
    assert torch.equal(slots.keys(0)[second, :64], told(lender, 0, 64))
    slots.free(second)
    slots.free(again)
    slots.reclaim(2**40)
    assert sorted([slots.take(64), slots.take(64), slots.take(64)]) == [0, 1, 2]
    assert not slots.keys(0)[:, :64].any()


def test_tensors_outlive_the_slots_they_are_views_of() -> None:
    """The addresses go when nothing reads them any more."""
    slots = Virtual(backing="memory").slots(SHAPE)
    slots.take(10)
    keys = slots.keys(0)[0, :10]
    keys.fill_(3)

    del slots

    assert (keys == 3).all()


def test_a_released_layer_lends_its_pages_to_another() -> None:
    """All layers share one pool; a batch of another shape starts anew."""
    block = torch.ones(1, 2, 64, 32)
    pages = Virtual(max_tokens=128, page_bytes=PAGE, max_bytes=2 * block.nbytes).open()
    pages.append(0, block, block)
    with pytest.raises(MemoryError, match="max_bytes=32768, got 32768 in use and 32768 more"):
        pages.append(1, block, block)

    pages.release(0)
    pages.append(1, block, block)

    assert pages.view(0)[0].shape[2] == 0
    assert pages.committed_bytes() == 2 * block.nbytes
    pages.release(1)
    pages.append(1, block[:, :, :8].repeat(4, 1, 1, 1), block[:, :, :8].repeat(4, 1, 1, 1))
    assert pages.view(1)[0].shape == (4, 2, 8, 32)
    assert pages.committed_bytes() == 2 * 4 * PAGE


def test_a_prompt_read_in_inference_mode_is_continued_outside() -> None:
    """And gradients end where tokens are stored."""
    pages, block = Virtual().open(), torch.ones(1, 1, 3, 2, requires_grad=True)
    for inside in (True, False, True, False):
        with torch.inference_mode(mode=inside):
            pages.append(0, block * 1, block * 1)

    assert torch.equal(pages.view(0)[0], torch.ones(1, 1, 12, 2))
    assert not pages.view(0)[0].requires_grad


def test_what_does_not_fit_is_refused_in_one_line() -> None:
    """Longer than was reserved, of another shape, on another device, of a slot not taken."""
    pages, block = Virtual(max_tokens=10).open(), torch.ones(1, 2, 8, 4)
    pages.append(0, block, block)

    with pytest.raises(InvalidInput, match="max_tokens=10, got 16"):
        pages.append(0, block, block)
    for wrong in (block[:, :1], block.half(), block.repeat(2, 1, 1, 1)):
        with pytest.raises(InvalidInput, match="release it first"):
            pages.append(0, wrong, wrong)
    for odd in (block[..., :2], block.half(), block.to("meta")):
        with pytest.raises(InvalidInput, match="on 'cpu'"):
            pages.append(0, block, odd)
    with pytest.raises(InvalidInput, match=r"one of \[0\], got 3"):
        pages.view(3)
    assert torch.equal(pages.view(0)[0], block)
    slots, _ = recorded()
    for slot in (0, -1, 3):
        with pytest.raises(InvalidInput, match=rf"must be in use.*{slot}"):
            slots.free(slot)
        with pytest.raises(InvalidInput, match=rf"must be in use, got \[{slot}\]"):
            slots.step({slot: 1})
    with pytest.raises(InvalidInput, match="between two slots in use"):
        slots.share(slots.take(), 1, 5)


def test_settings_that_hold_nothing_are_refused() -> None:
    """And addresses that no system has."""
    with pytest.raises(InvalidInput, match=r"one of .*, got 'disk'"):
        Virtual(backing="disk")
    with pytest.raises(InvalidInput, match=r"at least 1, got \(0, 65536\)"):
        Virtual(max_tokens=0)
    with pytest.raises(InvalidInput, match="needs a folder"):
        Virtual(backing="file")
    with pytest.raises(MemoryError, match="fewer max_tokens"):
        Anonymous(2**60)
