"""Notes: what is written, what is linked, and that just the near ones evolve."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from engram import Memory, catalogue
from engram.plaintext.advice import Advisor, Question
from engram.plaintext.enrichers.notes import Notes
from engram.plaintext.roles import Record, Scope
from engram.plaintext.store.store import Store
from engram.ports import Embedder
from engram.testing.ports import Buckets

NOW = 1_767_603_600.0
WORDS = Buckets(dimension=512)
TELESCOPE = "Bertil gave me the telescope on the balcony."
REPAIR = "The telescope of Bertil needs a lens."
BREAD = "Sourdough rises slowly in winter."
SAILING = "Regatta starts behind the lighthouse."


@dataclass
class Script:
    """An advisor that gives these answers, one a question, then None; it keeps the questions."""

    answers: list[Mapping[str, Any] | None] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)

    def ask(self, question: Question) -> Mapping[str, Any] | None:
        """The next answer."""
        self.asked.append(question)
        return self.answers.pop(0) if self.answers else None


def described(*keywords: str, tags: Sequence[str] = (), context: str = "About it.") -> Any:
    """What a model says of one message."""
    return {"keywords": list(keywords), "tags": list(tags), "context": context}


def decided(link: Sequence[int] = (), tags: Sequence[str] = (), **changes: Any) -> Any:
    """What a model says of near notes; ``n0={...}`` changes the first."""
    changed = [{"note": int(name[1:]), **change} for name, change in changes.items()]
    return {"link": list(link), "tags": list(tags), "changes": changed}


Opened = Callable[..., Memory]


@pytest.fixture
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """Opens an a-mem memory whose notes are written with these settings."""
    memories: list[Memory] = []

    def open_(
        advisor: Advisor | None = None, embedder: Embedder | None = WORDS, **settings: Any
    ) -> Memory:
        enricher = Notes(embedder=embedder, advisor=advisor, **settings)
        parts = {**catalogue.parts(catalogue.find("a-mem")), "enrichers": [enricher]}
        known = None if embedder is None else (embedder.name, embedder.dimension)
        path = tmp_path_factory.mktemp("notes") / "memory.db"
        store = Store(path, durability="off", embedder=known)
        memories.append(Memory(store, parts, embedder, lambda: NOW))
        return memories[-1]

    yield open_
    for memory in memories:
        memory.close()


def notes(memory: Memory) -> dict[str, dict[str, Any]]:
    """The active notes by what was said."""
    found = memory.get_all(filters={"kind": "note"}, limit=1000)["results"]
    return {note["fields"]["content"]: note for note in found}


def say(memory: Memory, *texts: str, run: str | None = None) -> list[str]:
    """Add messages one by one; the ids of the raw records."""
    ids = {} if run is None else {"run_id": run}
    return [memory.add(text, **ids)["results"][0]["id"] for text in texts]  # type: ignore[arg-type]


def edges(memory: Memory) -> set[tuple[str, str]]:
    """The links between live notes, by what was said."""
    with memory.store.read(Scope()) as view:
        view.narrow(NOW, None, None, None)
        pairs = [view.records(rows) for rows in view.edges()]
    said = [[str(record.fields["content"]) for record in records] for records in pairs]
    return set(zip(*said, strict=True))


def vector_of(memory: Memory, record_id: str) -> np.ndarray:
    """The vector that search uses for the current version of a record."""
    with memory.store.read(Scope()) as view:
        columns = view.columns
        (row,) = np.flatnonzero((columns.ids == record_id) & (columns.known_to == np.inf))
        found: np.ndarray = columns.vectors[row]
        return found


def test_a_note_is_what_was_said_and_what_it_is_about(opened: Opened) -> None:
    """Its text is content, keywords, tags and context, and its vector is that of all of it."""
    memory = opened(Script([described("telescope", "gift", tags=["astronomy"], context="A gift.")]))
    (raw,) = say(memory, TELESCOPE)
    note = notes(memory)[TELESCOPE]

    assert note["memory"] == f"{TELESCOPE}\ntelescope, gift\nastronomy\nA gift."
    assert note["tags"] == ["astronomy"]
    assert note["parents"] == [raw]
    assert vector_of(memory, note["id"]) == pytest.approx(
        WORDS.embed([note["memory"]])[0], abs=1e-3
    )


def test_rules_write_a_note_of_its_rarest_words(opened: Opened) -> None:
    """Without the speaker's name, and with the most central of several sentences."""
    memory = opened(words=2)
    say(memory, *(f"Rain, day {day} of it." for day in range(5)))
    heart = "The regatta at the lighthouse ended in rain."
    said = f"Lots of rain today. {heart} Ana lit the lighthouse."
    memory.add({"role": "user", "name": "Ana", "content": said})
    note = notes(memory)[said]

    assert note["fields"]["keywords"] == ["lighthouse", "regatta"]
    assert note["fields"]["context"] == heart
    assert note["fields"]["speaker"] == "Ana"
    assert note["tags"] == []


@pytest.mark.parametrize("nothing", ["🙂", "Thanks!", "On Monday at 7."])
def test_a_message_about_nothing_gets_no_note(opened: Opened, nothing: str) -> None:
    """There is nothing to file it under."""
    memory = opened()
    say(memory, nothing)

    assert notes(memory) == {}


def test_two_keywords_in_common_link_two_notes(opened: Opened) -> None:
    """The later keeps the link, and what both are about becomes a tag of both."""
    memory = opened(near=1.1)
    say(memory, TELESCOPE, BREAD, REPAIR)
    found = notes(memory)

    assert edges(memory) == {(REPAIR, TELESCOPE)}
    assert set(found[REPAIR]["tags"]) == set(found[TELESCOPE]["tags"]) == {"Bertil", "telescope"}
    assert found[BREAD]["tags"] == []


def test_one_keyword_in_common_links_nothing(opened: Opened) -> None:
    """Unless one is enough."""
    other = "Bertil paints fences."
    strict, easy = opened(near=1.1), opened(near=1.1, shared=1)
    for memory in (strict, easy):
        say(memory, TELESCOPE, other)

    assert edges(strict) == set()
    assert edges(easy) == {(other, TELESCOPE)}


def test_nearly_the_same_vectors_link_two_notes(opened: Opened) -> None:
    """From the cosine on that is set, whatever the words are worth."""
    memory, deaf = opened(near=0.8, shared=99), opened(near=1.1, shared=99)
    for each in (memory, deaf):
        say(each, SAILING, SAILING.replace("the", "the old"))

    assert len(edges(memory)) == 1
    assert edges(deaf) == set()


def test_messages_of_one_call_find_one_another(opened: Opened) -> None:
    """What is being written is on the desk for the next."""
    memory = opened(near=1.1)
    memory.add([{"role": "user", "content": text} for text in (TELESCOPE, REPAIR)])

    assert edges(memory) == {(REPAIR, TELESCOPE)}


def test_only_the_near_notes_evolve(opened: Opened) -> None:
    """A model is shown the nearest, by small numbers, and no other note changes."""
    script = Script()
    memory = opened(script, neighbours=2, near=1.1, shared=99)
    say(memory, "Oldest of all, about chess.", BREAD, TELESCOPE, SAILING, "Bertil has a balcony.")
    before = {said: note["version"] for said, note in notes(memory).items()}
    script.answers = [
        described("lens"),
        decided([0], ["optics"], n0={"context": "Broken.", "tags": ["repair"]}),
    ]
    say(memory, REPAIR)
    after = notes(memory)

    changed = {said for said in before if after[said]["version"] != before[said]}
    assert changed == {TELESCOPE}
    assert after[TELESCOPE]["tags"] == ["repair"]
    assert after[TELESCOPE]["fields"]["context"] == "Broken."
    assert after[REPAIR]["tags"] == ["optics"]
    assert edges(memory) == {(REPAIR, TELESCOPE)}
    assert "[0] Bertil gave me" in script.asked[-1].content
    assert "[2]" not in script.asked[-1].content


def test_an_evolved_note_is_found_by_its_new_tag(opened: Opened) -> None:
    """It is embedded anew; its old vector knows nothing of the tag."""
    script = Script()
    memory = opened(script, near=1.1, shared=99)
    say(memory, TELESCOPE, BREAD)
    old = vector_of(memory, notes(memory)[TELESCOPE]["id"])
    script.answers = [
        described("lens"),
        decided(n0={"context": "Broken.", "tags": ["kaleidoscope"]}),
    ]
    say(memory, REPAIR)
    note = notes(memory)[TELESCOPE]
    new = vector_of(memory, note["id"])

    (asked,) = WORDS.embed(["kaleidoscope"])
    assert new @ asked > 0.1 > old @ asked
    assert memory.search("kaleidoscope", top_k=1)["results"][0]["id"] == note["id"]


def test_a_rewritten_note_rests_on_what_it_was_rewritten_for(opened: Opened) -> None:
    """Its evidence is both messages, its trust the lesser of the two."""
    script = Script([described("telescope"), described("lens")])
    script.answers.append(decided(n0={"context": "Broken.", "tags": []}))
    memory = opened(script)
    (first,) = say(memory, TELESCOPE)
    second = memory.add({"role": "assistant", "content": REPAIR})["results"][0]["id"]
    note = notes(memory)[TELESCOPE]

    (found,) = [r for r in memory.search("telescope")["results"] if r["id"] == note["id"]]
    assert {source["id"] for source in found["sources"]} == {first, second}
    assert note["trust"] == "model"
    assert note["tags"] == []


@pytest.mark.parametrize(
    "junk",
    [
        [None, None],
        [described(context=" "), None],
        [described("  ", "lens"), decided([0, 0], n0={"context": " ", "tags": ["junk"]})],
    ],
    ids=["nothing", "no words", "blanks"],
)
def test_a_model_that_says_nothing_changes_nothing(opened: Opened, junk: list[Any]) -> None:
    """The near note stays as it was; at most a link is made."""
    script = Script([described("telescope"), *junk])
    memory = opened(script, near=1.1, shared=99)
    say(memory, TELESCOPE, REPAIR)
    found = notes(memory)

    assert found[TELESCOPE]["version"] == 1
    assert found[REPAIR]["fields"]["keywords"]
    assert all(word.strip() for word in found[REPAIR]["fields"]["keywords"])


def test_without_answers_a_model_is_as_good_as_none(opened: Opened) -> None:
    """Rules take over, and write the same."""
    silent, plain = opened(Script()), opened()
    for memory in (silent, plain):
        say(memory, TELESCOPE, BREAD, REPAIR)
    texts = [[note["memory"] for note in notes(memory).values()] for memory in (silent, plain)]

    assert texts[0] == texts[1]


def test_a_note_never_tells_what_was_said_in_another_scope(opened: Opened) -> None:
    """A model sees near notes of the note's own scope only; rules may link, and add no word."""
    script = Script()
    memory = opened(script)
    say(memory, TELESCOPE, run="home")
    say(memory, REPAIR, run="shop")
    found = notes(memory)

    assert [question.purpose for question in script.asked] == ["notes", "notes"]
    assert edges(memory) == {(REPAIR, TELESCOPE)}
    assert set(found[TELESCOPE]["tags"]) <= {"Bertil", "telescope"}


def test_without_an_embedder_shared_words_say_what_is_near(opened: Opened) -> None:
    """Also between messages of one call."""
    memory = opened(embedder=None)
    say(memory, BREAD, TELESCOPE)
    memory.add([{"role": "user", "content": text} for text in (SAILING, REPAIR, f"{REPAIR} Now!")])

    assert (REPAIR, TELESCOPE) in edges(memory)
    assert (f"{REPAIR} Now!", REPAIR) in edges(memory)
    assert not any(BREAD in pair or SAILING in pair for pair in edges(memory))


def test_a_deleted_note_leaves_no_dangling_link(opened: Opened) -> None:
    """Nor does an erased one, and later notes are not linked with it."""
    memory = opened(near=1.1)
    first = say(memory, TELESCOPE, REPAIR)[0]
    memory.delete(first)
    deleted = edges(memory)
    memory.revert(memory.log(1)[0]["id"])
    back = edges(memory)
    memory.erase(first)
    say(memory, f"{REPAIR} Today.")

    assert deleted == set()
    assert back == {(REPAIR, TELESCOPE)}
    assert edges(memory) == {(f"{REPAIR} Today.", REPAIR)}
    assert memory.check()["ok"]


def test_an_erased_message_takes_the_notes_along_that_were_rewritten_for_it(
    opened: Opened,
) -> None:
    """What a model put into a near note must not outlive it; the near message stays."""
    script = Script([described("telescope"), described("lens")])
    script.answers.append(decided(n0={"context": "Has a xylophonic lens.", "tags": []}))
    memory = opened(script)
    second = say(memory, TELESCOPE, "The telescope needs a xylophonic lens.")[1]
    memory.erase(second)

    assert notes(memory) == {}
    assert [each["memory"] for each in memory.get_all()["results"]] == [TELESCOPE]
    assert not any(b"xylophonic" in file.read_bytes() for file in memory.path.parent.iterdir())


def test_a_changed_message_has_its_note_written_anew(opened: Opened) -> None:
    """In place of the one about the old text."""
    memory = opened()
    (first,) = say(memory, TELESCOPE)
    memory.update(first, SAILING)

    assert list(notes(memory)) == [SAILING]
    assert notes(memory)[SAILING]["version"] == 3


def test_what_people_wrote_or_froze_is_left_alone(opened: Opened) -> None:
    """A note that somebody edited has no parts that could be put together again."""
    memory = opened(near=1.1)
    say(memory, TELESCOPE)
    note = notes(memory)[TELESCOPE]
    memory.update(note["id"], "Bertil's telescope, see the album.")
    say(memory, REPAIR)

    assert notes(memory)[TELESCOPE]["memory"] == "Bertil's telescope, see the album."
    assert edges(memory) == {(REPAIR, TELESCOPE)}


def test_the_same_records_again_add_nothing(opened: Opened) -> None:
    """Every message has its note already."""
    memory = opened()
    say(memory, TELESCOPE, BREAD, REPAIR)
    with memory.store.read(Scope()) as view:
        view.narrow(NOW, None, None, None)
        said: list[Record] = view.records(np.flatnonzero(view.live & view.columns.of_kind("raw")))
        plan = Notes(embedder=WORDS).enrich(said, NOW, view)

    assert plan.edits == ()
