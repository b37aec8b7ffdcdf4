"""Reconciling: the four operations, and what no model can make of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engram import Memory, catalogue
from engram.plaintext.advice import Advisor, Question
from engram.plaintext.enrichers.reconciling import Reconciling
from engram.plaintext.enrichers.statements import Statements
from engram.plaintext.roles import Edit, EditPlan, Record, Scope
from engram.plaintext.store.store import Store
from engram.ports import Embedder, Vectors
from engram.testing.ports import Hand

DAY = 86_400.0
Opened = Callable[..., Memory]
Ruling = Mapping[str, Any]


@dataclass
class Script:
    """Rules what it is told to; None where it is told nothing. It keeps the questions."""

    answers: list[Sequence[Ruling] | None] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)

    def ask(self, question: Question) -> Mapping[str, Any] | None:
        """The next rulings."""
        self.asked.append(question)
        said = self.answers.pop(0) if self.answers else None
        return None if said is None else {"operations": list(said)}


class Alike:
    """An embedder for which all texts are near one another."""

    name, dimension = "alike", 4

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The same vector for each."""
        return np.tile(np.array((1, 0, 0, 0), dtype=np.float32), (len(texts), 1))


class Scribe:
    """Draws from each message just what it says, as a fact."""

    def ask(self, question: Question) -> Mapping[str, Any] | None:
        """The text of the only new message."""
        text = question.content.rpartition("[0] Ana: ")[2]
        return {"facts": [{"text": text, "message": 0}]}


def rule(operation: str, memory: int | None = 0, text: str | None = None, fact: int = 0) -> Ruling:
    """One ruling of a model."""
    optional = {"memory": memory, "text": text}
    kept = {key: value for key, value in optional.items() if value is not None}
    return {"fact": fact, "operation": operation, **kept}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """Opens a memory in which each message of Ana's is a fact, settled as the advisor says."""
    memories: list[Memory] = []

    def open_(
        advisor: Advisor | None = None,
        embedder: Embedder | None = None,
        *,
        rules: bool = False,
        **options: Any,
    ) -> Memory:
        drawing = Statements(advisor=None if rules else Scribe(), embedder=embedder)
        enrichers = [drawing, Reconciling(advisor=advisor, embedder=embedder, **options)]
        known = None if embedder is None else (embedder.name, embedder.dimension)
        parts = {**catalogue.parts(catalogue.find("mem0")), "enrichers": enrichers}
        path = tmp_path_factory.mktemp("reconciling") / "memory.db"
        store = Store(path, durability="off", embedder=known)
        memories.append(Memory(store, parts, embedder, Hand(1_767_603_600.0)))
        return memories[-1]

    yield open_
    for memory in memories:
        memory.close()


def say(memory: Memory, *texts: str, **ids: Any) -> list[str]:
    """Add messages of Ana's, a day after one another; the ids of the raw records."""
    added = []
    for text in texts:
        said = {"role": "user", "name": "Ana", "content": text, "time": memory.clock()}
        added.append(memory.add(said, **ids)["results"][0]["id"])
        memory.clock.at += DAY  # type: ignore[attr-defined]
    return added


def statements(memory: Memory, *states: str) -> list[dict[str, Any]]:
    """The statements in these states, the active ones if none is named."""
    found = memory.get_all(states=states or ("active",), filters={"kind": "statement"}, limit=1000)
    listed: list[dict[str, Any]] = found["results"]
    return listed


def texts(memory: Memory, *states: str) -> list[str]:
    """What they say."""
    return [each["memory"] for each in statements(memory, *states)]


def rows(memory: Memory, record: str) -> list[tuple[str, str]]:
    """The history of a record: what each version says, and its state."""
    return [(version["memory"], version["state"]) for version in memory.history(record)]


def freeze(memory: Memory, record_id: str) -> None:
    """Let a record change no more."""
    with memory.store.write(memory.clock()) as transaction:
        record = transaction.view(Scope()).get(record_id)
        assert record is not None
        transaction.apply(EditPlan((Edit(replace(record, frozen=True), basis=record.version),)))


CRICKET, FRIENDS = "Ana likes cricket", "Ana likes cricket with friends"
QUIT, MOMO = "Ana gave cricket up", "Ana has a cat called Momo"


@pytest.mark.parametrize(
    ("rulings", "said", "first", "active"),
    [
        ([rule("ADD", None)], QUIT, [(CRICKET, "active")], [CRICKET, QUIT]),
        (
            [rule("UPDATE")], FRIENDS,
            [(CRICKET, "active"), (FRIENDS, "active")],
            [FRIENDS],
        ),
        (
            [rule("UPDATE", text="Ana likes cricket and gave it up")], QUIT,
            [(CRICKET, "active"), ("Ana likes cricket and gave it up", "active")],
            ["Ana likes cricket and gave it up"],
        ),
        ([rule("DELETE")], QUIT, [(CRICKET, "active"), (CRICKET, "archived")], [QUIT]),
        ([rule("NOOP")], "Ana: cricket she likes", [(CRICKET, "active")], [CRICKET]),
    ],
    ids=["ADD", "UPDATE", "UPDATE with a wording", "DELETE", "NOOP"],
)  # fmt: skip
def test_each_operation_does_what_it_says(
    opened: Opened,
    rulings: list[Ruling],
    said: str,
    first: list[tuple[str, str]],
    active: list[str],
) -> None:
    """The first statement keeps its id; every change is a row of its history."""
    memory = opened(Script([rulings]))
    say(memory, CRICKET)
    (before,) = statements(memory)
    say(memory, said)

    assert rows(memory, before["id"]) == first
    assert texts(memory) == active
    assert memory.check()["ok"]


def test_what_is_deleted_is_archived_by_its_successor(opened: Opened) -> None:
    """With the interval in which it held, and the successor knows what it ended."""
    memory = opened(Script([[rule("DELETE")]]))
    say(memory, CRICKET, QUIT)
    (old,), (new,) = statements(memory, "archived"), statements(memory)

    assert old["superseded_by"] == new["id"]
    assert old["valid_to"] == new["valid_from"] == "2026-01-06T09:00:00Z"
    assert old["id"] in new["parents"]
    assert texts(memory, "merged") == []


@pytest.mark.parametrize("operation", ["DELETE", "UPDATE", "NOOP", "ADD"])
def test_a_fact_that_is_said_twice_is_never_deleted(opened: Opened, operation: str) -> None:
    """Whatever the model makes of the repetition, one statement stands as it was."""
    memory = opened(Script([[rule(operation)]] * 3))
    say(memory, CRICKET, CRICKET + "!", "Ana likes CRICKET.")
    (only,) = statements(memory)

    assert rows(memory, only["id"]) == [(CRICKET, "active")]


@pytest.mark.parametrize("operation", ["DELETE", "UPDATE", "NOOP", "ADD"])
def test_a_conflict_leaves_one(opened: Opened, operation: str) -> None:
    """Neither none nor both: two homes cannot be, whatever the model says."""
    memory = opened(Script([[rule(operation)]]))
    say(memory, "Ana lives in Bergen", "Ana lives in Oslo")

    assert texts(memory) == ["Ana lives in Oslo"]
    assert texts(memory, "archived") == ["Ana lives in Bergen"]


def test_a_model_that_deletes_all_loses_nothing(opened: Opened) -> None:
    """No more than the quota ends, each by a statement that stands, and all of it can be undone."""
    known = [f"Ana likes game {number}" for number in range(8)]
    nothing = [[rule("ADD", None)] for _ in known[1:]]
    memory = opened(Script([*nothing, [rule("DELETE", at) for at in range(8)]]), quota=3)
    say(memory, *known, "Ana likes a quiet evening")
    (last,) = [each["id"] for each in statements(memory) if "quiet" in each["memory"]]
    ended = statements(memory, "archived")

    assert len(ended) == 3
    assert {each["superseded_by"] for each in ended} == {last}
    raw = memory.get_all(filters={"kind": "raw"})["results"]
    assert [each["memory"] for each in raw] == [*known, "Ana likes a quiet evening"]


@pytest.mark.parametrize(
    "rulings",
    [
        None,
        [],
        [rule("ADD", None)],
        [rule("DELETE", None)],
        [rule("UPDATE", None, "Nonsense")],
        [rule("NOOP", 0)],
        [rule("DELETE", 0)],
        [rule("UPDATE", 0, "Ana")],
        [rule("UPDATE", 0, "Ana likes cricket, Zorro, a horse and much more of it all" * 9)],
    ],
    ids=repr,
)
def test_a_ruling_that_would_lose_words_adds(opened: Opened, rulings: list[Ruling] | None) -> None:
    """NOOP for what is not known, DELETE of another matter, a wording without the words."""
    memory = opened(Script([rulings]), Alike())
    say(memory, CRICKET, "Three rainy weeks passed")

    assert texts(memory) == [CRICKET, "Three rainy weeks passed"]


def test_the_model_sees_small_numbers_only(opened: Opened) -> None:
    """Neither ids nor list positions of the store; the nearest it is shown, no more."""
    script = Script()
    memory = opened(script, similar=2)
    say(memory, "Ana likes cricket", "Ana likes tea", "Ana likes rain", "Ana likes cricket a lot")
    content = script.asked[-1].content

    assert "New facts:\n[0] Ana likes cricket a lot" in content
    assert content.count("\n[") == 3
    assert not any(each["id"] in content for each in statements(memory))


@pytest.mark.parametrize(
    ("first", "second", "ended"),
    [(0, 1, ["Ana likes tea", "Ana owns a boat"]), (1, 0, [])],
    ids=["its own", "each other's"],
)
def test_only_what_is_near_a_fact_can_change_by_it(
    opened: Opened, first: int, second: int, ended: list[str]
) -> None:
    """A number that stands for a statement near another fact of the message is no target."""
    rulings = [rule("DELETE", first, fact=0), rule("DELETE", second, fact=1)]
    memory = opened(Script([None, rulings]), rules=True, similar=1)
    say(memory, "I like tea.", "I own a boat.", "I like green tea. I own a red boat.")

    assert texts(memory, "archived") == ended


def test_without_a_model_the_richer_statement_stands(opened: Opened) -> None:
    """What goes on about the same makes it richer; what says less is known already."""
    memory = opened(rules=True)
    say(memory, "I have a cat.")
    (first,) = statements(memory)
    say(memory, "My cat is called Momo.", "I do: I have a cat.")

    assert [text for text, _ in rows(memory, first["id"])] == ["Ana has a cat", MOMO]
    assert texts(memory) == [MOMO]


def test_of_one_batch_the_first_stands_and_the_later_makes_it_richer(opened: Opened) -> None:
    """As if the messages had come one by one."""
    memory = opened(rules=True)
    told = ("I have a cat.", "My cat is called Momo.", "I like tea.")
    memory.add([{"role": "user", "name": "Ana", "content": text} for text in told])
    cat, _ = statements(memory)

    assert [text for text, _ in rows(memory, cat["id"])] == ["Ana has a cat", MOMO]


def test_the_same_words_about_another_thing_are_another_statement(opened: Opened) -> None:
    """Hiking boots are no kind of hiking."""
    memory = opened(rules=True)
    say(memory, "I love hiking.", "I love hiking boots.", "I love boots.")

    assert texts(memory) == ["Ana likes hiking", "Ana likes hiking boots", "Ana likes boots"]


def test_nearly_equal_statements_are_held_once_without_a_model(opened: Opened) -> None:
    """Unless they differ in a name or a number."""
    memory = opened(Script(), same=0.6)
    say(memory, "Ana walks dogs daily", "Ana walks dogs often", "Ana walks 2 dogs daily")

    assert texts(memory) == ["Ana walks dogs daily", "Ana walks 2 dogs daily"]


def test_a_statement_of_another_conversation_is_replaced_not_reworded(opened: Opened) -> None:
    """Or a search in one conversation would bring words of another."""
    memory = opened(rules=True)
    say(memory, "I have a cat.", run_id="monday")
    say(memory, "My cat is called Momo.", run_id="tuesday")
    found = {each["run_id"]: each["memory"] for each in statements(memory, "active", "archived")}

    assert texts(memory) == [MOMO]
    assert found == {"monday": "Ana has a cat", "tuesday": MOMO}


@pytest.mark.parametrize("operation", ["DELETE", "UPDATE"])
def test_a_frozen_statement_stays(opened: Opened, operation: str) -> None:
    """The new one waits, or stands beside it."""
    memory = opened(Script([[rule(operation)]]))
    say(memory, CRICKET)
    (first,) = statements(memory)
    freeze(memory, first["id"])
    say(memory, FRIENDS)

    assert memory.get(first["id"])["memory"] == CRICKET
    assert memory.get(first["id"])["state"] == "active"


@pytest.mark.parametrize("doomed", [0, 1, 2])
def test_an_erase_finds_every_wording(opened: Opened, doomed: int) -> None:
    """Of the message that began a statement as of each that made it richer."""
    words = ("qvintus", "zorblat", "wexford")
    memory = opened(Script([[rule("UPDATE")]] * 2))
    raw = say(memory, *(f"Ana likes {' '.join(words[:count])}" for count in (1, 2, 3)))
    assert len(statements(memory)) == 1

    memory.erase(raw[doomed])

    content = b"".join(each.read_bytes() for each in memory.path.parent.glob("memory.db*"))
    left = [word for word in words if word.encode() in content.lower()]
    others = [" ".join(words[: at + 1]) for at in range(3) if at != doomed]
    assert left == [word for word in words if any(word in other for other in others)]
    assert texts(memory) == []
    assert memory.check()["ok"]


def test_the_same_messages_again_change_nothing(opened: Opened) -> None:
    """The cursor is not the only guard."""
    memory = opened(rules=True)
    say(memory, "I have a cat.", "My cat is called Momo.", "I live in Oslo.", "I live in Rome.")
    with memory.store.read(Scope()) as view:
        view.narrow(memory.clock(), None, None, None)
        raw: list[Record] = view.records(
            [at for at, each in enumerate(view.columns.of_kind("raw")) if each]  # type: ignore[arg-type]
        )
        plans = [Reconciling().enrich(fresh, memory.clock(), view) for fresh in (raw, [])]

    assert [plan.edits for plan in plans] == [(), ()]


things = st.lists(st.sampled_from(("tea", "rain", "boats", "chess")), min_size=1, max_size=3)
facts = things.map(lambda chosen: f"Ana likes {' '.join(dict.fromkeys(chosen))}")
rulings = st.builds(
    rule,
    st.sampled_from(("ADD", "UPDATE", "DELETE", "NOOP")),
    st.integers(0, 3),
    st.none() | facts,
)


@settings(max_examples=25)
@given(st.lists(st.tuples(facts, st.none() | st.lists(rulings, max_size=3)), max_size=6))
def test_after_any_operations_what_is_active_is_what_the_log_says(
    opened: Opened, told: list[tuple[str, list[Ruling] | None]]
) -> None:
    """Replayed, the log gives the same; every fact is kept, and what ended has a successor."""
    script = Script()
    memory = opened(script)
    for text, ruled in told:
        known = len(statements(memory))
        kept = [each for each in ruled or () if each.get("memory", 0) < known]
        script.answers = [None if ruled is None else kept]
        say(memory, text)
    every = statements(memory, "active", "archived", "merged", "generated")

    assert memory.check()["problems"] == []
    active = {each["id"]: each["memory"] for each in every if each["state"] == "active"}
    by_log = {each["id"]: memory.history(each["id"])[-1] for each in every}
    assert active == {
        key: last["memory"] for key, last in by_log.items() if last["state"] == "active"
    }
    ids = {each["id"] for each in every}
    assert all(each["superseded_by"] in ids for each in every if each["state"] != "active")
    assert {text for text, _ in told} <= {
        row[0] for each in every for row in rows(memory, each["id"])
    }
