"""Whole entries in a store, shared by copies until one of them is written to."""

import pytest
import torch

from engram.activation.pagers.growing import Growing
from engram.activation.pagers.virtual import Virtual
from engram.activation.roles import Pager
from engram.activation.tail import Tail

every_pager = pytest.mark.parametrize("pager", [Growing(), Virtual(max_tokens=512)], ids=repr)


def numbers(count: int, start: float = 0.0) -> torch.Tensor:
    """Tokens that can be told apart, (1, 2, count, 4)."""
    return (torch.arange(float(count)) + start).view(1, 1, count, 1).expand(1, 2, count, 4).clone()


def held(tail: Tail) -> list[float]:
    """The tokens that a tail holds."""
    found: list[float] = tail.view[0][0, 0, :, 0].tolist()
    return found


@every_pager
def test_a_tail_does_what_a_list_does(pager: Pager) -> None:
    """Append, drop and replace, at awkward sizes."""
    tail = Tail(pager, 0)

    tail.append(numbers(3), -numbers(3))
    tail.append(numbers(63, 3), -numbers(63, 3))
    tail.drop(1)
    assert held(tail) == list(range(65))
    tail.replace(numbers(2, 7), numbers(2, 7))
    tail.drop(0)
    tail.append(numbers(1, 9), numbers(1, 9))
    assert held(tail) == [7, 8, 9]
    tail.drop(3)
    assert len(tail) == 0
    tail.append(numbers(1), numbers(1))
    assert held(tail) == [0]


@every_pager
@pytest.mark.parametrize("change", ["append", "crop", "replace"])
@pytest.mark.parametrize("first", ["tail", "twin"])
def test_a_copy_sees_nothing_of_what_becomes_of_the_other(
    pager: Pager, change: str, first: str
) -> None:
    """Whichever of the two is written to first, and how."""
    tail = Tail(pager, 0)
    tail.append(numbers(5), numbers(5))
    twin = tail.copy()
    changed, other = (tail, twin) if first == "tail" else (twin, tail)

    if change == "append":
        changed.append(numbers(2, 90), numbers(2, 90))
    if change == "crop":
        changed.drop(3)
        changed.append(numbers(3, 90), numbers(3, 90))
    if change == "replace":
        changed.replace(numbers(5, 90), numbers(5, 90))

    assert held(other) == [0, 1, 2, 3, 4]
    other.append(numbers(1, 50), numbers(1, 50))
    assert held(other) == [0, 1, 2, 3, 4, 50]
    assert len(changed) in {5, 7}


def test_a_copy_of_nothing_holds_nothing() -> None:
    """There is no view of what was never there."""
    twin = Tail(Growing(), 0).copy()

    assert not twin.started
    assert len(twin) == 0
