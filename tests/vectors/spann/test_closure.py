"""Which heads a vector is listed under, beside the rule as the paper writes it."""

from collections.abc import Callable

import numpy as np
import pytest

from engram.vectors.exact import Floats
from engram.vectors.spann.closure import closure
from engram.vectors.spann.settings import CANDIDATES, Spann


def by_the_rule(vector: Floats, heads: Floats, settings: Spann) -> list[int]:
    """One vector, head by head, in plain distances squared."""
    away = [float(((vector - head) ** 2).sum()) for head in heads]
    order = sorted(range(len(heads)), key=lambda at: away[at])
    accepted: list[int] = []
    for at in order[:CANDIDATES]:
        near = away[at] <= (1 + settings.eps1) ** 2 * away[order[0]] + 1e-6
        clear = all(
            settings.rng * float(((heads[at] - heads[other]) ** 2).sum()) >= away[at]
            for other in accepted
        )
        if near and clear and len(accepted) < settings.replicas:
            accepted.append(at)
    return accepted


@pytest.mark.parametrize(
    "settings",
    [
        Spann(),
        Spann(eps1=0.5),
        Spann(eps1=5.0),
        Spann(eps1=5.0, rng=0.0),
        Spann(eps1=5.0, rng=2.0, replicas=3),
        Spann(replicas=1),
    ],
)
def test_heads_are_accepted_as_the_rule_says(
    mixture: Callable[..., Floats], settings: Spann
) -> None:
    """The same heads in the same order, for every vector."""
    vectors, heads = mixture(120), mixture(90, seed=3)

    listed = closure(vectors, heads, settings)

    for at, vector in enumerate(vectors):
        mine = listed.vectors == at
        order = np.argsort(listed.away[mine], kind="stable")
        assert listed.heads[mine][order].tolist() == by_the_rule(vector, heads, settings)
        assert listed.first[mine].sum() == 1
        assert listed.away[mine][listed.first[mine]] == listed.away[mine].min()


def test_eps1_is_a_ratio_of_distances_and_not_of_their_squares() -> None:
    """A head 1.4 times as far is within 1 + 0.5, though its squared distance is not."""
    vector, heads = np.zeros((1, 2), np.float32), np.array([[1, 0], [-1.4, 0]], np.float32)

    assert closure(vector, heads, Spann(eps1=0.5)).heads.tolist() == [0, 1]
    assert closure(vector, heads, Spann(eps1=0.3)).heads.tolist() == [0]


def test_a_head_behind_another_is_passed_over() -> None:
    """Of three heads on one side and one on the other, the nearest on each side."""
    vector = np.zeros((1, 2), np.float32)
    heads = np.array([[1, 0], [1.1, 0], [1.2, 0.1], [-1.3, 0]], np.float32)

    assert closure(vector, heads, Spann(eps1=1.0)).heads.tolist() == [0, 3]
    assert len(closure(vector, heads, Spann(eps1=1.0, rng=0.0)).heads) == 1


@pytest.mark.parametrize(("vectors", "heads"), [(0, 3), (3, 1), (1, 1), (0, 0)])
def test_few_of_either_are_listed_all_the_same(
    mixture: Callable[..., Floats], vectors: int, heads: int
) -> None:
    """Each vector is under a head, where there is one."""
    listed = closure(mixture(vectors), mixture(heads), Spann())

    assert sorted(set(listed.vectors.tolist())) == list(range(vectors))
