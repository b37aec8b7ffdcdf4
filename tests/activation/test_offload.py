"""Blocks lie in memory or in a file, come back to the bit, and leave no trace."""

import gc
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engram.activation.offload import Offload, Tier
from engram.errors import InvalidInput, StoreCorrupt

TIERS: list[Tier] = ["host", "file"]


def block(number: int) -> dict[str, Tensor]:
    """Tensors of several kinds, one of which holds nothing."""
    dice = torch.Generator().manual_seed(number)
    return {
        "keys": torch.randn(2, 3, 5, generator=dice).bfloat16(),
        "codes": torch.randint(0, 255, (7,), generator=dice, dtype=torch.uint8),
        "format": torch.tensor([number, 2]),
        "like": torch.empty(0, dtype=torch.float16),
    }


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Whether names, kinds and numbers are."""
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and torch.equal(one[name], other[name]) for name in one
    )


@pytest.mark.parametrize("tier", TIERS)
def test_what_is_put_is_read(tier: Tier) -> None:
    """In any order, as often as one likes, and not changed by what became of the tensors."""
    depot = Offload(tier).open()
    given = [block(number) for number in range(5)]
    held = [depot.put(each) for each in given]
    for each in given:
        each["keys"].zero_()

    held.append(depot.put(dict(reversed(block(5).items()))))  # a loaded one has another order

    for number in (3, 0, 4, 0, 5):
        assert same(held[number].read(), block(number))
    assert held[0].nbytes == 60 + 7 + 16


@pytest.mark.parametrize("tier", TIERS)
def test_a_place_that_grew_free_is_taken_again(tier: Tier) -> None:
    """And only that: blocks that somebody holds stay what they are."""
    depot = Offload(tier).open()
    first, second, third = (depot.put(block(number)) for number in range(3))

    del second
    gc.collect()
    fourth = depot.put(block(3))

    for held, number in ((first, 0), (third, 2), (fourth, 3)):
        assert same(held.read(), block(number))


def test_a_file_has_no_name(tmp_path: Path) -> None:
    """So that nothing stays behind, however the process ends."""
    depot = Offload("file", folder=str(tmp_path)).open()
    held = [depot.put(block(number)) for number in range(3)]

    assert list(tmp_path.iterdir()) == []
    assert same(held[2].read(), block(2))


def test_a_file_that_was_cut_short_is_an_error() -> None:
    """Not an endless loop, and not whatever was in memory."""
    depot = Offload("file").open()
    held = depot.put(block(0))
    depot._file.truncate(10)  # type: ignore[attr-defined]

    with pytest.raises(StoreCorrupt, match="bytes more, got none"):
        held.read()


def test_a_folder_that_is_not_there_is_refused() -> None:
    """By its name."""
    with pytest.raises(InvalidInput, match="in which files can be made, got '/no/where'"):
        Offload("file", folder="/no/where").open()


def test_a_tier_that_is_not_known_is_refused() -> None:
    """The message names those that are."""
    with pytest.raises(InvalidInput, match=r"'host' or 'file'.*got 'tape'"):
        Offload("tape")  # type: ignore[arg-type]
