"""Entities: names, titles, identifiers and compound nouns, and the rows that hold them."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np
import pytest

from engram.plaintext.roles import Record, Route, View
from engram.plaintext.text.entities import IS_A, alike, asked_of, entities, naming, nodes
from engram.ports import Vectors

Look = Callable[..., AbstractContextManager[View]]


class Letters:
    """An embedder for which texts are alike that share their first letters."""

    name, dimension = "letters", 26

    def embed(self, texts: Sequence[str]) -> Vectors:
        """A number for each letter of the first five, counted."""
        rows = np.zeros((len(texts), 26), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for letter in text.lower()[:5]:
                row[(ord(letter) - ord("a")) % 26] += 1
        lengths: Vectors = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / lengths


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I met Peter Berg in Oslo.", [("Peter Berg", "person"), ("Oslo", "place")]),
        ('We saw "The Long Way Home" twice.', [("The Long Way Home", "title")]),
        ("Ask ana@example.org.", [("ana@example.org", "identifier")]),
        ("What is GPT-4 for, and my_file?", [("GPT-4", "identifier"), ("my_file", "identifier")]),
        ("I found an adoption agency.", [("adoption agency", "thing")]),
        ("I signed up for a new pottery class yesterday.", [("pottery class", "thing")]),
        ("The dance studio means a lot to me.", [("dance studio", "thing")]),
        ("I had a great time on the 18th.", []),
        ("the", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_text_names_what_it_names(text: str, found: list[tuple[str, str]]) -> None:
    """By capitals, quotes, form, or the words around."""
    assert [(each.text, each.kind) for each in entities(text)] == found


def test_each_entity_is_found_once_at_its_first_place() -> None:
    """Also where two rules find it."""
    text = 'In Oslo. "Oslo" is in Oslo.'

    assert [(each.text, each.kind, each.start) for each in entities(text)] == [("Oslo", "place", 3)]


def test_any_text_is_read_to_its_limit() -> None:
    """A document of a million characters is not read to its end."""
    assert entities("my pottery class " * 60_000)[0].text == "pottery class"


def test_a_query_asks_for_its_speakers_first() -> None:
    """And for each name once."""
    route = Route("Did ana meet Peter in the adoption agency?", "", 0.0, people=("Ana",))

    assert asked_of(route) == ["Ana", "Peter", "adoption agency"]


def test_rows_hold_a_name_when_its_words_stand_together(view_of: Look) -> None:
    """Inflected or not; the other way round they name something else."""
    talk = [
        "The adoption agency called.",
        "The agency has no adoption.",
        "adoption agencies",
        "rain",
    ]
    with view_of(talk, hidden=[2]) as view:
        assert naming("adoption agency", view).tolist() == [0]
        assert naming("rain", view).tolist() == [3]
        assert naming("absent", view).tolist() == []
        assert naming("", view).tolist() == []


def test_nodes_are_facts_that_say_what_something_is(view_of: Look) -> None:
    """Live ones only; other facts are none."""
    node = Record(
        "", "Oslo", kind="fact", fields={"head": "oslo", "relation": IS_A, "tail": "place"}
    )
    fact = replace(node, text="x", fields={"head": "oslo", "relation": "lives_in", "tail": "x"})
    with view_of(["Oslo", node, fact, node], hidden=[3]) as view:
        assert [(row, found.text) for row, found in nodes(view)] == [(1, "Oslo")]


def test_names_are_alike_by_their_vectors_where_their_beginnings_are() -> None:
    """Equal ones need no embedder, and without one only they are alike."""
    others = ["OSLO", "Melanie", "Oslop", "Emlani"]

    assert alike("Oslo", others, None, 0.5) == [(0, 1.0)]
    assert [at for at, _ in alike("Oslo", others, Letters(), 0.7)] == [0, 2]
    assert [at for at, _ in alike("Mel", others, Letters(), 0.7)] == [1]
    assert alike("Oslo", others, Letters(), 1.01) == [(0, 1.0)]
    assert alike("Oslo", [], Letters(), 0.5) == []
