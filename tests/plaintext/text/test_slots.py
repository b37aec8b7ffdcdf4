"""Slots: what was said as a sentence with a slot, and which of two fillings holds when."""

import math
from itertools import permutations
from typing import Any

import pytest

from engram.plaintext.roles import Record, State, Trust
from engram.plaintext.text.slots import (
    agrees,
    begin,
    disagrees,
    fills_the_same,
    is_person,
    is_withdrawn,
    placed,
    rivals,
    said_at,
    slot_of,
    told,
)

JUNE = 1_780_000_000.0


def said(text: str, **fields: Any) -> Record:
    """A message of June."""
    return Record("r", text, fields={"role": "user", **fields}, event_time=JUNE)


def home(place: str, begun: float | None, **more: Any) -> Record:
    """A statement about where Ana lives."""
    slot = {"head": "ana", "relation": "lives_in", "tail": place, "functional": True}
    return Record(place, f"Ana lives in {place}", kind="x", fields=slot, valid_from=begun, **more)


def test_a_statement_is_told_as_a_sentence_of_its_own() -> None:
    """With who it is about, the slot that it fills, and where it stands."""
    message = said("Hi! I live in Oslo. My sister moved to Rome.", speaker="Ana")
    own, of_kin = told(message)

    assert (own.text, own.head, own.tail) == ("Ana lives in Oslo", "Ana", "Oslo")
    assert own.slot["head"] == "ana"
    assert message.text[own.start : own.end] == "I live in Oslo"
    assert (of_kin.text, of_kin.slot["head"]) == ("Ana's sister lives in Rome", "ana's sister")


def test_a_nameless_speaker_is_the_user() -> None:
    """Shown as a reader would say it, stored as queries ask for it."""
    (only,) = told(said("I live in Oslo. I live in Oslo."))

    assert (only.text, only.slot["head"]) == ("The user lives in Oslo", "user")


@pytest.mark.parametrize(
    ("fields", "person"),
    [
        ({"role": "user"}, True),
        ({"role": "assistant", "speaker": "Ben"}, True),
        ({"role": "assistant"}, False),
        ({"role": "tool"}, False),
        ({"role": "system"}, False),
    ],
)
def test_only_persons_tell_anything(fields: dict[str, Any], person: bool) -> None:
    """A machine that says "I live in the cloud" has no home."""
    record = Record("r", "I live in Oslo.", fields=fields, event_time=JUNE)

    assert is_person(record) is person
    assert bool(told(record)) is person


def test_a_message_without_a_time_was_said_when_it_was_stored() -> None:
    """So "yesterday" in it has a meaning."""
    assert said_at(Record("r", "x", created=5.0)) == 5.0
    assert said_at(said("x")) == JUNE


def test_a_sentence_about_somebody_has_a_slot() -> None:
    """Just one plain statement, and not about the speaker, whom a sentence alone does not name."""
    expected = {"head": "ana", "relation": "lives_in", "tail": "Oslo", "functional": True}

    assert slot_of("Ana lives in Oslo") == expected
    assert slot_of("The user lives in Oslo") == {**expected, "head": "user"}
    assert slot_of("I live in Oslo") == {}
    assert slot_of("Ana finds Oslo cold") == {}
    assert slot_of("") == {}


def test_two_values_of_a_slot_for_one_thing_disagree() -> None:
    """Case is no difference, another head or relation is another slot."""
    oslo, bergen = home("Oslo", 1.0), home("Bergen", 2.0)
    shouted = home("OSLO", 3.0)
    many = Record("m", "x", fields={**oslo.fields, "functional": False})
    plain = Record("p", "Ana lives in Oslo")

    assert disagrees(bergen, oslo)
    assert fills_the_same(oslo, shouted)
    assert agrees(oslo, shouted)
    assert not disagrees(shouted, oslo)
    assert not disagrees(many, bergen)
    assert not fills_the_same(plain, oslo)


def test_rivals_are_the_history_of_a_slot() -> None:
    """What holds and what was ended by something newer; not what was deleted, nor another kind."""
    ended = home("Lyon", 1.0, state=State.ARCHIVED, superseded_by="Oslo")
    deleted = home("Rome", 1.0, state=State.ARCHIVED)
    other = Record("o", "x", kind="fact", fields=home("Kiel", 1.0).fields)
    oslo = home("Oslo", 2.0)

    assert rivals(home("Bergen", 3.0), [ended, deleted, other, oslo]) == [ended, oslo]


def test_in_whatever_order_values_come_the_intervals_are_the_same() -> None:
    """Each holds from its begin to the begin of the next, and the latest is open."""
    values = [home(place, at) for at, place in enumerate(("Oslo", "Bergen", "Lyon", "Rome"))]
    ends = set()
    for order in permutations(values):
        known: dict[str, Record] = {}
        for value in order:
            for image in placed(value, rivals(value, known.values())):
                known[image.id] = image
        ends.add(tuple(sorted((r.id, r.valid_from, r.valid_to, r.state) for r in known.values())))

    assert len(ends) == 1
    held = {place: (begun, until) for place, begun, until, _ in ends.pop()}
    assert held == {
        "Oslo": (0, 1), "Bergen": (1, 2), "Lyon": (2, 3), "Rome": (3, None),
    }  # fmt: skip


def test_what_is_ended_names_its_successor() -> None:
    """And the successor names what it ended."""
    new, old = placed(home("Oslo", 2.0), [home("Bergen", None)])

    assert (new.state, new.parents) == (State.ACTIVE, ("Bergen",))
    assert (old.state, old.superseded_by, old.valid_to) == (State.ARCHIVED, "Oslo", 2.0)


def test_what_ends_in_the_future_holds_until_then() -> None:
    """A plan changes nothing today, though it is known what it will end; nor does late news."""
    plan, before = placed(home("Oslo", 9.0), [home("Bergen", 1.0)], now=5.0)
    (late,) = placed(home("Lyon", 2.0), [home("Oslo", 9.0)], now=5.0)

    assert (plan.state, plan.valid_to) == (State.ACTIVE, None)
    assert (before.state, before.valid_to, before.superseded_by) == (State.ACTIVE, 9.0, "Oslo")
    assert (late.state, late.valid_to) == (State.ACTIVE, 9.0)


@pytest.mark.parametrize(
    "locked", [{"frozen": True}, {"trust": Trust.USER}], ids=["frozen", "trusted"]
)
def test_what_is_locked_is_not_ended(locked: dict[str, Any]) -> None:
    """The new one waits for approval."""
    new = home("Oslo", 2.0, trust=Trust.TOOL)

    assert [image.state for image in placed(new, [home("Bergen", 1.0, **locked)])] == [
        State.GENERATED
    ]


def test_alone_a_record_is_placed_as_it_is() -> None:
    """Nothing to end, nothing after it."""
    new = home("Oslo", None)

    assert placed(new, []) == [new]
    assert begin(new) == -math.inf


def test_withdrawn_is_what_nothing_newer_replaced() -> None:
    """Deleted, expired or retracted."""
    assert is_withdrawn(home("Oslo", 1.0, state=State.ARCHIVED))
    assert not is_withdrawn(home("Oslo", 1.0, state=State.ARCHIVED, superseded_by="Bergen"))
    assert not is_withdrawn(home("Oslo", 1.0))
