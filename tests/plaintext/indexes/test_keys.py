"""Keys: what a query says of the titles and tags of items."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from engram.plaintext.indexes.keys import Keys
from engram.plaintext.roles import Record, Route
from engram.plaintext.store.view import Snapshot

ViewOf = Callable[..., AbstractContextManager[Snapshot]]
TEXT = "Quentin Varga keeps bees near Reykjavik."


def item(title: str, *tags: str, text: str = TEXT, **more: Any) -> Record:
    """An item with a title and tags."""
    about = {"title": title}
    return Record("", text, kind="item", fields=about, tags=("memory:user", *tags), **more)


def scores(query: str, view: Snapshot, **settings: Any) -> list[float]:
    """What each row is worth, rounded."""
    found = Keys(**settings).search(Route(query, query, 0.0), view)
    return [round(float(score), 3) for score in found]


def test_the_very_title_is_worth_all(view_of: ViewOf) -> None:
    """Whatever else the query says, in any form of its words."""
    with view_of([item("keeping bees")]) as view:
        assert scores("Who keeps bees?", view) == [1.0]
        assert scores("Who keeps goats?", view) == [0.0]


@pytest.mark.parametrize(("query", "worth"), [("Varga bees", 1.0), ("bees of Varga, honey", 0.667)])
def test_shared_tags_are_worth_their_share_of_the_query(
    view_of: ViewOf, query: str, worth: float
) -> None:
    """From two on; the title says something else."""
    with view_of([item("a gift", "Varga", "bees")]) as view:
        assert scores(query, view) == [worth]


def test_one_shared_tag_is_worth_nothing(view_of: ViewOf) -> None:
    """Unless one is asked to be enough."""
    with view_of([item("a gift", "Varga", "bees")]) as view:
        assert scores("Varga", view) == [0.0]
        assert scores("Varga", view, shared=1) == [1.0]


def test_the_tag_of_a_tier_is_no_tag_of_a_topic(view_of: ViewOf) -> None:
    """A query about memory and users recalls nothing by it."""
    with view_of([item("a gift", text="The memory of a user.")]) as view:
        assert scores("memory user", view) == [0.0]


def test_only_live_items_are_rated(view_of: ViewOf) -> None:
    """Not what was said, not what has expired; an empty view has nothing to rate."""
    with view_of([TEXT, item("bees"), item("bees")], hidden=[2]) as view:
        assert scores("bees", view) == [0.0, 1.0, 0.0]
    with view_of() as view:
        assert scores("bees", view) == []


def test_those_with_the_most_words_are_looked_at(view_of: ViewOf) -> None:
    """When there are more than may be."""
    with view_of([item("bees", text="Bees."), item("bees")]) as view:
        assert scores("Quentin bees", view, most=1) == [0.0, 1.0]
        assert scores("", view) == [0.0, 0.0]
