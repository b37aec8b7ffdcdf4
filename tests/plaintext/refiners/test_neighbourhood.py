"""Edges around what a query names gain; the fittest of them only, and nothing is lowered."""

import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
import pytest

from engram.plaintext.refiners.neighbourhood import Neighbourhood
from engram.plaintext.roles import Record, Route, View
from engram.plaintext.text.entities import IS_A
from engram.ports import Vectors

Look = Callable[..., AbstractContextManager[View]]


class Nicknames:
    """An embedder for which Mel and Melanie are near, and all else is far."""

    name, dimension = "nicknames", 4

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The cosine of the two is 0.8."""
        known = {"mel": (1, 0, 0, 0), "melanie": (0.8, 0.6, 0, 0)}
        rows = [known.get(text.lower(), (0, 0, 0, 1)) for text in texts]
        return np.array(rows, dtype=np.float32)


def edge(text: str, *nodes: int) -> Record:
    """An edge that is linked with the rows of these numbers."""
    return Record("", text, kind="edge", links={str(uuid.UUID(int=at + 1)): "head" for at in nodes})


def node(name: str) -> Record:
    """A node of the graph."""
    slot = {"head": name.lower(), "relation": IS_A, "tail": "person"}
    return Record("", name, kind="fact", fields=slot)


def refined(
    look: Look,
    part: Neighbourhood,
    query: str,
    rows: Sequence[Record | str],
    scores: Sequence[float] = (),
) -> list[float]:
    """The scores of the rows after refining; all are 1 where none are passed."""
    with look(rows) as view:
        before = np.array(scores or [1.0] * len(rows), dtype=np.float32)
        found = part.refine(Route(query, query, 0.0), before, view)
        return [round(float(score), 4) for score in found]


def test_an_edge_gains_by_what_it_says_of_the_query(view_of: Look) -> None:
    """Words beside the name: both give all of the share, one its part, the name alone nothing."""
    rows: list[Record | str] = [
        edge("Ana visited the museum in winter"),
        edge("Ana visited friends"),
        edge("Ana likes tea"),
        edge("Ben visited the museum in winter"),
        "Ana visited the museum in winter",
    ]
    all_, part, name, other, raw = refined(
        view_of, Neighbourhood(share=0.5), "Did Ana visit a museum in winter?", rows
    )

    assert all_ == 1.5
    assert 1 < part < all_
    assert name == other == raw == 1


def test_only_the_fittest_gain(view_of: Look) -> None:
    """As many as are kept."""
    rows = [edge(f"Ana visited place {number}") for number in range(4)]
    found = refined(view_of, Neighbourhood(keep=2), "Where did Ana visit?", rows)

    assert sum(score > 1 for score in found) == 2


def test_a_near_name_leads_to_the_edges_of_its_node(view_of: Look) -> None:
    """Over the links; without an embedder, or too far away, it leads nowhere."""
    rows = [node("Melanie"), edge("paints sunrises", 0), edge("paints houses")]
    near = Neighbourhood(embedder=Nicknames())
    far = Neighbourhood(embedder=Nicknames(), near=0.9)

    assert refined(view_of, near, "What does Mel paint?", rows)[1] > 1
    assert refined(view_of, near, "What does Mel paint?", rows)[2] == 1
    assert refined(view_of, far, "What does Mel paint?", rows)[1] == 1
    assert refined(view_of, Neighbourhood(), "What does Mel paint?", rows)[1] == 1


def test_an_edge_gains_by_its_vector_without_a_name(view_of: Look) -> None:
    """The query against all triplets; below the least cosine they say nothing."""
    rows = [edge("Ana lives in Oslo"), edge("Ben lives in Rome"), "Ana lives in Oslo"]
    vectors = {0: (0.8, 0.6, 0, 0), 1: (0.3, 0.954, 0, 0), 2: (1.0, 0, 0, 0)}
    asked = Route("home?", "home?", 0.0, vector=np.array((1, 0, 0, 0), dtype=np.float32))
    with view_of(rows, vectors=vectors) as view:
        found = Neighbourhood(share=0.5).refine(asked, np.ones(3, dtype=np.float32), view)

    assert found.tolist() == pytest.approx([1.4, 1.0, 1.0], abs=1e-3)


def test_what_is_gained_is_a_share_of_the_best_score(view_of: Look) -> None:
    """Whatever the scale of the channels is; where nothing scores, nothing gains."""
    rows: list[Record | str] = [edge("Ana visited a museum"), "rain"]
    query = "Did Ana visit a museum?"

    assert refined(view_of, Neighbourhood(share=0.5), query, rows, [0.1, 4.0]) == [2.1, 4.0]
    assert refined(view_of, Neighbourhood(), query, rows, [0.0, -1.0]) == [0.0, -1.0]


def test_without_edges_scores_stay(view_of: Look) -> None:
    """Also where there is nothing at all."""
    assert refined(view_of, Neighbourhood(), "Ana?", ["Ana", "rain"]) == [1, 1]
    assert refined(view_of, Neighbourhood(), "Ana?", []) == []
