"""The profile: topics, shades and biographies, made anew from the notes that are there."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from engram import Memory
from engram.plaintext.keepers.profile import Profile
from engram.plaintext.roles import Record, Scope

NOW, DAY = 1_767_603_600.0, 86_400.0
MADE = ("topic", "shade", "biography", "conclusion")
BOATS = (
    "We sailed the boat to the island.",
    "The sail of the boat tore in the storm.",
    "The boat needs a mast and a sail.",
)
CLAY = (
    "The kiln burns the clay of the pottery class.",
    "Clay dries before the kiln in pottery class.",
    "My kiln cracked the clay.",
)
SELF = ("I live in Bergen.", "I work as a nurse.", "I love tea.")


def opened(*texts: str, embedder: str | None = "none", name: str = "Ana") -> Memory:
    """A second-me memory to which somebody said this, a day apart."""
    memory = Memory.open(
        ":memory:", preset="second-me", embedder=embedder, durability="off", clock=lambda: NOW
    )
    for at, text in enumerate(texts):
        memory.add({"name": name, "content": text, "time": NOW - 30 * DAY + at * DAY})
    return memory


@pytest.fixture
def memory() -> Iterator[Memory]:
    """All of it, tended."""
    with opened(*BOATS, *CLAY, *SELF) as made:
        made.tend()
        yield made


def stated(memory: Memory, *kinds: str) -> list[Record]:
    """What stands of some kinds."""
    with memory.store.read(Scope()) as view:
        view.narrow(NOW, None, None, None)
        return view.records(np.flatnonzero(view.live & view.columns.of_kind(*(kinds or MADE))))


def raw_id(memory: Memory, text: str) -> str:
    """The id of what was said."""
    found = memory.get_all(filters={"kind": "raw"})["results"]
    return next(str(each["id"]) for each in found if each["memory"] == text)


def rebuilt(memory: Memory) -> set[str]:
    """The texts of the profile after tending."""
    memory.tend()
    return {each.text for each in stated(memory)}


def test_topics_are_groups_of_notes_named_by_their_words(memory: Memory) -> None:
    """Each quotes notes of its own and rests on them."""
    boats, clay = sorted(stated(memory, "topic"), key=lambda each: each.tags.count("kiln"))

    assert {"boat"} <= set(boats.tags)
    assert {"kiln", "clay"} <= set(clay.tags)
    assert {source.record for source in boats.sources} == {raw_id(memory, t) for t in BOATS}
    assert "Ana: " in boats.text


def test_a_biography_is_told_of_somebody_and_to_them(memory: Memory) -> None:
    """From facts and topics."""
    texts = {str(each.fields["person"]): each.text for each in stated(memory, "biography")}

    assert texts["third"].startswith("Ana lives in Bergen. Ana is a nurse. Ana likes tea. Ana spe")
    assert texts["second"].startswith("You live in Bergen. You are a nurse. You like tea. You spe")


def test_topics_near_one_another_have_a_shade() -> None:
    """It rests on what its topics rest on; far ones have none in common."""
    with opened(*BOATS, *CLAY) as memory, memory.store.read(Scope()) as view:
        view.narrow(NOW, None, None, None)
        joined = Profile(broad=-1.0).keep(NOW, view)
        apart = Profile(broad=0.99).keep(NOW, view)

    (shade,) = [edit.record for edit in joined.edits if _is(edit.record, "shade")]
    assert len(shade.parents) == 2
    assert len(shade.sources) == len(BOATS) + len(CLAY)
    assert not [edit for edit in apart.edits if _is(edit.record, "shade")]


def _is(record: Record, kind: str) -> bool:
    return record.kind == kind and record.state == "active"


@pytest.mark.parametrize("text", [*BOATS, *CLAY, *SELF])
def test_an_erased_note_leaves_a_profile_as_if_it_had_never_been(text: str) -> None:
    """What rests on it goes at once; the rest is made anew as from the other notes alone."""
    others = [each for each in (*BOATS, *CLAY, *SELF) if each != text]
    with opened(*BOATS, *CLAY, *SELF) as memory, opened(*others) as never:
        memory.tend()
        erased = raw_id(memory, text)
        memory.erase(erased)

        left = stated(memory)
        assert all(source.record != erased for each in left for source in each.sources)
        assert all(each.sources for each in left)
        assert not [each for each in left if text in each.text]
        assert rebuilt(memory) == rebuilt(never)
        assert memory.check()["ok"]


def test_tending_twice_changes_nothing(memory: Memory) -> None:
    """The same notes give the same profile."""
    before = memory.stats()["commits"]

    memory.tend()

    assert memory.stats()["commits"] == before


def test_a_changed_fact_makes_the_biography_anew(memory: Memory) -> None:
    """The old one is kept in the archive, and comes back if the fact does."""
    first = {each.text for each in stated(memory, "biography")}
    added = memory.add({"name": "Ana", "content": "I live in Oslo.", "time": NOW - DAY})

    assert any("Ana lives in Oslo." in text for text in rebuilt(memory))
    assert not first & {each.text for each in stated(memory)}

    memory.delete(added["results"][0]["id"])

    assert first <= rebuilt(memory)


def test_a_conclusion_whose_fact_was_deleted_is_laid_down() -> None:
    """At the next tending."""
    with opened("My wife, Maja Quill, is kind.", "Maja Quill works at Norbank.") as memory:
        assert len(stated(memory, "conclusion")) == 1
        memory.delete(raw_id(memory, "Maja Quill works at Norbank."))

        memory.tend()

        assert stated(memory, "conclusion") == []


def test_a_conversation_alone_has_no_profile(memory: Memory) -> None:
    """It is of all that is known, so a narrowed view proposes nothing."""
    with memory.store.read(Scope(run="chat")) as view:
        view.narrow(NOW, None, None, None)

        assert Profile().keep(NOW, view).edits == ()


@pytest.mark.parametrize("texts", [(), ("?",), ("I live in Bergen.",), BOATS[:2]])
def test_few_notes_give_no_topics(texts: Sequence[str]) -> None:
    """Nor does one fact make a biography."""
    with opened(*texts) as memory:
        assert rebuilt(memory) == set()


def test_meaning_groups_notes_where_an_embedder_is() -> None:
    """The built-in one tells boats from clay."""
    with opened(*BOATS, *CLAY, embedder=None) as memory:
        memory.tend()
        sources = [{s.record for s in each.sources} for each in stated(memory, "topic")]
        boats, clay = ({raw_id(memory, t) for t in texts} for texts in (BOATS, CLAY))

    assert all(each <= boats or each <= clay for each in sources)
    assert sources
