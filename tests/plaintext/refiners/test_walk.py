"""A walk from the best nodes along associations, and what the turns of each session gain."""

import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
import pytest

from engram.plaintext.refiners.walk import Walk
from engram.plaintext.roles import Record, Route, View
from engram.plaintext.text.sittings import LEVELS

Look = Callable[..., AbstractContextManager[View]]
NOWHERE = Route("", "", 0.0)
TURNS = 2  # a session; then come its three nodes
SIZE = TURNS + len(LEVELS)


def named(session: int, level: int) -> str:
    """The id of a node in a view of ``talk``."""
    return str(uuid.UUID(int=1000 * session + TURNS + level + 1))


def talk(count: int, *links: tuple[int, int]) -> list[list[str | Record]]:
    """So many sessions of two turns and three nodes; links are between the nodes of texts."""
    return [
        [
            *("turn" for _ in range(TURNS)),
            *(
                Record(
                    "",
                    kind,
                    kind=kind,
                    event_time=1.0,
                    links={named(b, 0): "associated" for a, b in links if a == at and not level},
                )
                for level, kind in enumerate(LEVELS)
            ),
        ]
        for at in range(count)
    ]


def gains(
    look: Look,
    walk: Walk,
    rows: Sequence[Sequence[str | Record]],
    nodes: Sequence[Sequence[float]],
    turns: Sequence[float] = (1.0, 1.0),
) -> list[list[float]]:
    """What the turns of each session gain; ``nodes`` are the scores of its three nodes."""
    scores = np.array([[*turns, *levels] for levels in nodes], dtype=np.float32)
    with look(*rows) as view:
        found = walk.refine(NOWHERE, scores.ravel(), view).reshape(-1, SIZE)
    assert not found[:, TURNS:].any(), "a node is no result"
    return [[round(float(value), 4) for value in row] for row in found[:, :TURNS] - list(turns)]


def slow(
    walk: Walk, links: Sequence[tuple[int, int]], nodes: Sequence[Sequence[float]]
) -> list[float]:
    """What each session gains: the equation of the walk, solved."""
    flat = np.array(nodes).ravel()
    seeds = set(np.argsort(-flat, kind="stable")[: walk.seeds].tolist())
    begin = np.array([max(0.0, s) if at in seeds else 0.0 for at, s in enumerate(flat)])
    begin /= begin.sum()
    step = np.zeros((len(flat), len(flat)))
    for a, b in links:
        step[3 * a, 3 * b] = step[3 * b, 3 * a] = 1
    for row in range(len(flat)):
        step[row] = step[row] / step[row].sum() if step[row].any() else begin
    share = np.linalg.solve(np.eye(len(flat)) - walk.follow * step.T, (1 - walk.follow) * begin)
    worth = share.reshape(-1, 3).sum(axis=1)
    return [round(float(value), 4) for value in walk.share * worth / worth.max()]


@pytest.mark.parametrize("walk", [Walk(), Walk(seeds=2), Walk(follow=0.5), Walk(share=1.0)])
def test_a_session_gains_what_the_walk_leaves_at_its_nodes(view_of: Look, walk: Walk) -> None:
    """Every turn of it alike, when all its turns bear on the query."""
    links = [(1, 0), (3, 0), (3, 2)]
    nodes = [[0.9, 0.2, 0.0], [0.1, 0.0, 0.1], [0.0, 0.5, -0.3], [0.0, 0.0, 0.0]]
    found = gains(view_of, walk, talk(4, *links), nodes)

    assert found == [[gain, gain] for gain in slow(walk, links, nodes)]


def test_an_associated_session_gains_though_nothing_speaks_for_it(view_of: Look) -> None:
    """Without following, and without the link, it gains nothing."""
    nodes = [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    linked = gains(view_of, Walk(), talk(3, (1, 0)), nodes)

    assert linked[0][0] > linked[1][0] > linked[2][0] == 0
    assert gains(view_of, Walk(follow=0), talk(3, (1, 0)), nodes)[1:] == [[0, 0], [0, 0]]
    assert gains(view_of, Walk(), talk(3), nodes)[1:] == [[0, 0], [0, 0]]


def test_only_the_best_nodes_are_seeds(view_of: Look) -> None:
    """What a weaker node says is not listened to."""
    nodes = [[0.9, 0.8, 0.0], [0.7, 0.0, 0.0]]

    assert gains(view_of, Walk(seeds=2), talk(2), nodes)[1] == [0, 0]
    assert gains(view_of, Walk(seeds=3), talk(2), nodes)[1][0] > 0


def test_a_turn_that_bears_on_nothing_gains_nothing(view_of: Look) -> None:
    """The session is filtered by what its turns are worth beside its best."""
    nodes = [[1.0, 0.0, 0.0]]
    walk = Walk(share=0.25, cutoff=0.3)

    assert gains(view_of, walk, talk(1), nodes, turns=(1.0, 0.29)) == [[0.25, 0]]
    assert gains(view_of, walk, talk(1), nodes, turns=(1.0, 0.31)) == [[0.25, 0.25]]


def test_where_no_node_speaks_no_turn_gains(view_of: Look) -> None:
    """The walk has nowhere to begin."""
    assert gains(view_of, Walk(), talk(2), [[0.0, 0.0, -1.0]] * 2) == [[0, 0]] * 2


def test_a_memory_without_nodes_is_left_as_it_is(view_of: Look) -> None:
    """Of no turns, and of some."""
    for texts in ([], ["one", "two", "three"]):
        scores = np.linspace(0, 1, len(texts), dtype=np.float32)
        with view_of(texts) as view:
            assert Walk().refine(NOWHERE, scores, view).tolist() == scores.tolist()
