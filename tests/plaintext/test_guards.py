"""A memory with a model: whatever the model does, it changes nothing but the report."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from engram import Memory, catalogue
from engram.adapters.chat import Chat
from engram.adapters.server import Server
from engram.plaintext.advice import Advisor, Question, choices, fields, numbered
from engram.plaintext.advising import DAY, Budget, Counsel
from engram.plaintext.derived import derived
from engram.plaintext.roles import Edit, EditPlan, Record, View
from engram.plaintext.store.store import Store
from engram.ports import Completion
from engram.testing.model_server import FAULTS, KEY, NONSENSE, Answer, ModelServer, model_server
from engram.testing.ports import Hand

SAID = ["I live in Oslo.", "Momo is my cat.", "It rains a lot."]
RULED = ["noted: I live in Oslo."]
NOON = 20_000.5 * DAY

Opened: TypeAlias = Callable[..., Memory]


@dataclass(frozen=True, slots=True)
class Noting:
    """Notes what a model finds worth it; by rule, the first of what was said."""

    advisor: Advisor | None = None

    def enrich(self, fresh: Sequence[Record], now: float, view: View) -> EditPlan:
        """Return one note for each record that was chosen."""
        chosen = self._chosen(fresh)
        notes = [derived([record], "note", f"noted: {record.text}", "noting") for record in chosen]
        held = view.current(note.id for note in notes)
        edits = tuple(Edit(note) for note in notes if note.id not in held)
        return EditPlan(edits, method="noting", reason="what is worth it")

    def _chosen(self, fresh: Sequence[Record]) -> Sequence[Record]:
        schema = fields({"ids": choices(len(fresh))})
        content = numbered(record.text for record in fresh)
        asked = Question("notes", "Which of these are worth a note?", content, schema, 50)
        answer = self.advisor.ask(asked) if self.advisor else None
        return fresh[:1] if answer is None else [fresh[at] for at in answer["ids"]]


@dataclass(frozen=True, slots=True)
class Musing:
    """A keeper that asks whether all is well, and changes nothing but one record's importance."""

    advisor: Advisor | None = None

    def keep(self, now: float, view: View) -> EditPlan:
        """Return nothing, whatever the answer is."""
        if self.advisor is not None:
            self.advisor.ask(Question("musing", "Is all well?", "?", fields({}), 50))
        return EditPlan(method="musing")


class Hangs:
    """A model that says nothing until it is let go, and then nonsense."""

    name = "hangs"

    def __init__(self) -> None:
        self.asked, self.go = threading.Event(), threading.Event()

    def complete(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = 1024,
    ) -> Completion:
        """Wait."""
        self.asked.set()
        self.go.wait(10)
        return Completion("never mind")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A server of its own for each test."""
    with model_server() as made:
        yield made


@pytest.fixture
def opened(server: ModelServer, tmp_path: Path) -> Iterator[Opened]:
    """Opens the same file with a preset that notes, over the server, another model, or none."""
    memories: list[Memory] = []

    def open_(model: Any = "server", clock: Any = lambda: NOON, **settings: Any) -> Memory:
        store = Store(tmp_path / "memory.db", durability="off")
        if model == "server":
            patience = Server(f"{server.url}/v1", KEY, pause=0.0, attempts=1, timeout=10.0)
            model = Chat("small", patience)
        counsel = None if model is None else Counsel(model, store, clock=clock, **settings)
        parts = catalogue.parts(catalogue.find("raw-bm25"))
        parts |= {"enrichers": [Noting(counsel)], "keepers": [Musing(counsel)], "advisor": counsel}
        memories.append(Memory(store, parts, None, clock))
        return memories[-1]

    yield open_
    for memory in memories:
        memory.close()


def notes(memory: Memory) -> list[str]:
    """The texts of the notes, in order."""
    found = memory.get_all(user_id="ana", filters={"kind": "note"})
    return [record["memory"] for record in found["results"]]


def test_what_a_model_chooses_is_kept_with_its_receipt(opened: Opened, server: ModelServer) -> None:
    """In the report of ``tend``, in the commit's reason, and in what was spent today."""
    server.script = [{"ids": [1]}, {}]
    memory = opened()
    memory.add(SAID, user_id="ana")

    report = memory.tend(user_id="ana")["model"]

    assert notes(memory) == ["noted: Momo is my cat."]
    assert report["calls"] == 2
    assert report["tokens_in"] == sum(tokens for tokens, _ in server.served)
    assert report["tokens_out"] == sum(tokens for _, tokens in server.served)
    (reason,) = [each["reason"] for each in memory.log() if each["method"] == "noting"]
    first = server.served[0]
    assert reason == f"what is worth it; 1 calls, {first[0]}+{first[1]} tokens"
    (today,) = memory.stats(user_id="ana")["spending"]
    assert (today["user_id"], today["calls"]) == ("ana", 2)
    assert today["tokens"] == report["tokens_in"] + report["tokens_out"]
    assert memory.stats(user_id="ben")["spending"] == []
    assert memory.tend(user_id="ben")["model"]["calls"] == 1


def test_a_keeper_is_counted_for_the_scope_that_it_looks_at(
    opened: Opened, server: ModelServer
) -> None:
    """Also when everything is tended at once."""
    memory = opened()
    for user in ("ana", "ben"):
        memory.add("Hello.", user_id=user)

    memory.tend()

    spending = memory.stats()["spending"]
    assert [(row["user_id"], row["calls"]) for row in spending] == [("ana", 2), ("ben", 2)]


@pytest.mark.parametrize("name", [*NONSENSE, *FAULTS])
def test_a_model_that_misbehaves_changes_nothing_but_the_report(
    opened: Opened, server: ModelServer, name: str
) -> None:
    """The memory is the one that rules alone would have made."""
    server.script = [FAULTS.get(name, NONSENSE.get(name))] * 20
    memory = opened(timeout=0.2 if name in {"hangs", "drips"} else 20.0)

    memory.add(SAID, user_id="ana")
    report = memory.tend(user_id="ana")

    assert notes(memory) == RULED
    assert memory.check()["ok"]
    assert any(why.startswith("notes: ") for why in report["model"]["failures"])
    (reason,) = [each["reason"] for each in memory.log() if each["method"] == "noting"]
    assert reason.endswith("by rules: notes")


def test_adding_does_not_wait_for_the_model(opened: Opened) -> None:
    """What was said is stored and found while the model still thinks, and closing is as quick."""
    hanging = Hangs()
    memory = opened(hanging)
    began = time.perf_counter()

    receipt = memory.add(SAID, user_id="ana")

    assert time.perf_counter() - began < 1.0
    assert receipt["enriching"]
    assert hanging.asked.wait(10)
    assert memory.search("cat", user_id="ana")["results"][0]["memory"] == "Momo is my cat."
    memory.close()
    hanging.go.set()
    assert time.perf_counter() - began < 5.0


def test_what_closing_interrupts_is_done_at_the_next_open(
    opened: Opened, server: ModelServer
) -> None:
    """By the model, and not by the rules: nothing was half done."""
    hanging = Hangs()
    first = opened(hanging)
    first.add(SAID, user_id="ana")
    assert hanging.asked.wait(10)
    first.close()
    hanging.go.set()
    server.script = [{"ids": [2]}]

    second = opened()
    second.tend()

    assert notes(second) == ["noted: It rains a lot."]


def test_no_file_holds_the_key_or_the_words_of_the_server(
    opened: Opened, server: ModelServer, tmp_path: Path
) -> None:
    """A complaint may repeat both a key and a memory; an erase could not reach it in a commit."""
    said = "My codeword is xylophonquartz."
    complaint = f"not with the key {KEY}, you who said: {said}"
    server.script = [Answer(403, complaint.encode())] * 5
    memory = opened()
    memory.add(said, user_id="ana")

    failures = memory.tend(user_id="ana")["model"]["failures"]
    memory.erase(user_id="ana")
    memory.close()

    assert len(failures) == 2
    assert all("<key>" in failure for failure in failures)
    assert not any(KEY in failure for failure in failures)
    for file in tmp_path.glob("memory.db*"):
        held = file.read_bytes()
        assert KEY.encode() not in held
        assert b"not with the key" not in held
        assert b"xylophonquartz" not in held


def test_a_spent_budget_hands_over_to_the_rules_until_tomorrow(
    opened: Opened, server: ModelServer
) -> None:
    """The store goes on working; the report says why, and the next day the model is asked again."""
    clock = Hand(NOON)
    memory = opened(clock=clock, budget=Budget(tokens=3_000))

    def told(day: int, rounds: int) -> tuple[Any, Any]:
        clock.at = NOON + day * DAY
        for number in range(rounds):
            memory.add(f"Round {number} of day {day}.", user_id="ana")
            report = memory.tend(user_id="ana")["model"]
        return report, memory.stats(user_id="ana")["spending"][0]["tokens"]

    first, began = told(0, 1)
    spent, today = told(0, 30)
    second, tomorrow = told(1, 1)

    assert first["calls"] == second["calls"] == 2
    assert first["failures"] == second["failures"] == ()
    assert spent["calls"] == 0
    assert all("of the day's 3000 are left" in why for why in spent["failures"])
    assert 0 < began < today <= 3_000
    assert tomorrow == second["tokens_in"] + second["tokens_out"]
    assert memory.check()["ok"]
