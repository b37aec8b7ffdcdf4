"""From what a file says to messages: checked shapes, cleaned text, times in UTC."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.errors import InvalidInput
from engram.exchange.roles import Incoming, Problem
from engram.exchange.values import (
    LONGEST_ID,
    LONGEST_TEXT,
    by_day,
    handle,
    known_role,
    mapping,
    message,
    moment,
    plain,
    role_of,
    sequence,
    words,
)
from engram.plaintext.intake import messages_of, scope_of
from engram.plaintext.roles import Message

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        (0, 0.0),
        (1_715_169_600.25, 1_715_169_600.25),
        ("2024-05-08T12:00:00Z", 1_715_169_600.0),
        (" 2024-05-08T14:00:00+02:00 ", 1_715_169_600.0),
        ("2024-05-08T12:00:00", 1_715_169_600.0),
        ("2024-05-08", 1_715_126_400.0),
    ],
)
def test_a_time_is_a_number_or_iso_text(value: Any, seconds: float | None) -> None:
    """Without a zone it is UTC; None stays None."""
    assert moment(value) == seconds


@pytest.mark.parametrize(
    "value",
    ["", "noon", True, [], 1e300, -1e300, float("nan"), float("inf"), "0001-01-01T00:00+14:00"],
)
def test_other_times_are_refused(value: Any) -> None:
    """Also those that no calendar can show."""
    with pytest.raises(InvalidInput, match="ISO 8601 or seconds since 1970"):
        moment(value)


@given(st.floats() | st.integers() | st.text(max_size=40))
def test_a_time_that_is_taken_can_be_stored(value: Any) -> None:
    """What the readers let through is never refused at the front door."""
    try:
        at = moment(value)
    except InvalidInput:
        return

    assert messages_of(Message("x", at=at))[0].at == at


@given(JSON)
def test_a_handle_is_an_id_that_the_front_door_takes(value: Any) -> None:
    """Or None; the same value always gives the same one."""
    found = handle(value)

    assert found == handle(value)
    assert found is None or scope_of(run_id=found).run == found


def test_long_handles_stay_short_and_unique() -> None:
    """The end is a hash of the whole."""
    one, other = handle("x" * 1000 + "1"), handle("x" * 1000 + "2")

    assert one is not None
    assert other is not None
    assert one != other
    assert len(one) == len(other) == LONGEST_ID


@given(text=st.text(alphabet=st.characters(exclude_categories=()), min_size=1), metadata=JSON)
def test_a_message_that_is_made_can_be_stored(text: str, metadata: Any) -> None:
    """Halves of characters, odd numbers and empty values are no hindrance."""
    made = list(message(text, name=text, metadata={"own": metadata}))

    assert len(made) == bool(text.strip())
    for one in made:
        stored = messages_of(one)[0]
        assert stored.text == one.text
        assert json.loads(json.dumps(stored.metadata)) == stored.metadata


def test_halves_of_characters_are_counted() -> None:
    """Exports that were cut in the middle of an emoji hold them."""
    (made,) = message("a\ud83d b\ude00", metadata={})

    assert made.text == "a\ufffd b\ufffd"
    assert made.metadata == {"replaced_characters": 2}


def test_a_message_has_a_greatest_length() -> None:
    """That of the front door, said before anything is stored."""
    with pytest.raises(InvalidInput, match=r"may hold 4194304 characters, got 4194305"):
        list(message("x" * (LONGEST_TEXT + 1), metadata={}))


def test_metadata_has_a_greatest_depth() -> None:
    """Fifty levels are kept, more are refused before the stack ends."""
    fine: Any = "leaf"
    for _ in range(50):
        fine = [fine]

    assert plain(fine) == fine
    with pytest.raises(InvalidInput, match="nested 50 levels deep"):
        plain([fine])


@pytest.mark.parametrize("check", [mapping, sequence, words])
def test_a_wrong_shape_is_shown_however_deep_it_is(check: Any) -> None:
    """A value without end would make the message fail in place of the check."""
    deep: Any = {"0": 0}
    for _ in range(100_000):
        deep = ({"0": deep},)

    with pytest.raises(InvalidInput, match=r"^it must be (an object|a list|text), got a tuple"):
        check(deep, "it")


def test_roles_have_many_names() -> None:
    """In any case; an unknown one is an error that lists them."""
    assert role_of(" Human ") == "user"
    assert known_role("model") == "assistant"
    assert known_role("Ana") is None
    assert known_role(7) is None
    with pytest.raises(InvalidInput, match=r"one of user, human.*got 'king'"):
        role_of("king")


def test_a_chat_is_cut_at_midnight_utc() -> None:
    """Problems keep their place before the day in which they turned up."""
    draft = Incoming((), run="chat")
    said: list[Message | Problem] = [
        Message("a", at=86_399.0),
        Problem("here", "odd"),
        Message("b", at=86_400.0),
        Message("c"),
    ]

    found = list(by_day(draft, said))

    runs = [one.run if isinstance(one, Incoming) else one.reason for one in found]
    assert runs == ["odd", "chat 1970-01-01", "chat 1970-01-02", "chat"]


def test_a_chat_without_messages_is_no_day() -> None:
    """Nothing in, nothing out."""
    assert list(by_day(Incoming(()), [])) == []
