"""Tiers: how an item moves between them, and how much it is needed."""

import pytest

from engram.plaintext.roles import Record
from engram.plaintext.text.tiers import at_hand, changes, importance, marked, moved, tag_of


def item(name: str, *, working: bool = False, frozen: bool = False) -> Record:
    """An item of user memory."""
    home = Record(name, name, kind="item", fields=marked("user", {}), tags=("memory:user", "tea"))
    made = Record(**{**{f: getattr(home, f) for f in home.__slots__}, "frozen": frozen})
    return moved(made, working=True) if working else made


def test_an_item_comes_back_to_its_home_tier() -> None:
    """With the tags that it had."""
    home = item("a")
    there = moved(home, working=True)

    assert at_hand(there)
    assert there.tags == (tag_of("working"), "memory:user", "tea")
    assert moved(there, working=True) == there
    assert moved(there, working=False) == home


def test_only_what_enters_or_leaves_changes() -> None:
    """Frozen items do neither."""
    before = [item("a", working=True), item("b", working=True)]
    after = [before[1], item("c"), item("d", frozen=True)]

    found = changes(before, after)

    assert [(each.id, at_hand(each)) for each in found] == [("a", False), ("c", True)]


@pytest.mark.parametrize(
    ("parts", "worth"),
    [((1.0, 5, 2), 1.0), ((1.0, 99, 99), 1.0), ((0.0, 0, 0), 0.0), ((0.5, 5, 0), 0.5)],
)
def test_importance_is_mostly_rank(parts: tuple[float, int, int], worth: float) -> None:
    """Nine tenths; words of queries and uses share the rest, up to five and two."""
    assert importance(*parts) == pytest.approx(worth)


def test_the_published_weights_count_twice() -> None:
    """So that five words of the query are worth an eightieth, and the rank is all."""
    assert importance(1.0, 5, 2, faithful=True) == pytest.approx(0.9 + 0.0125 + 0.005)
    assert importance(0.0, 1000, 1000, faithful=True) == pytest.approx(0.25 + 0.1)
