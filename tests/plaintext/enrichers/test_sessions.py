"""Sessions: what is written of a conversation, when, and with which earlier ones it is linked."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from engram import Memory, catalogue
from engram.plaintext.advice import Advisor, Question
from engram.plaintext.enrichers.sessions import Sessions
from engram.plaintext.roles import Edit, EditPlan, Record, Scope
from engram.plaintext.store.store import Store
from engram.plaintext.store.transaction import new_id
from engram.plaintext.text.mixtures import upper_group
from engram.plaintext.text.sittings import LEVELS
from engram.ports import Embedder
from engram.testing.ports import Buckets

NOW = 1_767_603_600.0
WORDS = Buckets(dimension=512)
SAILING = (
    "The regatta starts behind the lighthouse.",
    "We won the regatta at the lighthouse with the old boat!",
    "Bread was sold out.",
)
BAKING = ("Sourdough rises slowly.", "My sourdough starter is five years old.")
TOPICS = ("chess gambit opening", "tulip garden bulbs", "violin sonata strings", "kiln glaze clay")


@dataclass
class Script:
    """An advisor that says this of every conversation; it keeps the questions."""

    answer: Mapping[str, Any] | None = None
    asked: list[Question] = field(default_factory=list)

    def ask(self, question: Question) -> Mapping[str, Any] | None:
        """The same answer each time."""
        self.asked.append(question)
        return self.answer


Opened = Callable[..., Memory]


@pytest.fixture
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """Opens a memgas memory whose sessions are written with these settings."""
    memories: list[Memory] = []

    def open_(
        advisor: Advisor | None = None, embedder: Embedder | None = WORDS, **settings: Any
    ) -> Memory:
        enricher = Sessions(embedder=embedder, advisor=advisor, **settings)
        parts = {**catalogue.parts(catalogue.find("memgas")), "enrichers": [enricher]}
        known = None if embedder is None else (embedder.name, embedder.dimension)
        path = tmp_path_factory.mktemp("sessions") / "memory.db"
        store = Store(path, durability="off", embedder=known)
        memories.append(Memory(store, parts, embedder, lambda: NOW))
        return memories[-1]

    yield open_
    for memory in memories:
        memory.close()


def say(memory: Memory, run: str | None, *texts: str, name: str = "Ana") -> list[str]:
    """Add the turns of a conversation in one call; their ids."""
    said = [{"role": "user", "name": name, "content": text} for text in texts]
    ids = {} if run is None else {"run_id": run}
    added = memory.add(said, **ids)["results"]  # type: ignore[arg-type]
    return [result["id"] for result in added[: len(texts)]]


def nodes(memory: Memory, run: str | None = None) -> dict[str, dict[str, Any]]:
    """The nodes of a conversation by kind."""
    found = memory.get_all(filters={"kind": list(LEVELS)}, limit=1000)["results"]
    return {node["kind"]: node for node in found if run in (None, node["run_id"])}


def links(memory: Memory, kind: str, run: str) -> set[tuple[str, str]]:
    """Kind and conversation of what a node is linked with."""
    found = memory.get_all(filters={"kind": list(LEVELS)}, limit=1000)["results"]
    by_id = {node["id"]: node for node in found}
    (node,) = [each for each in found if each["kind"] == kind and each["run_id"] == run]
    return {(by_id[to]["kind"], by_id[to]["run_id"]) for to in node["links"]}


def test_a_conversation_has_three_nodes(opened: Opened) -> None:
    """Its text with who spoke, its most central sentences, and its rarest words."""
    memory = opened(lines=2, words=2)
    turns = say(memory, "a", *SAILING)
    found = nodes(memory)

    assert [found[kind]["memory"] for kind in LEVELS] == [
        "\n".join(f"Ana: {text}" for text in SAILING),
        "\n".join(SAILING[:2]),
        "regatta, lighthouse",
    ]
    assert all(found[kind]["parents"] == turns for kind in LEVELS)
    assert all(found[kind]["run_id"] == "a" for kind in LEVELS)


def test_a_model_sums_up_where_there_is_one(opened: Opened) -> None:
    """It sees the conversation once, and its words are kept."""
    script = Script({"summary": "Ana won.", "keywords": ["regatta", " ", "boat"]})
    memory = opened(script)
    say(memory, "a", *SAILING)
    found = nodes(memory)

    assert found["session_summary"]["memory"] == "Ana won."
    assert found["session_keywords"]["memory"] == "regatta, boat"
    assert [question.content for question in script.asked] == [found["session"]["memory"]]


@pytest.mark.parametrize("summary", [None, "  ", "more than all that was said " * 20])
def test_a_summary_that_is_none_is_written_by_rules(opened: Opened, summary: str | None) -> None:
    """Nothing, blanks, and one that is longer than the conversation."""
    answer = None if summary is None else {"summary": summary, "keywords": ["junk"]}
    advised, plain = opened(Script(answer)), opened()
    for memory in (advised, plain):
        say(memory, "a", *SAILING)
    texts = [[nodes(memory)[kind]["memory"] for kind in LEVELS] for memory in (advised, plain)]

    assert texts[0] == texts[1]


def test_a_conversation_of_single_messages_is_written_anew_as_it_grows(opened: Opened) -> None:
    """By half each time, so that a long one is not written a hundred times."""
    memory = opened()
    sizes = []
    for number in range(12):
        say(memory, "a", f"Message {number} about tulips and garden {number}.")
        sizes.append(len(nodes(memory)["session"]["parents"]))

    assert sizes == [1, 2, 3, 3, 5, 5, 5, 8, 8, 8, 8, 12]
    assert nodes(memory)["session"]["version"] == 6


def test_what_a_conversation_ended_with_is_written_when_another_begins(opened: Opened) -> None:
    """It is over, and will hardly grow by half."""
    memory = opened()
    for text in (*SAILING, "Fog tomorrow."):
        say(memory, "a", text)
    before = nodes(memory, "a")["session"]["memory"]
    say(memory, "b", *BAKING)

    assert "Fog" not in before
    assert "Fog" in nodes(memory, "a")["session"]["memory"]


def test_conversations_side_by_side_are_not_written_at_every_turn(opened: Opened) -> None:
    """Each is over whenever the other goes on."""
    memory = opened()
    for number in range(120):
        say(memory, "ab"[number % 2], f"Turn {number} of a long talk, {number}.")

    assert nodes(memory, "a")["session"]["version"] <= 30
    assert len(nodes(memory, "a")["session"]["parents"]) >= 54


def test_messages_of_no_conversation_are_written_by_the_day(opened: Opened) -> None:
    """Those without a time stand alone."""
    memory = opened()
    memory.add("A note of no day.")
    none = nodes(memory)
    for time, text in (("2026-01-04", SAILING[0]), ("2026-01-05", BAKING[0])):
        memory.add({"role": "user", "content": text, "time": f"{time}T10:00:00Z"})
    found = memory.get_all(filters={"kind": "session"})["results"]

    assert none == {}
    assert [session["memory"] for session in found] == [SAILING[0], BAKING[0]]


def test_a_conversation_is_linked_with_the_one_that_it_resembles(opened: Opened) -> None:
    """And with no other; each node by its own similarities."""
    memory = opened()
    for number, topic in enumerate(TOPICS):
        say(memory, f"t{number}", topic, f"{topic} and rain {number}")
    say(memory, "again", "tulip garden bulbs in the rain")

    for kind in LEVELS:
        assert {run for _, run in links(memory, kind, "again")} == {"t1"}
    assert links(memory, "session", "t0") == set()


def test_links_are_those_that_the_mixture_accepts(opened: Opened) -> None:
    """Of the most similar nodes of other conversations, the mean of the turns among them."""
    memory = opened(candidates=6, least=4)
    for number, topic in enumerate(TOPICS):
        say(memory, f"t{number}", topic, f"violin and rain {number}")
    found = memory.get_all(filters={"kind": list(LEVELS)}, limit=1000)["results"]
    mine = {node["kind"]: node for node in found if node["run_id"] == "t3"}
    others = [node for node in found if node["run_id"] != "t3"]
    turns = [WORDS.embed([topic, f"violin and rain {n}"]) for n, topic in enumerate(TOPICS[:3])]
    means = [turn.mean(axis=0) for turn in turns]
    ids = [*(node["id"] for node in others), *(n["id"] for n in others if n["kind"] == "session")]
    vectors = np.concatenate([WORDS.embed([node["memory"] for node in others]), means])

    for kind in ("session_summary", "session_keywords"):
        scores = vectors @ WORDS.embed([mine[kind]["memory"]])[0]
        best = np.argsort(-scores, kind="stable")[:6]
        accepted = best[upper_group(scores[best])]
        assert set(mine[kind]["links"]) == {ids[at] for at in accepted}
        assert mine[kind]["links"]


def test_too_few_scores_are_not_told_apart(opened: Opened) -> None:
    """The second conversation of a memory resembles the first more or less, who knows."""
    memory, eager = opened(), opened(least=2)
    for each in (memory, eager):
        say(each, "a", *SAILING)
        say(each, "b", *BAKING)

    assert all(not node["links"] for node in nodes(memory).values())
    assert any(node["links"] for node in nodes(eager).values())


def test_without_an_embedder_there_are_nodes_and_no_links(opened: Opened) -> None:
    """Words alone give no similarities to fit."""
    memory = opened(embedder=None, least=2)
    for number, topic in enumerate(TOPICS):
        say(memory, f"t{number}", topic, topic + " again")

    assert set(nodes(memory)) == set(LEVELS)
    assert not any(node["links"] for node in nodes(memory).values())


def test_conversations_of_one_batch_are_linked_with_one_another(opened: Opened) -> None:
    """What was written a moment ago is on the shelf."""
    memory = opened()
    with memory.store.write(NOW) as transaction:
        for number, topic in enumerate((*TOPICS, TOPICS[1])):
            turn = Record(new_id(NOW), f"{topic} {number}", Scope(run=f"t{number}"))
            transaction.apply(EditPlan((Edit(turn),)))
    memory.tend()

    assert {run for _, run in links(memory, "session", "t4")} == {"t1"}


def test_a_turn_that_is_deleted_leaves_the_nodes_at_the_next(opened: Opened) -> None:
    """Whether they lost a source or were put out of recall with it."""
    memory = opened()
    first = say(memory, "a", *SAILING)[0]
    memory.delete(first)
    say(memory, "a", "Fog tomorrow.")
    found = nodes(memory, "a")

    assert SAILING[0] not in found["session"]["memory"]
    assert first not in found["session"]["parents"]
    assert "Fog" in found["session"]["memory"]


def test_an_erased_turn_takes_the_nodes_along(opened: Opened) -> None:
    """They were composed of it; the next turn has others written of what is left."""
    memory = opened()
    first = say(memory, "a", *SAILING)[0]
    memory.erase(first)
    gone = nodes(memory)
    say(memory, "a", "Fog tomorrow.")

    assert gone == {}
    assert SAILING[0] not in nodes(memory)["session"]["memory"]
    assert SAILING[1] in nodes(memory)["session"]["memory"]
    assert not any(b"starts behind" in file.read_bytes() for file in memory.path.parent.iterdir())


def test_a_conversation_whose_nodes_were_erased_gets_others(opened: Opened) -> None:
    """An erased id is never used again."""
    memory = opened()
    say(memory, "a", *SAILING)
    old = {node["id"] for node in nodes(memory).values()}
    for each in old:
        memory.erase(each)
    say(memory, "a", "Fog tomorrow.")
    new = {node["id"] for node in nodes(memory).values()}

    assert len(new) == len(LEVELS)
    assert not new & old
    assert memory.check()["ok"]


def test_a_changed_turn_is_written_into_the_nodes(opened: Opened) -> None:
    """It comes to the enricher as a fresh one."""
    memory = opened()
    first = say(memory, "a", *SAILING)[0]
    memory.update(first, "The regatta was cancelled.")
    text = nodes(memory)["session"]["memory"]

    assert SAILING[0] not in text
    assert text.startswith("Ana: The regatta was cancelled.")


def test_the_same_turns_again_add_nothing(opened: Opened) -> None:
    """Their conversation is written."""
    memory = opened()
    say(memory, "a", *SAILING)
    with memory.store.read(Scope()) as view:
        view.narrow(NOW, None, None, None)
        said = view.records(np.flatnonzero(view.live & view.columns.of_kind("raw")))
        plan = Sessions(embedder=WORDS).enrich(said, NOW, view)

    assert plan.edits == ()


def test_another_agents_turns_are_in_nodes_of_their_own(opened: Opened) -> None:
    """What one was told is not in the summary that the other sees."""
    memory = opened()
    memory.add(SAILING[0], run_id="a", agent_id="tutor")
    memory.add(BAKING[0], run_id="a", agent_id="coach")
    found = memory.get_all(filters={"kind": "session"}, agent_id="coach")["results"]

    assert [node["memory"] for node in found] == [BAKING[0]]
