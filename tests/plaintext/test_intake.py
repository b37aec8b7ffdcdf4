"""Messages, ids, metadata and paths, checked once at the door."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.errors import InvalidInput
from engram.plaintext.intake import (
    LONGEST_ID,
    LONGEST_TEXT,
    checked_metadata,
    checked_path,
    checked_text,
    identifier,
    messages_of,
    scope_of,
)
from engram.plaintext.roles import Message, Scope

MAY = 1_779_235_200.0  # 2026-05-20T00:00:00Z
HUGE = pytest.param(10**5000, id="a number of 5001 digits")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)


@pytest.mark.parametrize(
    "said",
    [
        "tea",
        {"content": "tea"},
        {"text": "tea"},
        {"role": "user", "content": "tea"},
        {"role": "human", "content": "tea"},
        {"role": "USER", "content": "tea"},
        {"content": ["tea"]},
        {"content": [{"type": "text", "text": "tea"}]},
        {"content": [{"type": "image_url", "image_url": {"url": "x"}}, {"text": "tea"}, ""]},
        Message("tea"),
    ],
)
def test_one_message_may_have_any_usual_shape(said: Any) -> None:
    """Alone or in a list, they all say the same."""
    assert messages_of(said) == (Message("tea"),)
    assert messages_of([said, "milk"]) == (Message("tea"), Message("milk"))


def test_nothing_said_is_no_message() -> None:
    """An empty list is a list."""
    assert messages_of([]) == ()
    assert messages_of(()) == ()


def test_text_parts_become_lines() -> None:
    """Parts without text, such as images, are left out."""
    (message,) = messages_of({"content": [{"text": "one"}, {"image": "x"}, "two"]})

    assert message.text == "one\ntwo"


@pytest.mark.parametrize(
    ("role", "kept"),
    [
        ("user", "user"), ("human", "user"), ("assistant", "assistant"), ("ai", "assistant"),
        ("system", "system"), ("developer", "system"), ("tool", "tool"), ("function", "tool"),
    ],
)  # fmt: skip
def test_a_role_has_one_name_inside(role: str, kept: str) -> None:
    """Whatever the chat format calls it."""
    assert messages_of({"role": role, "content": "tea"})[0].role == kept


@pytest.mark.parametrize("key", ["time", "timestamp", "created_at"])
@pytest.mark.parametrize(
    "time", ["2026-05-20", "2026-05-20T02:00+02:00", MAY, int(MAY), date(2026, 5, 20),
             datetime(2026, 5, 20), datetime(2026, 5, 20, tzinfo=UTC)],
)  # fmt: skip
def test_a_time_may_be_told_in_any_usual_way(key: str, time: Any) -> None:
    """Without a zone it is UTC."""
    assert messages_of({"content": "tea", key: time})[0].at == MAY


def test_the_first_known_time_counts() -> None:
    """None is no time, and ``time`` comes before the others."""
    said = {"content": "tea", "time": None, "timestamp": MAY, "created_at": 0}

    assert messages_of(said)[0].at == MAY


def test_a_messages_own_metadata_wins() -> None:
    """Over what is said of the whole call; keys that no message has are metadata too."""
    said = {"content": "tea", "metadata": {"a": 1}, "channel": "x", "b": 2}

    (message,) = messages_of(said, {"a": 0, "b": 0, "c": 3})

    assert message.metadata == {"a": 1, "b": 2, "c": 3, "channel": "x"}


def test_a_made_message_is_checked_like_any_other() -> None:
    """Metadata of the call is added, an expiry stays, and nothing is taken on trust."""
    made = Message("tea", "assistant", "Ana", MAY, {"a": 1}, MAY + 5)

    assert messages_of(made, {"b": 2}) == (
        Message("tea", "assistant", "Ana", MAY, {"a": 1, "b": 2}, MAY + 5),
    )
    with pytest.raises(InvalidInput, match=r"role in the message must be one of .* got 'alien'"):
        messages_of(Message("tea", "alien"))
    with pytest.raises(InvalidInput, match="JSON values"):
        messages_of(Message("tea", metadata={"a": object()}))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (None, "messages must be text.*got NoneType"),
        (b"tea", "got bytes; decode bytes first"),
        (5, "got int"),
        ({"tea"}, "got set"),
        ("", r"the message must not be blank, got ''"),
        (" \n\t", "must not be blank"),
        (["tea", ""], "message 1 must not be blank"),
        ({}, "the message must be text, got NoneType"),
        ({"message": "tea"}, r"needs 'content', got only \['message'\]"),
        ({"content": None}, "must be text, got NoneType; decode or format it"),
        ({"content": 5}, "must be text, got int"),
        ({"content": b"tea"}, "must be text, got bytes"),
        ({"content": {"text": "tea"}}, "must be text, got dict"),
        ({"content": []}, "must not be blank"),
        ({"content": [5]}, "every part of 'content' must hold text, got .5."),
        ({"content": [{"text": 5}]}, "every part of 'content' must hold text"),
        ([["tea"]], "message 0 must be text or an object with 'content', got .'tea'."),
        ({"content": "tea", "role": "alien"}, "role in the message must be one of user, assist"),
        ({"content": "tea", "role": None}, "got None"),
        ({"content": "tea", "time": "soon"}, "time in the message must be ISO 8601.*got 'soon'"),
        ({"content": "tea", "time": True}, "got True"),
        ({"content": "tea", "time": float("nan")}, "got nan"),
        ({"content": "tea", "time": 1e300}, "must lie in the years 1 to 9999"),
        ({"content": "tea", "expires_at": "never"}, "expires_at in the message must be"),
        ({"content": "tea", "name": ["Ana"]}, "name in the message must be text or a whole"),
        ({"content": "tea", "metadata": "x"}, "metadata of the message must be an object, got 'x'"),
        ({"content": "tea", "x": object()}, "the message must hold JSON values"),
        ("\ud800", "must be valid Unicode, got a lone surrogate at 0"),
    ],
)
def test_what_is_no_message_is_refused_by_name(said: Any, message: str) -> None:
    """The error says which part of which message, and what came."""
    with pytest.raises(InvalidInput, match=message):
        messages_of(said)


def test_the_longest_text_is_kept_and_one_more_is_not() -> None:
    """Four million characters are a book; a longer text is split by whoever has it."""
    assert checked_text("x" * LONGEST_TEXT, "it") == "x" * LONGEST_TEXT
    with pytest.raises(InvalidInput, match=f"may hold {LONGEST_TEXT} characters"):
        checked_text("x" * (LONGEST_TEXT + 1), "it")


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=9), JSON))
def test_metadata_comes_back_as_it_was(metadata: dict[str, Any]) -> None:
    """Whatever JSON can hold; and as a copy, so that the caller's stays the caller's."""
    kept = checked_metadata(metadata, "metadata")

    assert kept == metadata
    assert kept is not metadata


def test_dates_in_metadata_become_text() -> None:
    """JSON has no dates, and everybody stores some."""
    kept = checked_metadata({"due": date(2026, 5, 20), "at": datetime(2026, 5, 20, 1)}, "metadata")

    assert kept == {"due": "2026-05-20", "at": "2026-05-20T01:00:00"}
    assert checked_metadata(None, "metadata") == {}


@pytest.mark.parametrize(
    "metadata",
    [
        5, "x", [("a", 1)], {"a": float("nan")}, {"a": float("inf")}, {"a": {1}}, {"a": b"x"},
        {"a": (1, 2)}, {1: "a"}, {None: 1}, {"\ud800": 1}, {"a": "\ud800"}, {"a": 10**5000},
        {"a": object()},
    ],
)  # fmt: skip
def test_metadata_that_would_come_back_changed_is_refused(metadata: Any) -> None:
    """Nothing is turned into something else in silence."""
    with pytest.raises(InvalidInput, match="metadata must"):
        checked_metadata(metadata, "metadata")


def test_metadata_without_end_is_refused() -> None:
    """Rings and towers of lists."""
    ring: dict[str, Any] = {}
    ring["ring"] = ring
    tower: list[Any] = []
    for _ in range(100_000):
        tower = [tower]

    for endless in (ring, {"tower": tower}):
        with pytest.raises(InvalidInput, match="JSON values"):
            checked_metadata(endless, "metadata")


@pytest.mark.parametrize(
    ("value", "kept"), [("ana", "ana"), (" ana ", "ana"), (7, "7"), (0, "0"), (None, None)]
)
def test_an_id_is_text_or_a_whole_number(value: Any, kept: str | None) -> None:
    """Trimmed; and a number is its digits."""
    assert identifier(value, "user_id") == kept


@pytest.mark.parametrize(
    "value", ["", "  ", "a\nb", "a\x00b", "\ud800", "x" * (LONGEST_ID + 1), True, 1.5, b"ana",
              ["ana"], {}, HUGE],
)  # fmt: skip
def test_other_ids_are_refused(value: Any) -> None:
    """By the name of the argument."""
    with pytest.raises(InvalidInput, match="user_id m"):
        scope_of(user_id=value)


def test_without_a_user_it_is_the_default_user() -> None:
    """And the other ids stay open."""
    assert scope_of() == Scope("default")
    assert scope_of(user_id=7, agent_id="a", run_id="r", app_id="p") == Scope("7", "a", "r", "p")


def test_a_path_may_begin_with_the_home_folder() -> None:
    """As a shell would write it."""
    assert checked_path("~/memory.db") == Path.home() / "memory.db"
    assert checked_path(Path("memory.db")) == Path("memory.db")


@pytest.mark.parametrize("path", [5, b"memory.db", "a\x00b", "\ud800", "~nobody-of-that-name/x"])
def test_a_path_that_names_no_file_is_refused(path: Any) -> None:
    """Before anything is opened."""
    with pytest.raises(InvalidInput, match="a path must name a file, got"):
        checked_path(path)
