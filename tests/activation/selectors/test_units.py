"""Blocks are known by a few keys, and chosen by what the queries find in them."""

from typing import Any

import pytest
import torch
from torch import Tensor

from engram.activation.selectors.units import Match, Units
from engram.errors import InvalidInput

MATCHES: list[Match] = ["mean", "bound"]


def drawn(blocks: int, size: int = 8, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Keys of two heads, the attention of four, and five queries of theirs."""
    dice = torch.Generator().manual_seed(seed)
    keys = torch.randn(blocks, 2, size, 16, generator=dice)
    mass = torch.rand(blocks, 4, size, generator=dice)
    return keys, mass, torch.randn(4, 5, 16, generator=dice)


def slowly(keys: Tensor, mass: Tensor, queries: Tensor, count: int) -> list[float]:
    """Section 3.2 in loops: what each block is worth."""
    worth = []
    for block in range(len(keys)):
        total = 0.0
        for head in range(4):
            order = sorted(range(keys.shape[2]), key=lambda m: -float(mass[block, head, m]))
            for channel in range(16):
                unit = sum(float(keys[block, head // 2, m, channel]) for m in order[:count]) / count
                total += unit * sum(float(queries[head, at, channel]) for at in range(5)) / 5
        worth.append(total)
    return worth


@pytest.mark.parametrize("count", [1, 3, 8])
def test_blocks_are_chosen_as_the_paper_has_it(count: int) -> None:
    """The mean query of each head, times the mean of the keys that it looked at most."""
    keys, mass, queries = drawn(20)
    method = Units(topk=3, repr_topk=count, block_size=8)

    chosen = method.select(queries, method.units(keys, mass))

    worth = slowly(keys, mass, queries, count)
    best = sorted(range(20), key=lambda block: -worth[block])[:3]
    assert chosen.tolist() == sorted(best)


def test_a_bound_is_the_most_that_a_query_can_find() -> None:
    """No key in the box of a block has a larger product, and one at its corner has that."""
    keys, mass, queries = drawn(20)
    method = Units(topk=3, match="bound", block_size=8)

    chosen = method.select(queries, method.units(keys, mass))

    worth = []
    for block in range(20):
        total = 0.0
        for head in range(4):
            for at in range(5):
                for channel in range(16):
                    number = float(queries[head, at, channel])
                    column = keys[block, head // 2, :, channel]
                    total += max(number * float(column.min()), number * float(column.max()))
        worth.append(total)
    best = sorted(range(20), key=lambda block: -worth[block])[:3]
    assert chosen.tolist() == sorted(best)


def found(match: Match, mass_of_needle: float, trials: int = 100) -> float:
    """How often a needle is among the two of 64 blocks that are chosen."""
    method, hits = Units(topk=2, repr_topk=2, block_size=8, match=match), 0
    for trial in range(trials):
        keys, mass, queries = drawn(64, seed=trial)
        at = trial % 64
        keys[at, :, 3] += 10.0 * queries.mean(1).view(2, 2, 16).mean(1)
        mass[at, :, 3] = mass_of_needle
        hits += at in method.select(queries, method.units(keys, mass)).tolist()
    return hits / trials


@pytest.mark.parametrize("match", MATCHES)
def test_a_planted_needle_is_found(match: Match) -> None:
    """A key that the queries find among all others, and that was looked at while it was near."""
    assert found(match, mass_of_needle=2.0) >= 0.99


def test_what_nobody_looked_at_does_not_stand_for_a_block() -> None:
    """By the mean a key that got no attention is lost, by the bounds it is found."""
    assert found("mean", mass_of_needle=0.0) <= 0.2
    assert found("bound", mass_of_needle=0.0) >= 0.99


@pytest.mark.parametrize("match", MATCHES)
@pytest.mark.parametrize("blocks", [1, 3])
def test_few_blocks_are_all_taken(blocks: int, match: Match) -> None:
    """Up to ``topk`` of them nothing is left out."""
    keys, mass, queries = drawn(blocks)
    method = Units(topk=3, match=match, block_size=8)

    assert method.select(queries, method.units(keys, mass)).tolist() == list(range(blocks))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"topk": 0}, "must be at least 1"),
        ({"n_init": -1}, "got .* -1"),
        ({"match": "max"}, "'mean' or 'bound'.*'max'"),
        ({"repr_topk": 9, "block_size": 8}, "repr_topk must be at most block_size.*9 of 8"),
        ({"exec_block": 20, "n_local": 16}, "exec_block at most n_local.*20 of 16"),
    ],
)
def test_sizes_that_cannot_be_are_refused(wrong: dict[str, Any], says: str) -> None:
    """In one line."""
    with pytest.raises(InvalidInput, match=says):
        Units(**wrong)
