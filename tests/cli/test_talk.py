"""A conversation with a preset whose model also works in the background."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from engram import Memory, catalogue
from engram.adapters.chat import Chat
from engram.adapters.server import Server
from engram.cli.talk import Talk
from engram.errors import InvalidInput, NotFound
from engram.plaintext.advice import Advisor, Question, fields
from engram.plaintext.advising import Counsel
from engram.plaintext.derived import derived
from engram.plaintext.roles import Edit, EditPlan, Record, View
from engram.plaintext.store.store import Store
from engram.testing.model_server import ModelServer, model_server


@dataclass(frozen=True, slots=True)
class Titles:
    """Gives each message a title that a model thinks of, or none."""

    advisor: Advisor | None = None

    def enrich(self, fresh: Sequence[Record], now: float, view: View) -> EditPlan:
        """Return a title for each record that got one."""
        schema = fields({"title": {"type": "string"}})
        edits = []
        for record in fresh:
            asked = Question("titles", "Give this a title.", record.text, schema, 20)
            answer = self.advisor.ask(asked) if self.advisor else None
            if answer is not None:
                edits.append(Edit(derived([record], "title", answer["title"], "titles")))
        return EditPlan(tuple(edits), method="titles")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A server of its own for each test."""
    with model_server() as made:
        yield made


@pytest.fixture
def memory(server: ModelServer, tmp_path: Path) -> Iterator[Memory]:
    """A memory that gives titles."""
    store = Store(tmp_path / "memory.db", durability="off")
    counsel = Counsel(Chat("small", Server(f"{server.url}/v1")), store)
    parts = catalogue.parts(catalogue.find("raw-bm25"))
    parts |= {"enrichers": [Titles(counsel)], "advisor": counsel}
    with Memory(store, parts, None, lambda: 1_767_603_600.0) as made:
        yield made


def talk_of(memory: Memory) -> Talk:
    """A conversation of Ana's."""
    assert memory.counsel is not None
    return Talk(memory, memory.counsel, {"user_id": "ana"}, recall=500, tokens=50)


def said(talk: Talk, text: str) -> str:
    """One turn; what the model answered."""
    turn, quoted = talk.recalled(text)
    talk.answered(turn, quoted, lambda _: None)
    return turn.answer


def test_what_a_model_makes_in_the_background_is_shown_when_it_is_waited_for(
    memory: Memory,
) -> None:
    """Once, and not again."""
    talk = talk_of(memory)

    said(talk, "I live in Bergen.")

    learned = talk.learned(wait=True)
    assert [(each["before"], each["after"]["kind"]) for each in learned] == [(None, "title")] * 2
    assert talk.learned(wait=True) == []


def test_taking_back_reaches_what_was_made_of_the_turn(memory: Memory) -> None:
    """The titles go with the words that they were given."""
    talk = talk_of(memory)
    said(talk, "I live in Bergen.")
    talk.learned(wait=True)
    said(talk, "Momo is a cat.")
    talk.learned(wait=True)

    assert len(talk.undo()) >= 2

    found = memory.get_all(user_id="ana")["results"]
    assert [each["memory"] for each in found if each["kind"] == "raw"] == [
        "I live in Bergen.",
        "I see.",
    ]
    assert memory.check()["ok"]


def test_what_others_wrote_meanwhile_is_not_taken_back(memory: Memory) -> None:
    """Only the commits of this conversation are its own to undo."""
    talk = talk_of(memory)
    said(talk, "I live in Bergen.")
    memory.actor = "somebody else"
    memory.add("The ferry sails at noon.", user_id="ana")
    memory.tend()
    memory.actor = talk.run

    talk.undo()

    raw = [each for each in memory.get_all(user_id="ana")["results"] if each["kind"] == "raw"]
    assert [each["memory"] for each in raw] == ["The ferry sails at noon."]


def test_an_id_that_could_be_of_several_memories_is_refused(memory: Memory) -> None:
    """Nothing is forgotten by mistake."""
    talk = talk_of(memory)
    said(talk, "I live in Bergen.")
    ids = [each["id"] for each in talk.memories(10)]

    with pytest.raises(InvalidInput, match="must be of one memory"):
        talk.forget(ids[0][:4])
    with pytest.raises(NotFound):
        talk.forget("zzz")
    assert talk.forget(ids[0])["id"] == ids[0]


def test_an_empty_memory_has_nothing_to_show_or_take_back(memory: Memory) -> None:
    """Before the first turn."""
    talk = talk_of(memory)

    assert talk.memories(5) == []
    assert talk.learned(wait=True) == []
    with pytest.raises(NotFound, match="no turn"):
        talk.undo()
