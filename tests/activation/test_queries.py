"""The newest queries outlive their call, and can be taken back."""

import torch

from engram.activation.queries import Asked


def numbers(count: int, start: int = 0) -> torch.Tensor:
    """Queries that can be told apart, (1, 1, count, 1)."""
    return (torch.arange(count) + float(start)).view(1, 1, count, 1)


def held(asked: Asked) -> list[float]:
    """The queries that are held."""
    queries, counts = asked.view(torch.zeros(1, 1, 1, 1))
    assert queries.shape[2] == counts.shape[1]
    found: list[float] = queries[0, 0, :, 0].tolist()
    return found


def test_the_last_of_all_calls_are_kept() -> None:
    """As many as the window has."""
    asked = Asked(3)

    for start in (0, 2, 4):
        asked.append(numbers(2, start), None)
        asked.settle()

    assert held(asked) == [3, 4, 5]


def test_queries_of_a_call_are_all_there_until_it_is_settled() -> None:
    """A prompt is longer than a window."""
    asked = Asked(2)
    asked.append(numbers(5), None)

    assert held(asked) == [0, 1, 2, 3, 4]
    assert len(asked.fresh) == 1


def test_without_a_window_nothing_outlives_its_call() -> None:
    """Scorers that are told of logits need no queries afterwards."""
    asked = Asked(0)
    asked.append(numbers(5), None)
    asked.settle()

    assert held(asked) == []
    assert asked.nbytes == 0


def test_the_newest_are_taken_back_first() -> None:
    """From what waits, then from what was kept."""
    asked = Asked(4)
    asked.append(numbers(4), None)
    asked.settle()
    asked.append(numbers(2, 4), None)

    asked.drop(1)
    first = held(asked)
    asked.drop(3)

    assert first == [0, 1, 2, 3, 4]
    assert held(asked) == [0, 1]


def test_a_copy_goes_on_by_itself() -> None:
    """And rows are taken with their padding."""
    asked = Asked(4)
    asked.append(numbers(2), torch.tensor([[False, True]]))
    twin = asked.copy()

    asked.drop(1)
    twin.rows(torch.tensor([0, 0]))

    assert held(asked) == [0]
    assert twin.fresh[0][1].tolist() == [[False, True]] * 2
