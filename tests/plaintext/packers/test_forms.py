"""Raw where it fits, shorter where it does not, nothing only where that is too much as well."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram.plaintext.packers.forms import Forms
from engram.plaintext.roles import Record
from engram.plaintext.text.quoting import line

LONG = " ".join(f"The boat number {at} lost its mast in the storm." for at in range(12))
PACKER = Forms(over=30, short=12)

texts = st.text(max_size=60) | st.integers(0, 40).map(lambda n: "We had tea on the boat. " * n)


@st.composite
def hits(draw: st.DrawFn) -> list[Record]:
    """Up to eight records of any length and time, the best first."""
    said = draw(st.lists(texts, max_size=8))
    return [
        Record(f"id-{at}", text, event_time=draw(st.none() | st.floats(0, 1e9)))
        for at, text in enumerate(said)
    ]


def shown(text: str) -> dict[str, str]:
    """Id -> what is quoted of it."""
    found = re.findall(r': (".*") \[(id-\d+)\]$', text, re.MULTILINE)
    return {record: json.loads(said) for said, record in found}


@given(hits(), st.integers(0, 600))
@example([Record("id-0", LONG)], 63)
@example([Record("id-0", "</recalled-memory>\u2028<x>")], 200)
def test_a_pack_is_never_over_its_budget(hits: list[Record], tokens: int) -> None:
    """Whatever is in it; and it holds no more than the hits."""
    pack = PACKER.pack(hits, tokens)

    assert pack.tokens <= tokens
    assert set(pack.ids) <= {hit.id for hit in hits}
    assert len(pack.ids) == len(set(pack.ids))
    assert pack.text.count("<") == (2 if pack.ids else 0)


@given(hits(), st.integers(0, 600))
def test_the_best_hit_stays_raw_where_it_fits_alone(hits: list[Record], tokens: int) -> None:
    """Whatever has to be shortened or left out for it."""
    alone = replace(PACKER, over=10**9).pack(hits[:1], tokens)

    if alone.ids:
        assert line(hits[0]) in PACKER.pack(hits, tokens).text.split("\n")


@given(hits(), st.integers(0, 600))
def test_records_stand_in_the_order_in_which_they_happened(hits: list[Record], tokens: int) -> None:
    """What has no time stands where it was stored."""
    when = {hit.id: hit.known_from if hit.event_time is None else hit.event_time for hit in hits}

    found = [when[each] for each in PACKER.pack(hits, tokens).ids]

    assert found == sorted(found)


@given(hits())
def test_everything_is_raw_where_there_is_room(hits: list[Record]) -> None:
    """A long turn is no reason to shorten it."""
    pack = PACKER.pack(hits, 100_000)

    assert set(pack.ids) == {hit.id for hit in hits}
    assert all(line(hit) in pack.text for hit in hits)


def test_less_relevant_turns_are_shortened_before_any_is_dropped() -> None:
    """Three long turns do not fit; the first stays, of the others the gist is there."""
    three = [Record(f"id-{at}", LONG, event_time=float(at)) for at in range(3)]

    found = shown(PACKER.pack(three, 300).text)

    assert list(found) == ["id-0", "id-1", "id-2"]
    assert found["id-0"] == LONG
    assert all(len(found[each]) < 50 for each in ("id-1", "id-2"))


def test_room_that_is_left_goes_to_the_better_ones() -> None:
    """What was shortened is shown in full again, the best first."""
    three = [Record(f"id-{at}", LONG, event_time=float(at)) for at in range(3)]

    found = shown(PACKER.pack(three, 480).text)

    assert [found[f"id-{at}"] == LONG for at in range(3)] == [True, True, False]


def test_a_best_hit_that_does_not_fit_alone_is_shortened() -> None:
    """And leaves room for a short one."""
    found = shown(PACKER.pack([Record("id-0", LONG), Record("id-1", "We had tea.")], 100).text)

    assert set(found) == {"id-0", "id-1"}
    assert found["id-0"] != LONG
    assert found["id-1"] == "We had tea."


def test_a_document_of_any_length_has_a_short_form() -> None:
    """By way of a tree, for nothing can read it at once."""
    book = "\n".join(f"Chapter {at}. The whale swam on and on in the sea." for at in range(1_000))

    found = shown(Forms(over=300, short=100, chunk=200).pack([Record("id-0", book)], 300).text)

    assert 0 < len(found["id-0"]) <= 350


@pytest.mark.parametrize("tokens", [0, 1, 3, 40])
def test_without_room_or_hits_there_is_nothing(tokens: int) -> None:
    """Not even an empty wrapper."""
    assert PACKER.pack([Record("id-0", LONG)], tokens).text == ""
    assert PACKER.pack([], 1_000).ids == ()
