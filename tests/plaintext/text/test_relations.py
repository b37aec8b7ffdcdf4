"""Questions name a relation, and corrections name what is put right."""

from time import process_time

import pytest

from engram.plaintext.text.relations import RELATIONS, asked, attribute, correction


@pytest.mark.parametrize(
    ("query", "relation"),
    [
        ("where does she live", "lives_in"),
        ("Which city do I live in?", "lives_in"),
        ("Where do I work?", "works_at"),
        ("What does Ana do for a living?", "job"),
        ("Who is Ana married to?", "partner"),
        ("What is my relationship status?", "status"),
        ("what's my favorite color?", "favourite:colour"),
        ("What is Tom's favourite food?", "favourite:food"),
        ("How many cats does Ana have?", "count:cat"),
        ("how many kids do I have", "count:child"),
        ("How old is Tom?", "age"),
        ("When is my birthday?", "birthday"),
        ("Where was he born?", "born_in"),
        ("Where is Ana from?", "comes_from"),
        ("What is my name?", "name"),
        ("what's my email?", "email"),
        ("What am I allergic to?", "allergic_to"),
        ("Which languages does Ana speak?", "speaks"),
        ("What does Ana like?", "likes"),
        ("what is the capital of Norway", None),
        ("When did Caroline go to the support group?", None),
        ("", None),
    ],
)
def test_a_question_asks_for_a_relation(query: str, relation: str | None) -> None:
    """Favourites and counts are completed by what was asked."""
    assert asked(query) == relation


def test_spelling_and_number_do_not_split_a_slot() -> None:
    """A favourite color and a favourite colour are one."""
    assert attribute("Colors") == attribute("colour") == "colour"
    assert attribute("kids") == attribute("children") == "child"
    assert attribute("puppies") == "puppy"


def test_relations_have_unique_names_and_a_phrase() -> None:
    """The name is the slot in the store, the phrase what people read."""
    rows = [row.name for row in RELATIONS]

    assert len(rows) == len(set(rows))
    assert all("{head}" in row.phrase and "{tail}" in row.phrase for row in RELATIONS)
    assert all(row.cues and row.says and row.asks for row in RELATIONS)


@pytest.mark.parametrize(
    ("text", "new", "old"),
    [
        ("actually it's Oslo, not Bergen", "Oslo", "Bergen"),
        ("It was 2019, not 2018.", "2019", "2018"),
        ("Not Bergen but Oslo", "Oslo", "Bergen"),
        ("sorry, I meant 14 May", "14 May", ""),
        ("Oops, I meant Tom, not Tim", "Tom", "Tim"),
        ("no, it was 2019", "2019", ""),
        ("Correction: it's Anna", "Anna", ""),
    ],
)
def test_a_correction_is_read(text: str, new: str, old: str) -> None:
    """What holds now, and what does not where it is said."""
    found = correction(text)

    assert found is not None
    assert (found.new, found.old) == (new, old)
    assert new in text[found.start : found.end]


@pytest.mark.parametrize(
    "text",
    [
        "no, it's fine",
        "I meant to call you",
        "I'm not Bob",
        "Sorry, it was great",
        "Actually I like it",
        "not bad",
        "It's not that I mind",
        "What do you mean?",
        "",
        "No. I live in Oslo.",
    ],
)
def test_talk_that_corrects_nothing_is_none(text: str) -> None:
    """Only names, numbers and dates are put right."""
    assert correction(text) is None


@pytest.mark.parametrize(
    "piece", ["not A ", "A", "it's A, ", "no, ", "sorry, I meant ", "where ", "1", "I "]
)
def test_hostile_text_is_quick(piece: str) -> None:
    """Two hundred thousand characters take under a second."""
    text = (piece * 200_000)[:200_000]
    start = process_time()

    correction(text)
    asked(text)

    assert process_time() - start < 1
