"""A review holds once what was said twice, ends what is outdated, and then has nothing to do."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest

from engram.memory import Memory
from engram.plaintext.derived import derived
from engram.plaintext.keepers.review import Review
from engram.plaintext.roles import EditPlan, Record, State, View
from engram.plaintext.text.ontology import VERSION
from engram.testing.ports import Buckets

Look = Callable[..., AbstractContextManager[View]]
DAY = 86_400.0
NOW = 1_700_000_000.0


def thought(source: int, text: str, topic: str = "music", speaker: str = "Ana") -> Record:
    """A thought about the message of this number, said on that day."""
    raw = Record(f"00000000-0000-0000-0000-0000000000{source:02}", text, event_time=source * DAY)
    slot = {"head": topic, "relation": "topic", "ontology": VERSION, "speaker": speaker}
    return derived([raw], "thought", text, "ontology", key=topic, fields=slot, tags=(topic,))


def review(look: Look, said: Sequence[Record], **vectors: object) -> EditPlan:
    """What a review of thoughts proposes; they keep their own ids."""
    with look(said, **vectors) as view:
        plan = Review().keep(NOW, view)
        assert plan == Review().keep(NOW, view)
        return plan


def test_what_was_said_before_is_archived_for_the_first(view_of: Look) -> None:
    """Marks and case aside; the first is the one that was said first, not stored first."""
    later, first = thought(3, "The violin broke!"), thought(1, "the violin broke")

    (edit,) = review(view_of, [later, first, thought(2, "The cello broke.")]).edits

    assert edit.record.text == later.text
    assert edit.record.state is State.ARCHIVED
    with view_of([later, first]) as view:
        (kept, gone) = sorted(view.records(range(2)), key=lambda each: each.event_time or 0)  # type: ignore[arg-type]
        (again,) = Review().keep(NOW, view).edits
        assert (again.record.id, again.record.superseded_by) == (gone.id, kept.id)


@pytest.mark.parametrize(("cosine", "merged"), [(1.0, 1), (0.96, 1), (0.9, 0)])
def test_thoughts_that_are_much_alike_are_held_once(
    view_of: Look, cosine: float, merged: int
) -> None:
    """In other words, that is; what is merely similar stays."""
    said = [thought(1, "The violin broke."), thought(2, "My fiddle is in pieces.")]
    vectors = {0: [1, 0, 0, 0], 1: [cosine, (1 - cosine**2) ** 0.5, 0, 0]}

    assert len(review(view_of, said, vectors=vectors).edits) == merged


def test_other_speakers_and_other_topics_keep_their_own(view_of: Look) -> None:
    """Two people may say the same, and one thing may matter for two topics."""
    said = [
        thought(1, "It broke."),
        thought(2, "It broke.", speaker="Ben"),
        thought(3, "It broke.", topic="home"),
        replace(thought(4, "It broke."), frozen=True),
    ]

    assert review(view_of, said).edits == ()


def test_a_thought_of_another_version_is_filed_anew(view_of: Look) -> None:
    """By its words, else by its vector where something embeds; the words stay."""
    old = thought(1, "The dentist called.", topic="teeth")
    old = replace(old, fields={**old.fields, "ontology": "0"})

    (edit,) = review(view_of, [old]).edits

    assert edit.record.tags == ("health",)
    assert edit.record.fields["head"] == "health"
    assert edit.record.fields["ontology"] == VERSION
    assert edit.record.text == old.text
    silent = replace(old, text="Ouch.")
    with view_of([silent], vectors={0: [1, 0, 0, 0]}) as view:
        (edit,) = Review(embedder=Buckets(dimension=4)).keep(NOW, view).edits
        assert edit.record.tags != ("teeth",)


def test_the_plan_of_an_empty_memory_is_empty(view_of: Look) -> None:
    """And of one without thoughts."""
    assert review(view_of, []).edits == ()
    assert review(view_of, [Record("", "The violin broke.", event_time=1.0)]).edits == ()


def told(memory: Memory) -> None:
    """A talk with things that repeat and things that change."""
    said = ("I live in Bergen.", "I love my violin.", "I love my violin!", "I moved to Oslo.")
    memory.add(
        [{"name": "Ana", "content": text, "time": day * DAY} for day, text in enumerate(said)]
    )


def thoughts(memory: Memory) -> dict[str, tuple[str, str | None]]:
    """Text -> state and end of the thoughts in a memory."""
    found = memory.get_all(states=["active", "archived"], filters={"kind": "thought"})["results"]
    return {each["memory"]: (each["state"], each["valid_to"]) for each in found}


def test_what_a_newer_fact_has_ended_is_archived_with_its_end() -> None:
    """Removing it would take away the answer to where somebody lived."""
    with Memory.open(":memory:", preset="caim", durability="off", clock=lambda: 30 * DAY) as memory:
        told(memory)
        memory.tend()

        assert thoughts(memory) == {
            "I live in Bergen.": ("archived", "1970-01-04T00:00:00Z"),
            "I love my violin.": ("active", None),
            "I love my violin!": ("archived", None),
            "I moved to Oslo.": ("active", None),
        }
        then = memory.search("Where does Ana live?", as_of=DAY)["results"]
        assert "Bergen" in then[0]["memory"]


def test_a_second_review_changes_nothing() -> None:
    """Whatever the first did."""
    with Memory.open(":memory:", preset="caim", durability="off", clock=lambda: 30 * DAY) as memory:
        told(memory)
        first = memory.tend()["changed"]

        assert first == {"review": 2}
        assert memory.tend()["changed"] == {}
        assert memory.check()["ok"]


def test_deleting_the_first_brings_the_other_back() -> None:
    """It stands for nothing any more."""
    with Memory.open(":memory:", preset="caim", durability="off", clock=lambda: 30 * DAY) as memory:
        told(memory)
        memory.tend()
        raw = memory.get_all(filters={"kind": "raw"})["results"]
        memory.delete(next(each["id"] for each in raw if each["memory"] == "I love my violin."))

        assert thoughts(memory)["I love my violin!"] == ("active", None)
