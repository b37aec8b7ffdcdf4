"""A range of addresses of a GPU, to which the driver maps pages of its memory one by one."""

import weakref
from typing import Any

import torch
from torch import Tensor

from engram.extras import require


class Handles:
    """Which page of memory lies at which address of a range that is reserved.

    Args:
        driver: the module ``cuda.bindings.driver``.
        base: first address.
        page: bytes of a page.
        device: number of the GPU.
    """

    def __init__(self, driver: Any, base: int, page: int, device: int) -> None:
        self.base = base
        self._driver, self._page = driver, page
        self._memory = properties(driver, device)
        self._access = driver.CUmemAccessDesc()
        self._access.location = self._memory.location
        self._access.flags = driver.CUmemAccess_flags.CU_MEM_ACCESS_FLAGS_PROT_READWRITE
        self._owned: dict[int, Any] = {}
        self._borrowed: set[int] = set()

    def commit(self, start: int, length: int) -> None:
        """Make pages and map them; MemoryError where the GPU has none left, and none is mapped."""
        driver, made = self._driver, []
        try:
            for at in range(start, start + length, self._page):
                handle = checked(driver.cuMemCreate(self._page, self._memory, 0))
                self._owned[at] = handle
                made.append(at)
                self._show(at, handle)
        except MemoryError:
            for at in made:
                self.release(at, self._page)
            raise

    def release(self, start: int, length: int) -> None:
        """Unmap pages of the range's own and give them back."""
        for at in range(start, start + length, self._page):
            checked(self._driver.cuMemUnmap(self.base + at, self._page))
            checked(self._driver.cuMemRelease(self._owned.pop(at)))

    def alias(self, start: int, source: int, length: int) -> bool:
        """Map the pages of ``source`` at ``start``, too; at their own address: unmap these."""
        for at in range(start, start + length, self._page):
            if start == source:
                self._borrowed.remove(at)
                checked(self._driver.cuMemUnmap(self.base + at, self._page))
            else:
                self._borrowed.add(at)
                self._show(at, self._owned[at - start + source])
        return True

    def clear(self) -> None:
        """Unmap everything."""
        for at in sorted(self._borrowed):
            self.alias(at, at, self._page)
        for at in sorted(self._owned):
            self.release(at, self._page)

    def _show(self, at: int, handle: Any) -> None:
        driver, address = self._driver, self.base + at
        checked(driver.cuMemMap(address, self._page, 0, handle, 0))
        checked(driver.cuMemSetAccess(address, self._page, [self._access], 1))


class Device:  # pragma: no cover - runs where a GPU is
    """A range on the current GPU, of pages that ``granularity`` divides."""

    def __init__(self, length: int, page: int) -> None:
        driver, device = _driver(), torch.cuda.current_device()
        base = int(checked(driver.cuMemAddressReserve(length, 0, 0, 0)))
        owner = _Addresses(base, length)
        self._handles = Handles(driver, base, page, device)
        weakref.finalize(owner, _end, driver, self._handles, length)
        self.commit(0, page)  # torch asks the driver whose address it is, which has to know it
        self.room: Tensor = torch.as_tensor(owner, device=f"cuda:{device}")
        self.release(0, page)

    def commit(self, start: int, length: int) -> None:
        """Make pages and map them; MemoryError where the GPU has none left."""
        self._handles.commit(start, length)

    def release(self, start: int, length: int) -> None:
        """Unmap pages once the GPU is done with them, and give them back."""
        torch.cuda.synchronize()
        self._handles.release(start, length)

    def alias(self, start: int, source: int, length: int) -> bool:
        """Map the pages of ``source`` at ``start``, too."""
        torch.cuda.synchronize()
        return self._handles.alias(start, source, length)


class _Addresses:  # pragma: no cover - runs where a GPU is
    """What torch makes a tensor of, and holds for as long as a tensor of it lives."""

    def __init__(self, base: int, length: int) -> None:
        shape = {"shape": (length,), "typestr": "|u1", "version": 3}
        self.__cuda_array_interface__ = shape | {"data": (base, False)}


def granularity() -> int:  # pragma: no cover - runs where a GPU is
    """The least page that the current GPU maps, bytes."""
    driver = _driver()
    least = driver.CUmemAllocationGranularity_flags.CU_MEM_ALLOC_GRANULARITY_MINIMUM
    kind = properties(driver, torch.cuda.current_device())
    return int(checked(driver.cuMemGetAllocationGranularity(kind, least)))


def properties(driver: Any, device: int) -> Any:
    """What is asked of a page: memory of this GPU that stays there."""
    wanted = driver.CUmemAllocationProp()
    wanted.type = driver.CUmemAllocationType.CU_MEM_ALLOCATION_TYPE_PINNED
    wanted.location.type = driver.CUmemLocationType.CU_MEM_LOCATION_TYPE_DEVICE
    wanted.location.id = device
    return wanted


def checked(returned: tuple[Any, ...]) -> Any:
    """What a call of the driver gave besides its error code, None if nothing.

    Raises:
        MemoryError: the GPU has no memory left.
        RuntimeError: the call failed otherwise.
    """
    error, *values = returned
    if error.name == "CUDA_ERROR_OUT_OF_MEMORY":
        raise MemoryError("the GPU must have a page left, got none; release a layer or a slot")
    if error.value:
        raise RuntimeError(f"the GPU's driver must map pages, got {error.name}; use 'growing'")
    return values[0] if values else None


def _driver() -> Any:  # pragma: no cover - runs where a GPU is
    driver = require("cuda.bindings.driver", extra="cuda", purpose="the backing 'cuda'")
    torch.cuda.synchronize()  # makes the context that the driver works in
    return driver


def _end(driver: Any, handles: Handles, length: int) -> None:  # pragma: no cover
    torch.cuda.synchronize()
    handles.clear()
    checked(driver.cuMemAddressFree(handles.base, length))
