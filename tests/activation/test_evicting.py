"""Which entries stay, by number."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from engram.activation.evicting import best, plan


@given(st.integers(1, 40), st.integers(0, 9999))
def test_the_best_are_those_of_a_sorted_list(tokens: int, seed: int) -> None:
    """For each head as many as it may keep, in the order in which they came."""
    drawn = torch.Generator().manual_seed(seed)
    scores = torch.rand(2, 3, tokens, generator=drawn)
    counts = torch.randint(0, tokens + 1, (2, 3), generator=drawn)

    index, there = best(scores, counts)

    for row in range(2):
        for head in range(3):
            shown = index[row, head] if there is None else index[row, head][there[row, head]]
            slow = sorted(range(tokens), key=lambda at: -float(scores[row, head, at]))
            assert shown.tolist() == sorted(slow[: int(counts[row, head])])


def test_of_equal_scores_the_later_stays() -> None:
    """The newest is more likely to be asked for."""
    index, _ = best(torch.zeros(1, 1, 5), torch.tensor([[2]]))

    assert index[0, 0].tolist() == [3, 4]


def test_filling_stands_before_what_is_kept() -> None:
    """So that what comes next stands beside what is there."""
    index, there = best(torch.arange(4.0).expand(1, 2, 4), torch.tensor([[1, 3]]))

    assert there is not None
    assert there[0].tolist() == [[False, False, True], [True, True, True]]
    assert index[0].tolist() == [[0, 0, 3], [1, 2, 3]]


def test_old_blocks_go_whole_and_before_the_tail() -> None:
    """A block is worth its best entry."""
    scores = torch.tensor([9.0, 0, 0, 1, 2, 1, 0, 0, 5, 5])[None, None]

    kept = plan(scores, torch.tensor([[7]]), old=8, step=2)

    assert kept.blocks is not None
    assert kept.blocks[0, 0].tolist() == [0, 2]
    assert kept.tail is None
    assert kept.index[0, 0].tolist() == [0, 1, 4, 5, 8, 9]
    assert kept.valid is None


def test_a_tail_that_alone_is_too_much_loses_entries() -> None:
    """Then nothing old is left."""
    scores = torch.arange(10.0)[None, None]

    kept = plan(scores, torch.tensor([[2]]), old=4, step=4)

    assert kept.blocks is not None
    assert kept.blocks.shape == (1, 1, 0)
    assert kept.index[0, 0].tolist() == [8, 9]


def test_heads_may_keep_different_numbers_of_blocks() -> None:
    """What is filled up is told, entry by entry."""
    scores = torch.arange(10.0).expand(1, 2, 10)

    kept = plan(scores, torch.tensor([[4, 8]]), old=8, step=2)

    assert kept.valid is not None
    assert kept.valid[0].sum(-1).tolist() == [4, 8]
    shown = [kept.index[0, head][kept.valid[0, head]].tolist() for head in (0, 1)]
    assert shown == [[6, 7, 8, 9], [2, 3, 4, 5, 6, 7, 8, 9]]
