"""Linked rows: brought along by the hit that they are linked with, whatever the query says."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np
import pytest

from engram.plaintext.refiners.linked import Linked
from engram.plaintext.roles import Record, Route, Source, View

Look = Callable[..., AbstractContextManager[View]]
NOWHERE = Route("", "", 0.0)


def named(number: int) -> str:
    """The id that the row of this number has in a view of one conversation."""
    return str(uuid.UUID(int=number + 1))


def note(*links: int) -> Record:
    """A note that is linked with the rows of these numbers."""
    return Record("", "a note", kind="note", links={named(number): "related" for number in links})


def refined(
    look: Look,
    linked: Linked,
    rows: Sequence[Record | str],
    scores: Sequence[float],
    hidden: int = -1,
) -> list[float]:
    """The scores after refining."""
    with look(rows, hidden=[hidden]) as view:
        found = linked.refine(NOWHERE, np.array(scores, dtype=np.float32), view)
        return [round(float(score), 6) for score in found]


def slow(
    linked: Linked, links: Mapping[int, Sequence[int]], scores: Sequence[float]
) -> list[float]:
    """The same with loops, where every row is a result of its own."""
    best = sorted(range(len(scores)), key=lambda at: (-scores[at], at))[: linked.hits]
    worth = {at: scores[at] for at in best if scores[at] > 0}
    raised = list(scores)
    pairs = [(a, b) for a, others in links.items() for b in others]
    for _ in range(linked.hops):
        brought: dict[int, float] = {}
        for a, b in [*pairs, *((b, a) for a, b in pairs)]:
            brought[b] = max(brought.get(b, 0.0), linked.share * worth.get(a, 0.0))
        for at, value in brought.items():
            raised[at] = max(raised[at], value)
            worth[at] = max(worth.get(at, 0.0), value)
    return [round(score, 6) for score in raised]


@pytest.mark.parametrize("linked", [Linked(), Linked(hits=2), Linked(hops=2), Linked(share=0.9)])
def test_scores_are_those_of_following_each_link(view_of: Look, linked: Linked) -> None:
    """Both ways, from the best rows, hop by hop."""
    links = {0: [2], 1: [0, 4], 3: [1], 5: []}
    rows = [note(*links.get(number, ())) for number in range(6)]
    scores = [1.0, 0.8, 0.0, 0.3, 0.7, 0.5]

    assert refined(view_of, linked, rows, scores) == slow(linked, links, scores)


def test_a_chain_is_followed_as_far_as_it_may(view_of: Look) -> None:
    """The query speaks for the first; the second is one hop away, the third two."""
    rows = [note(1), note(2), note()]

    assert refined(view_of, Linked(hops=0), rows, [1, 0, 0]) == [1, 0, 0]
    assert refined(view_of, Linked(share=0.5), rows, [1, 0, 0]) == [1, 0.5, 0]
    assert refined(view_of, Linked(share=0.5, hops=2), rows, [1, 0, 0]) == [1, 0.5, 0.25]


def test_no_score_is_lowered(view_of: Look) -> None:
    """A row that is better by itself keeps what it has."""
    assert refined(view_of, Linked(share=0.5), [note(1), note()], [1.0, 0.9]) == [1.0, 0.9]


def test_a_linked_row_stands_behind_its_hit_and_before_the_weak(view_of: Look) -> None:
    """It is expanded after the best were chosen, and has its place among them."""
    rows = [note(), note(0), note(), note()]
    found = refined(view_of, Linked(hits=1), rows, [0.0, 1.0, 0.2, 0.1])

    assert sorted(range(4), key=lambda at: -found[at]) == [1, 0, 2, 3]


def test_rows_that_miss_the_cut_bring_nothing(view_of: Look) -> None:
    """Only the links of the best are followed."""
    rows = [note(), note(2), note()]

    assert refined(view_of, Linked(hits=1), rows, [1.0, 0.9, 0.0]) == [1.0, 0.9, 0.0]


def test_a_message_that_is_hit_brings_what_its_note_is_linked_with(view_of: Look) -> None:
    """A raw record and its note are one result."""
    with view_of(["said", "other"]) as view:
        said, other = view.records(np.arange(2))
    mine = replace(note(3), sources=(_whole(said),))
    its = replace(note(), sources=(_whole(other),))
    rows: list[Record | str] = ["said", "other", mine, its]

    assert refined(view_of, Linked(share=0.5), rows, [1.0, 0, 0, 0]) == [1.0, 0, 0, 0.5]


def test_what_is_hidden_is_neither_brought_nor_followed(view_of: Look) -> None:
    """An expired note in the middle ends the chain."""
    rows = [note(1), note(2), note()]

    assert refined(view_of, Linked(hops=2), rows, [1, 0, 0], hidden=1) == [1, 0, 0]


def test_without_links_nothing_changes(view_of: Look) -> None:
    """Of none, one and three rows."""
    for scores in ([], [1.0], [1.0, 0.5, 0.0]):
        assert refined(view_of, Linked(), [note() for _ in scores], scores) == scores


def _whole(record: Record) -> Source:
    return Source(record.id, 0, len(record.text))
