"""The desk: what a batch makes is near what comes next, and every edit names its version."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np
import pytest

from engram.plaintext.roles import Record, View
from engram.plaintext.text.desk import Desk
from engram.plaintext.text.salience import FEW
from engram.ports import Embedder
from engram.testing.ports import Buckets

Look = Callable[..., AbstractContextManager[View]]
WORDS = Buckets(dimension=4)


def note(text: str, number: int = 0) -> Record:
    """A note; with a number, one that no view holds."""
    return Record(f"new {number}", text, kind="note")


@pytest.fixture
def view(view_of: Look) -> Iterator[View]:
    """Three notes, embedded, and a message; the last note has expired."""
    texts = ("boat", "rain", "rain rain")
    vectors = {at: WORDS.embed([text])[0] for at, text in enumerate(texts)}
    rows = [*(note(text) for text in texts), "boat rain"]
    with view_of(rows, vectors=vectors, hidden=[2]) as found:
        yield found


def near(desk: Desk, text: str, count: int = 9) -> list[str]:
    """What is near a text, nearest first."""
    return [record.text for record, _ in desk.near(note(text, 99), text.split(), count)]


@pytest.mark.parametrize("embedder", [WORDS, None], ids=["vectors", "words"])
def test_live_notes_are_near_by_what_they_say(view: View, embedder: Embedder | None) -> None:
    """Not the expired one, nor the message."""
    desk = Desk(view, ["note"], embedder)

    assert near(desk, "rain")[:1] == ["rain"]
    assert near(desk, "rain", 0) == []
    assert near(Desk(view, ["summary"], embedder), "rain") == []


@pytest.mark.parametrize("embedder", [WORDS, None], ids=["vectors", "words"])
def test_what_was_put_down_is_near_in_its_new_words(view: View, embedder: Embedder | None) -> None:
    """New records, and records of the view that changed."""
    desk = Desk(view, ["note"], embedder)
    boat, _ = (record for record, _ in desk.near(note("boat rain", 9), ["boat", "rain"], 2))
    desk.put(note("chess", 1), ["chess"])
    desk.put(replace(boat, text="chess light"), ["chess", "light"])

    assert set(near(desk, "chess", 2)) == {"chess", "chess light"}
    assert "boat" not in near(desk, "boat")


def test_cosines_are_those_of_the_vectors(view: View) -> None:
    """Of all records on the desk, in the order of their ids; 0 for what says nothing."""
    desk = Desk(view, ["note"], WORDS)
    desk.put(note("rain boat", 1))
    desk.put(note("?", 2))
    wanted = WORDS.embed(["boat", "rain", "rain boat", "?"]) @ desk.vector("rain")

    assert desk.cosines(desk.vector("rain")) == pytest.approx(wanted, abs=1e-3)
    assert len(desk.ids) == 4


def test_near_notes_come_with_their_cosine_or_none(view: View) -> None:
    """Shared words are no cosine."""
    ((_, cosine),) = Desk(view, ["note"], WORDS).near(note("rain", 9), ["rain"], 1)
    ((_, nothing),) = Desk(view, ["note"], None).near(note("rain", 9), ["rain"], 1)

    assert cosine == pytest.approx(1, abs=1e-3)
    assert nothing == 0
    assert not Desk(view, ["note"], None).vector("rain").any()


def test_a_record_is_not_near_itself(view: View) -> None:
    """It would always be the nearest."""
    desk = Desk(view, ["note"], WORDS)
    rain, _ = desk.near(note("rain", 9), ["rain"], 1)[0]

    assert rain.id not in [record.id for record, _ in desk.near(rain, ["rain"], 9)]


def test_edits_are_the_last_states_on_the_versions_of_the_view(view: View) -> None:
    """A new record has no version to replace."""
    desk = Desk(view, ["note"], WORDS)
    old = desk.get(desk.ids[0])
    assert old is not None
    for text in ("boats", "boats again"):
        desk.put(replace(old, text=text))
    desk.put(note("new", 1))

    assert [(edit.record.text, edit.basis) for edit in desk.edits()] == [
        ("boats again", 1),
        ("new", 0),
    ]
    assert desk.get("nobody") is None


def test_links_to_what_is_gone_are_left_out(view: View) -> None:
    """Of what was erased no id stays; others on the desk and in the store are kept."""
    desk = Desk(view, ["note"], WORDS)
    kept = {"new 2": "related", desk.ids[0]: "related"}
    desk.put(replace(note("new", 1), links={**kept, "erased": "related"}))
    desk.put(note("newer", 2))
    edits = list(desk.edits())

    assert edits[0].record.links == kept


def test_a_term_is_rare_among_messages_not_among_notes(view: View) -> None:
    """What was said counts; what was made of it repeats it."""
    desk = Desk(view, ["note"], WORDS)

    assert desk.rarity("rain") == pytest.approx(np.log((1 + FEW) / 1.5))
