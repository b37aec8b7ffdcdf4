"""Statements: what is drawn from messages, by rules and by a model, and what never is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from engram import Memory, catalogue
from engram.plaintext.advice import Advisor, Question
from engram.plaintext.enrichers.statements import Statements
from engram.plaintext.roles import Scope
from engram.plaintext.store.store import Store
from engram.testing.ports import Hand

DAY = 86_400.0
Opened = Callable[..., Memory]


@dataclass
class Script:
    """An advisor that gives these facts, a list a question, then None; it keeps the questions."""

    answers: list[Any] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)

    def ask(self, question: Question) -> Mapping[str, Any] | None:
        """The next list of facts; a text alone is of the first message."""
        self.asked.append(question)
        if not self.answers:
            return None
        told = [(text, 0) if isinstance(text, str) else text for text in self.answers.pop(0)]
        return {"facts": [{"text": text, "message": message} for text, message in told]}


@pytest.fixture
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """Opens a memory that draws statements; words alone tell what is near."""
    memories: list[Memory] = []

    def open_(advisor: Advisor | None = None, **settings: Any) -> Memory:
        enricher = Statements(advisor=advisor, **settings)
        parts = {**catalogue.parts(catalogue.find("mem0-v3")), "enrichers": [enricher]}
        store = Store(tmp_path_factory.mktemp("statements") / "memory.db", durability="off")
        memories.append(Memory(store, parts, None, Hand(1_767_603_600.0)))
        return memories[-1]

    yield open_
    for memory in memories:
        memory.close()


def say(memory: Memory, *texts: str, name: str = "Ana", **ids: Any) -> list[str]:
    """Add messages, a day after one another; the ids of the raw records."""
    added = []
    for text in texts:
        said = {"role": "user", "name": name, "content": text, "time": memory.clock()}
        added.append(memory.add(said, **ids)["results"][0]["id"])
        memory.clock.at += DAY  # type: ignore[attr-defined]
    return added


def statements(memory: Memory, *states: str) -> list[str]:
    """The texts of the statements in these states, the active ones if none is named."""
    found = memory.get_all(states=states or ("active",), filters={"kind": "statement"})
    return [each["memory"] for each in found["results"]]


def test_rules_draw_triples_with_their_evidence(opened: Opened) -> None:
    """Each rests on the very words, holds from when it was said, and fills a slot."""
    memory = opened()
    (raw,) = say(memory, "Well! I live in Oslo.")
    (only,) = memory.get_all(filters={"kind": "statement"})["results"]
    (found,) = memory.search("Where does Ana live?", top_k=1)["results"]

    assert only["memory"] == "Ana lives in Oslo"
    assert only["fields"]["relation"] == "lives_in"
    assert only["valid_from"] == "2026-01-05T09:00:00Z"
    assert found["id"] == only["id"]
    assert [(s["id"], s["start"], s["end"]) for s in found["sources"]] == [(raw, 6, 20)]


def test_a_model_draws_from_two_messages_at_a_time(opened: Opened) -> None:
    """It sees them numbered, what was said before, and what is known."""
    script = Script([["Ana likes the sauna"], [("Ana cooks on Friday", 1)]])
    memory = opened(script)
    say(memory, "I like the sauna here.")
    talk = [
        {"role": "user", "name": "Ben", "content": "Who cooks on Friday?"},
        {"role": "user", "name": "Ana", "content": "I do, I cook well."},
        {"role": "user", "name": "Ben", "content": "Good."},
    ]
    ids = [result["id"] for result in memory.add(talk)["results"][:3]]
    found = memory.get_all(filters={"kind": "statement"})["results"]

    assert [each["memory"] for each in found] == ["Ana likes the sauna", "Ana cooks on Friday"]
    assert found[1]["parents"] == [ids[1]]
    assert len(script.asked) == 3
    assert "[0] Ben: Who cooks on Friday?\n[1] Ana: I do, I cook well." in script.asked[1].content
    assert "[0] Ana likes the sauna" in script.asked[1].content
    assert "Ana: I like the sauna here." in script.asked[1].content.split("New messages")[0]


def test_without_a_usable_answer_the_rules_draw(opened: Opened) -> None:
    """An empty list is an answer, None is none."""
    silent, empty = opened(Script()), opened(Script([[]]))
    say(silent, "I live in Oslo.")
    say(empty, "I live in Oslo.")

    assert statements(silent) == ["Ana lives in Oslo"]
    assert statements(empty) == []


@pytest.mark.parametrize(
    "invented",
    ["Ana lives with Peter", "Ana lives in Oslo since 1999", "Bananas are yellow fruit", "🎉", " "],
)
def test_a_fact_must_be_made_of_what_was_shown(opened: Opened, invented: str) -> None:
    """No invented people, no invented numbers, no restated instructions."""
    memory = opened(Script([[invented]]))
    say(memory, "I live in Oslo.")

    assert statements(memory, "active", "merged", "archived") == []


def test_machines_tell_nothing(opened: Opened) -> None:
    """By rules nor by a model: facts are drawn from what persons say."""
    ruled, advised = opened(), opened(Script([["Ana lives in Oslo"]] * 3))
    for memory in (ruled, advised):
        for role in ("assistant", "tool", "system"):
            memory.add({"role": role, "content": "Ana lives in Oslo."})

    assert statements(ruled) == statements(advised) == []


def test_the_same_fact_is_held_once(opened: Opened) -> None:
    """However often it is said; each time is kept, and the first stays as it was."""
    memory = opened()
    say(memory, "I live in Oslo.", "Oh, I live in Oslo!", "I really do: I live in OSLO.")

    assert statements(memory) == ["Ana lives in Oslo"]
    assert len(statements(memory, "merged")) == 2
    assert memory.check()["ok"]


@pytest.mark.parametrize("advised", [False, True])
def test_of_two_values_of_a_slot_one_is_current(opened: Opened, *, advised: bool) -> None:
    """Adding alone leaves both in other systems; here the older one is history."""
    facts = [["Ana lives in Bergen"], ["Ana lives in Oslo"], ["Ana lives in Lyon"]]
    memory = opened(Script(facts) if advised else None)
    say(memory, "I live in Bergen.", "I live in Oslo.", "I live in Lyon.")
    earlier = memory.search("Where does Ana live?", as_of="2026-01-06T12:00:00Z", top_k=1)

    assert statements(memory) == ["Ana lives in Lyon"]
    assert statements(memory, "archived") == ["Ana lives in Bergen", "Ana lives in Oslo"]
    assert earlier["results"][0]["memory"] == "Ana lives in Oslo"


def test_old_news_is_history_when_it_comes(opened: Opened) -> None:
    """The latest is the latest in the world, not in the log."""
    memory = opened()
    for place, day in (("Oslo", "2025-03-01"), ("Bergen", "2025-01-01"), ("Lyon", "2025-02-01")):
        said = {"role": "user", "name": "Ana", "content": f"I live in {place}.", "time": day}
        memory.add(said)
    found = memory.get_all(states=["archived"], filters={"kind": "statement"})["results"]

    assert statements(memory) == ["Ana lives in Oslo"]
    assert {each["memory"]: each["valid_to"] for each in found} == {
        "Ana lives in Bergen": "2025-02-01T00:00:00Z",
        "Ana lives in Lyon": "2025-03-01T00:00:00Z",
    }


def test_a_plan_ends_nothing_before_its_day(opened: Opened) -> None:
    """Until then the old value holds, and it is known when it will end."""
    memory = opened()
    say(memory, "I live in Bergen.", "I'm moving to Oslo on 1 September 2026.")
    old, new = memory.get_all(filters={"kind": "statement"})["results"]

    assert (old["memory"], old["state"]) == ("Ana lives in Bergen", "active")
    assert old["valid_to"] == new["valid_from"] == "2026-09-01T00:00:00Z"
    assert old["superseded_by"] == new["id"]


def test_what_the_memory_recalled_is_not_drawn_again(opened: Opened) -> None:
    """Ten cycles of recall and add leave as many statements as before, also with a model."""
    memory = opened(Script([["Ana lives in Oslo"]] * 30))
    say(memory, "I live in Oslo.")
    before = memory.stats()["records"]["statement active"]
    for _ in range(10):
        recalled = memory.context("Where does Ana live?")["text"]
        memory.add({"role": "user", "content": recalled})
        memory.add({"role": "assistant", "content": recalled})

    assert memory.stats()["records"]["statement active"] == before == 1


def test_a_corrected_message_is_read_anew(opened: Opened) -> None:
    """What was drawn from the old text is withdrawn; also when the old text comes back."""
    memory = opened()
    (raw,) = say(memory, "I live in Oslo.")

    memory.update(raw, "I live in Bergen.")
    assert statements(memory) == ["Ana lives in Bergen"]

    memory.update(raw, "I live in Oslo.")
    assert statements(memory) == ["Ana lives in Oslo"]


def test_a_deleted_message_gives_the_slot_back(opened: Opened) -> None:
    """The value that it had ended holds again."""
    memory = opened()
    _, last = say(memory, "I live in Bergen.", "I live in Oslo.")
    memory.delete(last)

    assert statements(memory) == ["Ana lives in Bergen"]


def test_what_a_fact_borrows_words_from_takes_it_along(opened: Opened) -> None:
    """An erase of the question destroys the fact that the answer alone would not name."""
    memory = opened(Script([[], [("Ana lives in Kvarnholm", 0)]]))
    asked = memory.add({"role": "user", "name": "Ben", "content": "Still in Kvarnholm, Ana?"})
    memory.add({"role": "user", "name": "Ana", "content": "Yes, she lives there happily."})
    assert statements(memory) == ["Ana lives in Kvarnholm"]

    memory.erase(asked["results"][0]["id"])

    assert statements(memory) == []
    assert b"kvarnholm" not in memory.path.read_bytes().lower()


def test_what_ends_soon_does_not_stand_for_what_lasts(opened: Opened) -> None:
    """A fact of a message that expires is held beside the same fact of one that does not."""
    memory = opened()
    say(memory, "I like tea.")
    fleeting = {"content": "Ooh, I like coffee.", "name": "Ana", "expires_at": "2027-01-01"}
    memory.add(fleeting)
    say(memory, "Yes: I like coffee.", "I like tea so.")

    assert statements(memory) == ["Ana likes tea", "Ana likes coffee", "Ana likes coffee"]


def test_statements_stay_in_their_space(opened: Opened) -> None:
    """Another user's are neither equal nor rivals, and a run sees its own."""
    memory = opened()
    say(memory, "I live in Oslo.", user_id="one")
    say(memory, "I live in Bergen.", user_id="two")
    one, two = (
        memory.get_all(user_id=user, filters={"kind": "statement"})["results"]
        for user in ("one", "two")
    )

    assert [each["memory"] for each in (*one, *two)] == ["Ana lives in Oslo", "Ana lives in Bergen"]


def test_the_same_messages_again_add_nothing(opened: Opened) -> None:
    """Whatever became of the statements meanwhile."""
    memory = opened()
    say(memory, "I live in Bergen.", "I live in Oslo.", "I love tea.", "Yes, I love tea!")
    with memory.store.read(Scope()) as view:
        view.narrow(memory.clock(), None, None, None)
        raw = view.records([at for at, each in enumerate(view.columns.of_kind("raw")) if each])  # type: ignore[arg-type]
        again = Statements().enrich(raw, memory.clock(), view)
        nothing = Statements().enrich([], memory.clock(), view)

    assert again.edits == nothing.edits == ()
