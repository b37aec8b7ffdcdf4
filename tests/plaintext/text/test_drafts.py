"""Drafts: what a view holds of one kind, under what was laid over it."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from engram.plaintext.roles import Record, State, View
from engram.plaintext.text.drafts import Drafts, earlier

Look = Callable[..., AbstractContextManager[View]]


def known(text: str, tail: str = "", **more: Any) -> Record:
    """A statement of the view; with a tail it fills a slot."""
    slot = {"head": "ana", "relation": "likes", "tail": tail} if tail else {}
    return Record("", text, kind="statement", fields=slot, **more)


def made(number: int, text: str, **more: Any) -> Record:
    """A statement that the view does not hold."""
    return replace(known(text, **more), id=str(uuid.UUID(int=9_000 + number)))


def test_what_is_laid_over_the_view_is_near_too(view_of: Look) -> None:
    """In its last state, and only while it is active; of another kind nothing is."""
    with view_of([known("cat boat"), known("cat rain"), "cat lamp"]) as view:
        drafts = Drafts(view, "statement", None)
        first, second = view.records(drafts_rows(view))
        drafts.lay(replace(first, state=State.ARCHIVED), made(1, "cat boat lamp"))
        found = drafts.near(made(2, "cat boat"), 5)

    assert [each.text for each, _ in found] == ["cat boat lamp", "cat rain"]
    assert [round(near, 2) for _, near in found] == [0.67, 0.33]
    assert second.text == "cat rain"


def drafts_rows(view: View) -> Any:
    """Positions of the statements."""
    return [at for at, each in enumerate(view.columns.of_kind("statement")) if each]


def test_only_what_was_stored_before_is_near_to_what_is_stored(view_of: Look) -> None:
    """Or a batch would settle the first statement by the last."""
    with view_of([known("cat boat"), known("cat rain"), known("cat lamp")]) as view:
        drafts = Drafts(view, "statement", None)
        middle = view.records(drafts_rows(view))[1]
        before = drafts.near(middle, 5, earlier=True)
        around = drafts.near(middle, 5)

    assert [each.text for each, _ in before] == ["cat boat"]
    assert [each.text for each, _ in around] == ["cat boat", "cat lamp"]


def test_a_slot_is_filled_by_stored_and_laid_records(view_of: Look) -> None:
    """Each as it stands."""
    with view_of([known("likes tea", "tea"), known("likes rain")]) as view:
        drafts = Drafts(view, "statement", None)
        (tea, _) = view.records(drafts_rows(view))
        drafts.lay(replace(tea, state=State.ARCHIVED), made(1, "likes milk", tail="milk"))
        found = drafts.filling(made(2, "likes juice", tail="juice"))

        assert [(each.text, each.state) for each in found] == [
            ("likes tea", State.ARCHIVED),
            ("likes milk", State.ACTIVE),
        ]
        assert drafts.filling(made(3, "nothing")) == []


def test_what_is_settled_is_not_settled_again(view_of: Look) -> None:
    """Unless it was withdrawn: then what is read again is another record."""
    gone = known("cat", state=State.ARCHIVED)
    with view_of([known("boat"), gone]) as view:
        drafts = Drafts(view, "statement", None)
        held, withdrawn = view.records(drafts_rows(view))
        read = replace(withdrawn, state=State.ACTIVE)
        again = drafts.unsettled(read)
        new = made(1, "lamp")

        assert drafts.unsettled(held) is None
        assert drafts.unsettled(new) is new
        assert again is not None
        assert again.id != withdrawn.id
        drafts.lay(again)
        assert drafts.unsettled(read) is None


def test_edits_stand_on_the_versions_of_the_view(view_of: Look) -> None:
    """Nought for what is new; what is as it was is no edit."""
    with view_of([known("cat"), known("rain")]) as view:
        drafts = Drafts(view, "statement", None)
        cat, rain = view.records(drafts_rows(view))
        drafts.lay(replace(cat, text="cats"), made(1, "boat"), rain)

        assert [(e.record.text, e.basis) for e in drafts.edits()] == [("cats", 1), ("boat", 0)]


def test_an_empty_view_has_nothing_near(view_of: Look) -> None:
    """And no edits."""
    with view_of() as view:
        drafts = Drafts(view, "statement", None)

        assert drafts.near(made(1, "cat"), 5) == []
        assert drafts.edits() == ()


def test_the_newest_of_a_conversation_come_oldest_first(view_of: Look) -> None:
    """Raw ones from before the message, of its own conversation; others as many as there are."""
    talk = ["a cat", known("x"), "a boat", "a lamp", "a rain"]
    with view_of(talk, ["elsewhere"]) as view:
        lamp = view.records([3])[0]  # type: ignore[arg-type]

        assert [each.text for each in earlier(view, lamp, "raw", 10)] == ["a cat", "a boat"]
        assert [each.text for each in earlier(view, lamp, "raw", 1)] == ["a boat"]
        assert earlier(view, lamp, "raw", 0) == []
        assert [each.text for each in earlier(view, lamp, "statement", 10)] == ["x"]
