"""Wordings: when two say the same, and how several of them are held as one record."""

import uuid
from dataclasses import replace
from typing import Any

import pytest

from engram.plaintext.roles import Record, Scope, Source, State, Trust
from engram.plaintext.text.wording import (
    covers,
    exact,
    first_wording,
    grounded,
    lasts,
    lenders,
    merged,
    overlap,
    reworded,
    ties,
)


def record(number: int, text: str, **more: Any) -> Record:
    """A statement that rests on a message of the same number."""
    source = Source(f"message {number}", 0, len(text))
    return Record(str(uuid.UUID(int=number)), text, kind="statement", sources=(source,), **more)


CAT = record(1, "Ana has a cat", valid_from=1.0)
MOMO = record(2, "Ana has a cat called Momo", valid_from=2.0)
GREY = record(3, "The cat is grey", valid_from=3.0)


def test_a_text_covers_one_whose_words_it_all_says() -> None:
    """Grammar, case and inflection aside."""
    assert covers("Ana has two cats called Momo", "the CAT is called Momo")
    assert not covers("Ana has a cat", "Ana has a cat called Momo")
    assert covers("anything", "")


def test_overlap_is_the_share_of_words_in_common() -> None:
    """Of those that either says."""
    assert overlap("cat boat", "boat rain") == pytest.approx(1 / 3)
    assert overlap("cat", "cats") == 1
    assert overlap("", "") == 0


def test_names_and_numbers_are_exact() -> None:
    """No other word stands for them."""
    assert exact("We met Peter Berg at gate 12") == {"peter", "berg", "12"}
    assert exact("we met at the gate") == set()


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("Ana lives in Oslo", True),
        ("Ana resides in Oslo", True),
        ("Ana lives in Oslo with Peter", False),
        ("Ana has lived in Oslo for 9 years", False),
        ("Bananas cost money", False),
        ("", False),
    ],
)
def test_a_text_is_grounded_in_what_was_shown(text: str, made: bool) -> None:
    """Half of its words, and no invented name or number."""
    assert grounded(text, "Ana: I live in Oslo now") is made


def test_a_merged_record_fills_no_slot() -> None:
    """It is recalled through the other, and its slot is the other's."""
    slot = {"head": "ana", "relation": "has_pet", "tail": "cat", "functional": False}
    found = merged(replace(CAT, fields={**slot, "mood": "calm"}), MOMO)

    assert (found.state, found.superseded_by) == (State.MERGED, MOMO.id)
    assert found.fields == {"mood": "calm"}
    assert found.sources == CAT.sources


@pytest.mark.parametrize(
    ("ends", "others", "kept"),
    [
        (None, None, True),
        (None, 5.0, True),
        (5.0, None, False),
        (5.0, 5.0, True),
        (4.0, 5.0, False),
    ],
)
def test_what_stands_for_another_is_kept_as_long(
    ends: float | None, others: float | None, kept: bool
) -> None:
    """Or what was said for good would vanish with it."""
    one, other = replace(CAT, expires_at=ends), replace(MOMO, expires_at=others)

    assert lasts(one, other) is kept


def test_a_richer_wording_keeps_the_id_and_rests_on_the_new_message() -> None:
    """It has held since the first."""
    found = reworded(CAT, MOMO, "")

    assert found is not None
    assert (found.id, found.text) == (CAT.id, MOMO.text)
    assert (found.sources, found.valid_from) == (MOMO.sources, CAT.valid_from)


def test_a_wording_for_both_must_say_all_of_both_and_no_more() -> None:
    """Else the richer one alone; where neither says all, there is no rewording."""
    both = "Ana has a grey cat"
    made, refused = reworded(CAT, GREY, both), reworded(CAT, GREY, "Ana has a grey cat in Rome")

    assert made is not None
    assert made.text == both
    assert refused is None
    assert reworded(CAT, GREY, "") is None
    assert reworded(CAT, GREY, "Ana has a cat") is None


@pytest.mark.parametrize(
    "change",
    [
        {"scope": Scope(run="another")},
        {"trust": Trust.WEB},
        {"valid_from": 0.5},
        {"expires_at": 9.0},
    ],
    ids=["scope", "trust", "time", "end"],
)
def test_not_every_record_may_reword_another(change: dict[str, Any]) -> None:
    """None of another conversation, of less trust, from earlier, or that ends at another time."""
    assert reworded(CAT, replace(MOMO, **change), "") is None


def test_a_frozen_record_is_not_reworded() -> None:
    """It changes only by being thawed."""
    assert reworded(replace(CAT, frozen=True), MOMO, "") is None


def test_the_first_wording_is_kept_beside_the_richer_one() -> None:
    """Merged with it and resting on its own message, with the same id every time."""
    kept = first_wording(CAT)

    assert (kept.text, kept.sources) == (CAT.text, CAT.sources)
    assert (kept.state, kept.superseded_by) == (State.MERGED, CAT.id)
    assert kept.id != CAT.id
    assert kept.id == first_wording(CAT).id


def test_a_text_is_tied_to_those_whose_words_it_borrows() -> None:
    """Not to what it rests on, nor to what lent it nothing; each once."""
    asked, weather = Record(str(uuid.UUID(int=7)), "Still in Oslo?"), Record("w", "Rain again.")
    answer = Record(str(uuid.UUID(int=8)), "Yes, Ana here, living there!")
    text = "Ana lives in Oslo"
    found = lenders(text, answer, [answer, asked, weather, asked])
    fact = record(9, text)
    (tie,) = ties(fact, found)

    assert found == [asked]
    assert [source.record for source in tie.sources] == [asked.id]
    assert (tie.state, tie.superseded_by) == (State.MERGED, fact.id)
