"""Rows that name what the query names: half the likeness, damped by how many they are."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
import pytest

from engram.plaintext.indexes.linked_entities import LinkedEntities
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


def search(
    look: Look, index: LinkedEntities, query: str, talk: Sequence[str | Record], **route: object
) -> list[float]:
    """What the channel gives each row."""
    with look(talk) as view:
        asked = Route(query, query, 0.0, **route)  # type: ignore[arg-type]
        scores: list[float] = index.search(asked, view).tolist()
        return scores


def node(name: str) -> Record:
    """A name that the memory knows."""
    slot = {"head": name.lower(), "relation": IS_A, "tail": "person"}
    return Record("", name, kind="fact", fields=slot)


@pytest.mark.parametrize(("links", "worth"), [(1, 0.5), (2, 0.4995), (32, 0.255)])
def test_an_entity_that_many_rows_name_is_worth_less(
    view_of: Look, links: int, worth: float
) -> None:
    """The figures of the card."""
    talk = [*["Oslo"] * links, "rain"]
    found = search(view_of, LinkedEntities(), "What about Oslo?", talk)

    assert found == pytest.approx([*[worth] * links, 0], abs=5e-4)


def test_the_scores_are_those_of_the_formula(view_of: Look) -> None:
    """A half over one and a thousandth of the other links, squared; the best entity counts."""
    talk = ["Oslo and Paris", "Oslo", "Oslo", "Paris", "rain", "Oslo"]
    index = LinkedEntities(share=0.5, damping=0.1)
    oslo, paris = (0.5 / (1 + 0.1 * (links - 1) ** 2) for links in (4, 2))

    found = search(view_of, index, "From Oslo to Paris?", talk)

    assert found == pytest.approx([paris, oslo, oslo, paris, 0, oslo])


def test_a_query_of_many_names_is_read_to_a_limit(view_of: Look) -> None:
    """The speakers that it names come first."""
    index = LinkedEntities(most=1)

    assert search(view_of, index, "Oslo or Paris?", ["Oslo", "Paris"]) == [0.5, 0]
    assert search(view_of, index, "Is Oslo for Ana?", ["Oslo", "Ana"], people=("Ana",)) == [0, 0.5]


def test_a_near_name_that_is_known_lends_its_rows(view_of: Look) -> None:
    """Half of the likeness; an unknown name, or one that is too far, lends nothing."""
    talk: list[str | Record] = ["Melanie paints", "rain", node("Melanie")]
    near = LinkedEntities(embedder=Nicknames())
    far = LinkedEntities(embedder=Nicknames(), near=0.9)

    assert search(view_of, near, "Does Mel paint?", talk) == pytest.approx([0.4, 0, 0])
    assert search(view_of, far, "Does Mel paint?", talk) == [0, 0, 0]
    assert search(view_of, LinkedEntities(), "Does Mel paint?", talk) == [0, 0, 0]
    assert search(view_of, near, "Does Mel paint?", talk[:2]) == [0, 0]


@pytest.mark.parametrize("query", ["", "?", "what is that", "Where is Kyoto?"])
def test_a_query_that_names_nothing_known_finds_nothing(view_of: Look, query: str) -> None:
    """Zero everywhere."""
    assert search(view_of, LinkedEntities(), query, ["Oslo", "rain"]) == [0, 0]
    assert search(view_of, LinkedEntities(), query, []) == []
