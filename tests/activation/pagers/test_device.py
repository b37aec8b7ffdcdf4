"""The pages of a GPU: what is asked of its driver, and the same on a GPU where there is one."""

from enum import IntEnum
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from engram.activation.pagers.virtual import Virtual
from engram.activation.pagers.virtual.device import Handles, checked
from engram.activation.pagers.virtual.slots import Pool, Shape, Slots

PAGE = 4096


class Result(IntEnum):
    """Error codes of the driver, those that are met here."""

    CUDA_SUCCESS = 0
    CUDA_ERROR_INVALID_VALUE = 1
    CUDA_ERROR_OUT_OF_MEMORY = 2


class Driver:
    """A driver with so many pages: it refuses what the real one refuses."""

    CUmemAllocationType = SimpleNamespace(CU_MEM_ALLOCATION_TYPE_PINNED=1)
    CUmemLocationType = SimpleNamespace(CU_MEM_LOCATION_TYPE_DEVICE=1)
    CUmemAccess_flags = SimpleNamespace(CU_MEM_ACCESS_FLAGS_PROT_READWRITE=3)

    def __init__(self, pages: int) -> None:
        self.left = pages
        self.live: set[int] = set()
        self.shown: dict[int, int] = {}
        self.usable: set[int] = set()
        self._next = 0

    def CUmemAllocationProp(self) -> Any:  # noqa: N802 - the driver's name
        """Nothing in it yet."""
        return SimpleNamespace(location=SimpleNamespace())

    def CUmemAccessDesc(self) -> Any:  # noqa: N802 - the driver's name
        """Nothing in it yet."""
        return SimpleNamespace()

    def cuMemCreate(self, size: int, wanted: Any, flags: int) -> tuple[Any, ...]:  # noqa: N802
        """A handle of one page of GPU 1."""
        if not self.left:
            return Result.CUDA_ERROR_OUT_OF_MEMORY, None
        assert (size, wanted.type, wanted.location.type, wanted.location.id) == (PAGE, 1, 1, 1)
        self.left -= 1
        self._next += 1
        self.live.add(self._next)
        return Result.CUDA_SUCCESS, self._next

    def cuMemMap(self, at: int, size: int, offset: int, handle: int, flags: int) -> tuple[Any, ...]:  # noqa: N802
        """Refused where something is mapped already."""
        if at in self.shown or handle not in self.live or at % PAGE or offset:
            return (Result.CUDA_ERROR_INVALID_VALUE,)
        self.shown[at] = handle
        return (Result.CUDA_SUCCESS,)

    def cuMemSetAccess(self, at: int, size: int, access: list[Any], count: int) -> tuple[Any, ...]:  # noqa: N802
        """Only then can the address be used."""
        assert (access[0].flags, access[0].location.id, count) == (3, 1, 1)
        self.usable.add(at)
        return (Result.CUDA_SUCCESS,)

    def cuMemUnmap(self, at: int, size: int) -> tuple[Any, ...]:  # noqa: N802
        """Refused where nothing is mapped."""
        if self.shown.pop(at, None) is None:
            return (Result.CUDA_ERROR_INVALID_VALUE,)
        self.usable.remove(at)
        return (Result.CUDA_SUCCESS,)

    def cuMemRelease(self, handle: int) -> tuple[Any, ...]:  # noqa: N802
        """The page is free again."""
        self.live.remove(handle)
        self.left += 1
        return (Result.CUDA_SUCCESS,)


class Range(Handles):
    """Pages of the driver with nothing in them."""

    room = torch.empty(0, dtype=torch.uint8)


def ranged(pages: int) -> tuple[Range, Driver]:
    """A range at 1 MiB of a driver with so many pages."""
    driver = Driver(pages)
    return Range(driver, 2**20, PAGE, 1), driver


def test_a_page_is_made_mapped_and_made_usable() -> None:
    """One handle for each page of the range, at its address."""
    handles, driver = ranged(9)

    handles.commit(2 * PAGE, 3 * PAGE)

    addresses = {2**20 + at * PAGE for at in (2, 3, 4)}
    assert driver.shown.keys() == driver.usable == addresses
    assert len(set(driver.shown.values())) == 3
    handles.release(2 * PAGE, 2 * PAGE)
    assert driver.shown.keys() == {2**20 + 4 * PAGE}
    assert driver.left == 8


def test_when_the_gpu_is_full_all_pages_of_the_call_are_given_back() -> None:
    """Those of earlier calls stay."""
    handles, driver = ranged(4)
    handles.commit(0, PAGE)

    with pytest.raises(MemoryError, match="release a layer or a slot"):
        handles.commit(PAGE, 4 * PAGE)

    assert driver.shown.keys() == {2**20}
    assert driver.left == 3


def test_slots_share_pages_of_the_gpu_and_give_every_one_back() -> None:
    """Through taking, sharing, freeing and clearing, no page is mapped twice or lost."""
    handles, driver = ranged(100)
    shape = Shape(layers=2, slots=3, tokens=64, heads=1, width=32, dtype=torch.float32)
    slots = Slots(shape, lambda *_: handles, PAGE, Pool(), deferred=False)
    lender, borrower = slots.take(64), slots.take()

    assert slots.share(lender, borrower, 40) == 32
    slots.step({borrower: 64})

    assert driver.left == 100 - 4 * 2 - 4
    assert len(driver.shown) == 4 * 2 + 4 * 2
    slots.free(lender)
    assert len(driver.shown) == 16
    slots.free(borrower)
    handles.clear()
    assert (driver.left, driver.shown) == (100, {})
    slots.share(slots.take(64), slots.take(), 64)
    handles.clear()
    assert (driver.left, driver.shown, driver.live) == (100, {}, set())


def test_a_failing_driver_is_told_by_its_code() -> None:
    """In one line, with what works without it."""
    with pytest.raises(RuntimeError, match=r"got CUDA_ERROR_INVALID_VALUE; use 'growing'"):
        checked((Result.CUDA_ERROR_INVALID_VALUE,))
    assert checked((Result.CUDA_SUCCESS,)) is None
    assert checked((Result.CUDA_SUCCESS, 5)) == 5


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU and cuda-python")
def test_on_a_gpu_what_is_appended_reads_like_what_is_joined() -> None:
    """At an address that stays, with memory for what is held, and given back at the end."""
    pytest.importorskip("cuda.bindings.driver")
    pages = Virtual(max_tokens=100_000, backing="cuda").open()
    joined = torch.zeros(2, 8, 0, 64, device="cuda")
    addresses = set()
    for tokens in (1, 63, 1, 3000, 0, 1):
        more = torch.randn(2, 8, tokens, 64, device="cuda")
        pages.append(0, more, -more)
        joined = torch.cat([joined, more], 2)
        keys, values = pages.view(0)
        addresses.add(keys.data_ptr())
        assert torch.equal(keys, joined)
        assert torch.equal(values, -joined)

    assert len(addresses) == 1
    assert 2 * joined.nbytes <= pages.committed_bytes() <= 2 * joined.nbytes + 4 * 2**21
