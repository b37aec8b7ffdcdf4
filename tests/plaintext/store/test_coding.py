"""A record becomes bytes and comes back the same."""

import json
import math
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.plaintext.roles import Record, Scope, Source, State, Trust
from engram.plaintext.store.coding import decode, digest, dumps, encode, to_plain

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.none() | st.floats(-1e11, 1e11)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
scopes = st.builds(
    Scope, texts, agent=st.none() | texts, run=st.none() | texts, app=st.none() | texts
)
records = st.builds(
    Record,
    id=st.just("0190"),
    text=texts,
    scope=scopes,
    kind=st.sampled_from(["raw", "fact", "summary"]),
    fields=st.dictionaries(texts, values, max_size=3),
    metadata=st.dictionaries(texts, values, max_size=3),
    event_time=numbers,
    valid_from=numbers,
    valid_to=numbers,
    expires_at=numbers,
    sources=st.lists(
        st.builds(Source, texts, st.integers(0, 99), st.integers(0, 99)), max_size=3
    ).map(tuple),
    parents=st.lists(texts, max_size=3).map(tuple),
    superseded_by=st.none() | texts,
    method=texts,
    trust=st.sampled_from(Trust),
    state=st.sampled_from(State),
    frozen=st.booleans(),
    strength=st.floats(0, 100),
    importance=st.floats(0, 1),
    confidence=st.floats(0, 1),
    tags=st.lists(texts, max_size=3).map(tuple),
    links=st.dictionaries(texts, texts, max_size=3),
    form=st.sampled_from(["plaintext", "delta"]),
)


@given(records)
def test_a_record_comes_back_as_it_was(record: Record) -> None:
    """Every field that the log keeps; types too, for True is not 1 there."""
    again = decode(record.id, encode(record, "ab"))

    assert again == record
    assert dumps(to_plain(again)) == dumps(to_plain(record))


@given(records)
def test_equal_records_give_equal_bytes(record: Record) -> None:
    """Order of keys plays no part, so the hash of the content is one."""
    turned = replace(record, metadata=dict(reversed(list(record.metadata.items()))))

    assert encode(turned, "ab") == encode(record, "ab")


@given(records)
def test_a_body_is_plain_json_with_its_defaults_left_out(record: Record) -> None:
    """Readable in fifty years without this program."""
    body = json.loads(encode(record, "ab"))

    assert body.pop("salt") == "ab"
    assert body["text"] == record.text
    default = Record(id="", text="")
    for field in fields(Record):
        if field.name in body and field.name not in ("text", "scope"):
            assert getattr(record, field.name) != getattr(default, field.name)


def test_what_only_the_store_knows_is_not_in_the_body() -> None:
    """Versions and the store's clock live in the log's columns, use in its own entries."""
    record = Record(
        id="x", text="tea", version=3, created=1.0, known_from=2.0, known_to=3.0, uses=4,
        last_used=5.0,
    )  # fmt: skip

    assert to_plain(record) == {"text": "tea", "scope": {"user": "default"}}


def test_the_salt_changes_the_digest() -> None:
    """Without the salt a short text could be guessed from the hash that stays after an erase."""
    record = Record(id="x", text="yes")

    assert digest(encode(record, "a")) != digest(encode(record, "b"))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_json_cannot_hold_is_refused(number: float) -> None:
    """A NaN would come back as nothing at all from another reader."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode(Record(id="x", text="tea", metadata={"a": number}), "ab")
