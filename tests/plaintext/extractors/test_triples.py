"""The extractor turns statements into candidates with head, relation, tail and evidence."""

from datetime import UTC, datetime
from time import process_time
from typing import Any

import pytest

from engram.plaintext.extractors.triples import Triples
from engram.plaintext.roles import Candidate, Record

SAID = datetime(2023, 6, 9, 13, tzinfo=UTC).timestamp()


def extract(text: str, **fields: Any) -> list[Candidate]:
    """Candidates of a text said on 9 June 2023."""
    record = Record(id="r", text=text, fields=fields, event_time=SAID)
    return list(Triples().extract(record))


def test_a_fact_has_a_head_a_relation_a_tail_and_its_evidence() -> None:
    """Everything that the consolidator needs."""
    text = "Guess what! I moved to Oslo in May."
    [found] = extract(text, speaker="Ana", role="user")

    assert found.kind == "fact"
    assert found.text == "Ana lives in Oslo"
    assert found.fields == {
        "head": "ana", "relation": "lives_in", "tail": "Oslo", "functional": True,
    }  # fmt: skip
    assert text[found.start : found.end] == "I moved to Oslo"
    assert found.valid_from == datetime(2023, 5, 1, tzinfo=UTC).timestamp()
    assert found.source is not None


def test_a_nameless_speaker_is_the_user() -> None:
    """The head is ``user``; people read "The user"."""
    [found] = extract("I live in Oslo.")

    assert (found.text, found.fields["head"]) == ("The user lives in Oslo", "user")
    assert found.valid_from == SAID


def test_kin_belong_to_the_speaker() -> None:
    """My sister is Ana's sister."""
    [of_ana] = extract("My sister moved to Rome.", speaker="Ana")
    [of_user] = extract("My sister moved to Rome.")

    assert (of_ana.text, of_ana.fields["head"]) == ("Ana's sister lives in Rome", "ana's sister")
    assert (of_user.text, of_user.fields["head"]) == (
        "The user's sister lives in Rome",
        "user's sister",
    )


def test_what_is_said_of_others_is_less_sure() -> None:
    """A name may mean two people."""
    [own] = extract("I live in Oslo.", speaker="Ana")
    [other] = extract("Tom lives in Oslo.", speaker="Ana")

    assert 0 < other.confidence < own.confidence <= 1


def test_preferences_are_a_kind_of_their_own() -> None:
    """And can be left out."""
    [found] = extract("My favorite color is blue.")

    assert found.kind == "preference"
    assert found.text == "The user's favourite color is blue"
    assert found.fields["relation"] == "favourite:colour"
    assert list(Triples(kinds=("fact",)).extract(Record(id="r", text="I love chess."))) == []


@pytest.mark.parametrize("role", ["system", "tool", "assistant"])
def test_machines_state_nothing_about_themselves(role: str) -> None:
    """A model that says "I live in the cloud" has no home."""
    assert extract("I live in Oslo.", role=role) == []


def test_a_named_person_in_the_assistant_role_is_a_person() -> None:
    """Conversations of two people come with one of them in that role."""
    assert len(extract("I live in Oslo.", role="assistant", speaker="Ben")) == 1


def test_a_colour_does_not_share_a_slot_with_a_food() -> None:
    """Each favourite is a relation of its own."""
    found = extract("My favourite colour is blue. My favourite food is pasta.")

    assert {each.fields["relation"] for each in found} == {"favourite:colour", "favourite:food"}


@pytest.mark.parametrize(
    "text", ["", " ", "👍", "我住在奥斯陆", "a" * 500_000, "I live in " * 50_000]
)
def test_any_text_is_read_quickly(text: str) -> None:
    """Also empty, foreign and very long ones."""
    start = process_time()

    extract(text)

    assert process_time() - start < 1
