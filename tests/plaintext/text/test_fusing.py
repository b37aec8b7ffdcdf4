"""Fusing: what a text may stand for, what repeats and what contradicts what."""

from typing import Any

import pytest

from engram.plaintext.roles import Record
from engram.plaintext.text.fusing import (
    comparable,
    contradicts,
    drift,
    may_stand_for,
    repeats,
)

OLD, NEW = "Ana lives in Bergen.", "Ana lives in Oslo since 2026."


def item(text: str, **slot: Any) -> Record:
    """An item that states one thing, or nothing."""
    about = {"tail": "user", **({"slot": slot} if slot else {})}
    return Record("", text, kind="item", fields=about)


def home(text: str, tail: str, head: str = "ana", relation: str = "home") -> Record:
    """An item that says where somebody lives."""
    return item(text, head=head, relation=relation, tail=tail, functional=relation == "home")


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("Ana lives in Oslo since 2026, not in Bergen.", True),
        ("Ana lives in Oslo.", False),  # a number of the new one is missing
        ("Ana lives in Paris, in Oslo since 2026.", False),  # a name that nobody said
        ("", False),
        (f"{OLD} {NEW} {NEW}", False),  # longer than both
        (OLD, False),
        (NEW, True),
    ],
)
def test_a_text_may_stand_for_two(text: str, may: bool) -> None:
    """It keeps what the newer says and makes nothing up."""
    assert may_stand_for(text, [OLD, NEW]) is may


def test_a_long_text_may_drift_less_than_a_short_one() -> None:
    """A share of the characters, by the length of what goes."""
    plain, rare = "nurse tea cat rain sail " * 2, "quartz jumbo vex fjord pique why glyphs"

    assert drift("abc", "abd") == 0.5
    assert may_stand_for("nurse tea cat rain sail", [plain, "tea"])
    assert may_stand_for("tea cat rain", [f"{rare} {plain}", "tea"])
    assert not may_stand_for("tea cat rain", [f"{rare} {plain * 20}", "tea"])


def test_a_repetition_says_every_word_of_the_old() -> None:
    """And hardly more; a weekday is a word, and two slots are two things."""
    monday, friday = item("Chess with Tomas on Monday."), item("Chess with Tomas on Friday.")
    more = item("Chess with Tomas on Monday, with tea.")

    assert repeats(item("On Monday: chess with Tomas!"), monday, 0.5, 0.92)
    assert repeats(more, monday, 0.95, 0.92)
    assert not repeats(more, monday, 0.9, 0.92)
    assert not repeats(monday, more, 0.95, 0.92)
    assert not repeats(friday, monday, 0.99, 0.92)
    assert not repeats(home("Oslo.", "Oslo"), home("Oslo.", "Oslo", "ben"), 1.0, 0.92)


def test_a_contradiction_needs_one_subject_and_one_relation() -> None:
    """Which holds one thing at a time, and is filled with two."""
    oslo = home("I live in Oslo.", "Oslo")

    assert contradicts(oslo, home("I live in Bergen.", "Bergen"))
    assert not contradicts(oslo, home("Oslo is home.", "oslo"))
    assert not contradicts(oslo, home("Ben lives in Bergen.", "Bergen", "ben"))
    assert not contradicts(oslo, item("I live in Bergen."))
    likes = [home(f"I like {tail}.", tail, relation="likes") for tail in ("tea", "milk")]
    assert not contradicts(*likes)


def test_a_model_cannot_contradict_across_subjects() -> None:
    """Where rules read what both are about; else its word is taken."""
    oslo = home("I live in Oslo.", "Oslo")

    assert comparable(oslo, home("I live in Bergen.", "Bergen"))
    assert not comparable(oslo, home("Ben lives in Bergen.", "Bergen", "ben"))
    assert comparable(oslo, item("Bergen is where I live."))


def test_a_rewritten_item_states_nothing() -> None:
    """Its slot was read out of other words."""
    oslo = home("I live in Oslo.", "Oslo")
    rewritten = Record("", "I like tea.", fields={"slot": dict(oslo.fields["slot"])})

    assert not contradicts(home("I live in Bergen.", "Bergen"), rewritten)
