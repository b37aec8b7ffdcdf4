"""Entities: nodes that are one when their names are, edges that end and are never deleted."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from engram import Memory, catalogue
from engram.plaintext.advice import Advisor, Question
from engram.plaintext.enrichers.entities import Entities
from engram.plaintext.roles import Record, Scope
from engram.plaintext.store.store import Store
from engram.ports import Embedder, Vectors
from engram.testing.ports import Hand

DAY = 86_400.0
Opened = Callable[..., Memory]


class Names:
    """An embedder for which some names are near one another, and all else is far."""

    name, dimension = "names", 4
    known: Mapping[str, Sequence[float]] = {
        "melanie": (1, 0, 0, 0),
        "mel": (0.8, 0.6, 0, 0),
        "mela": (0.6, 0.8, 0, 0),
        "oslo": (0, 0, 1, 0),
        "oslo university": (0, 0, 0.9, 0.436),
        "york": (0, 0, 0.9, -0.436),
        "new york": (0, 0, 1, 0),
        "rome": (0.6, -0.8, 0, 0),
        "romeo": (0.8, -0.6, 0, 0),
    }

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Melanie is near Mel (0.8), Oslo near its university (0.9)."""
        rows = [self.known.get(text.lower(), (0, 0, 0, 1)) for text in texts]
        return np.array(rows, dtype=np.float32)


@dataclass
class Script:
    """An advisor that gives these answers by purpose, then None; it keeps the questions."""

    graph: list[Any] = field(default_factory=list)
    obsolete: list[Any] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)

    def ask(self, question: Question) -> Mapping[str, Any] | None:
        """The next answer."""
        self.asked.append(question)
        answers = self.graph if question.purpose == "graph" else self.obsolete
        return answers.pop(0) if answers else None


def graph(*edges: tuple[str, str, str]) -> Mapping[str, Any]:
    """What a model draws: edges of head, relation and tail, and the nodes that they need."""
    names = list(dict.fromkeys(end for head, _, tail in edges for end in (head, tail)))
    return {
        "entities": [{"name": name, "kind": "other"} for name in names],
        "relations": [
            {"head": names.index(head), "relation": relation, "tail": names.index(tail)}
            for head, relation, tail in edges
        ],
    }


@pytest.fixture
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """Opens a memory that keeps a graph."""
    memories: list[Memory] = []

    def open_(
        advisor: Advisor | None = None, embedder: Embedder | None = None, **settings: Any
    ) -> Memory:
        enricher = Entities(advisor=advisor, embedder=embedder, **settings)
        parts = {**catalogue.parts(catalogue.find("mem0-graph")), "enrichers": [enricher]}
        known = None if embedder is None else (embedder.name, embedder.dimension)
        path = tmp_path_factory.mktemp("entities") / "memory.db"
        store = Store(path, durability="off", embedder=known)
        memories.append(Memory(store, parts, embedder, Hand(1_767_603_600.0)))
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


def edges(memory: Memory, *states: str) -> list[str]:
    """The texts of the edges in these states, the active ones if none is named."""
    found = memory.get_all(states=states or ("active",), filters={"kind": "edge"})
    return [each["memory"] for each in found["results"]]


def nodes(memory: Memory) -> dict[str, dict[str, Any]]:
    """The active nodes by name."""
    found = memory.get_all(filters={"kind": "fact"})["results"]
    return {each["memory"]: each for each in found}


def test_names_become_nodes_and_statements_become_edges(opened: Opened) -> None:
    """An edge leads from its head to its tail; a node says what it is."""
    memory = opened()
    say(memory, "I live in Oslo. My friend Peter visited Rome.")
    found = nodes(memory)
    edge = memory.get_all(filters={"kind": "edge"})["results"][0]

    assert {name: node["fields"]["tail"] for name, node in found.items()} == {
        "Ana": "person", "Oslo": "place", "Peter": "person", "Rome": "place",
    }  # fmt: skip
    assert edge["links"] == {found["Ana"]["id"]: "head", found["Oslo"]["id"]: "tail"}
    assert edges(memory) == ["Ana lives in Oslo", "Peter visited Rome"]


def test_equal_names_are_one_node_that_rests_on_each_message(opened: Opened) -> None:
    """Up to a number of them; case is no difference."""
    memory = opened(evidence=3)
    raw = say(memory, *["We met Peter."] * 2, "Then PETER left.", "I miss Peter.", name="Ana")
    with memory.store.read(Scope()) as view:
        view.narrow(memory.clock(), None, None, None)
        record = view.get(nodes(memory)["Peter"]["id"])

    assert record is not None
    assert len(raw) == 4
    assert len({source.record for source in record.sources}) == 3


def test_near_names_are_one_node(opened: Opened) -> None:
    """From the threshold on; the edge has the slot of the node, whatever the message calls it."""
    memory = opened(embedder=Names())
    say(memory, "Melanie lives in Rome.", "Mel lives in Oslo.", "Mela lives in Rome.")

    assert "Mel" not in nodes(memory)
    assert "Mela" in nodes(memory)
    assert edges(memory) == ["Mel lives in Oslo", "Mela lives in Rome"]
    assert edges(memory, "archived") == ["Melanie lives in Rome"]


def test_names_of_two_kinds_are_two_nodes(opened: Opened) -> None:
    """Romeo is near to Rome, and no place."""
    kinds = {"Rome": "place", "Romeo": "person"}
    named = [{"name": name, "kind": kind} for name, kind in kinds.items()]
    memory = opened(Script([{"entities": named, "relations": []}]), Names())
    say(memory, "In Rome we met Romeo.")

    assert kinds.keys() <= nodes(memory).keys()


def test_a_longer_name_is_another_node(opened: Opened) -> None:
    """A university is not its town, however near their vectors are."""
    memory = opened(embedder=Names())
    say(memory, "I live in Oslo.", "I study at Oslo University.", "From York to New York!")

    assert {"Oslo", "Oslo University", "York", "New York"} <= nodes(memory).keys()


def test_a_newer_value_of_a_slot_ends_the_older_edge(opened: Opened) -> None:
    """It is kept with its interval, and recalled as of then; other relations go side by side."""
    memory = opened()
    say(memory, "I live in Bergen.", "I love tea.", "I live in Oslo.", "I love rain.")
    (ended,) = memory.get_all(states=["archived"], filters={"kind": "edge"})["results"]

    assert edges(memory) == ["Ana likes tea", "Ana lives in Oslo", "Ana likes rain"]
    assert (ended["memory"], ended["valid_to"]) == ("Ana lives in Bergen", "2026-01-07T09:00:00Z")
    then = memory.search("Where does Ana live?", as_of="2026-01-06T09:00:00Z", top_k=1)
    assert then["results"][0]["memory"] == "Ana lives in Bergen"


def test_what_is_said_again_is_one_edge(opened: Opened) -> None:
    """The repetition is kept, merged with it."""
    memory = opened()
    say(memory, "I love tea.", "Yes, I love tea!")

    assert edges(memory) == edges(memory, "merged") == ["Ana likes tea"]


def test_a_model_draws_nodes_and_edges(opened: Opened) -> None:
    """By positions in its own list, with labels of its own."""
    drawn = graph(("Ana", "adopted", "Momo"), ("Momo", "Sleeps_in", "the sink"))
    memory = opened(Script([drawn]))
    say(memory, "I adopted Momo, who sleeps in the sink.")

    assert edges(memory) == ["Ana adopted Momo", "Momo sleeps in the sink"]
    assert {"Ana", "Momo", "the sink"} == nodes(memory).keys()


@pytest.mark.parametrize(
    "drawn",
    [
        graph(("Ana", "knows", "Zorro")),
        graph(("Ana", "is", "Ana")),
        graph(("Ana", "DROP TABLE; --", "Momo")),
        graph(("Ana", "x" * 60, "Momo")),
        {"entities": [], "relations": [{"head": 7, "relation": "has", "tail": 8}]},
        {"entities": [{"name": " ", "kind": "other"}], "relations": []},
    ],
    ids=["invented", "loop", "label", "long", "positions", "blank"],
)
def test_what_does_not_stand_in_the_message_is_no_edge(
    opened: Opened, drawn: Mapping[str, Any]
) -> None:
    """Nor a node."""
    memory = opened(Script([drawn]))
    say(memory, "I adopted Momo.")

    assert edges(memory) == []
    assert nodes(memory).keys() <= {"Ana", "Momo"}


def test_a_model_ends_edges_of_the_same_node(opened: Opened) -> None:
    """By small numbers, and only where a new edge leaves that node."""
    known = [graph(("Ana", "sleeps_in", "tents")), graph(("Ben", "sleeps_in", "beds"))]
    new = graph(("Ana", "sleeps_in", "beds"))
    script = Script([*known, new], [{"obsolete": [{"edge": 0, "by": 0}]}])
    memory = opened(script)
    say(memory, "I sleep in tents.", "Ben sleeps in beds.", "I sleep in beds.")
    asked = script.asked[-1]

    assert asked.content == "New:\n[0] Ana sleeps in beds\n\nKnown:\n[0] Ana sleeps in tents"
    assert edges(memory) == ["Ben sleeps in beds", "Ana sleeps in beds"]
    assert edges(memory, "archived") == ["Ana sleeps in tents"]


def test_an_edge_of_another_node_ends_nothing(opened: Opened) -> None:
    """Though it is new in the same message."""
    both = graph(("Ana", "sleeps_in", "beds"), ("Ben", "eats", "plums"))
    script = Script(
        [graph(("Ana", "sleeps_in", "tents")), both], [{"obsolete": [{"edge": 0, "by": 1}]}]
    )
    memory = opened(script)
    say(memory, "I sleep in tents.", "I sleep in beds, Ben eats plums.")

    assert edges(memory, "archived") == []


def test_a_model_ends_no_more_than_its_quota(opened: Opened) -> None:
    """What ended names the edge that ended it."""
    foods = ("plums", "figs", "dates")
    known = [graph(("Ana", "eats", food)) for food in foods]
    all_ = {"obsolete": [{"edge": at, "by": 0} for at in range(3)]}
    memory = opened(
        Script([*known, graph(("Ana", "eats", "nothing"))], [None, None, all_]), quota=2
    )
    say(memory, *(f"I eat {food}." for food in foods), "I eat nothing.")
    ended = memory.get_all(states=["archived"], filters={"kind": "edge"})["results"]
    (last,) = [
        each["id"]
        for each in memory.get_all(filters={"kind": "edge"})["results"]
        if "nothing" in each["memory"]
    ]

    assert len(ended) == 2
    assert {each["superseded_by"] for each in ended} == {last}
    assert len(edges(memory)) == 2


def test_without_an_answer_rules_draw_the_graph(opened: Opened) -> None:
    """The same as without a model."""
    ruled, silent = opened(), opened(Script())
    for memory in (ruled, silent):
        say(memory, "I live in Oslo, Peter lives in Rome.", "Hm.", "🎉")

    assert nodes(ruled).keys() == nodes(silent).keys()
    assert edges(ruled) == edges(silent)


def test_nodes_alone_are_made_where_nothing_else_is_wanted(opened: Opened) -> None:
    """Names that were said, and no ends of edges."""
    memory = opened(makes=("nodes",))
    say(memory, "I live in Oslo and love tea.")

    assert nodes(memory).keys() == {"Ana", "Oslo"}
    assert edges(memory) == []


def test_nodes_are_no_answers(opened: Opened) -> None:
    """They lead to edges; a search brings back who said what."""
    memory = opened()
    say(memory, "I live in Oslo.", "Oslo was rainy.")
    found = memory.search("Oslo", top_k=10)["results"]

    assert {each["kind"] for each in found} <= {"raw", "edge"}


def test_an_erase_takes_nodes_and_edges_along(opened: Opened) -> None:
    """What else was said of the node stays."""
    memory = opened()
    doomed, _ = say(memory, "Peter lives in Rome.", "We met Peter.")
    memory.erase(doomed)

    assert edges(memory) == []
    assert nodes(memory).keys() == {"Ana", "Peter"}
    assert b"rome" not in memory.path.read_bytes().lower()
    assert memory.check()["ok"]


def test_the_same_messages_again_change_nothing(opened: Opened) -> None:
    """Nodes that they rest on already, edges that are settled."""
    memory = opened()
    say(memory, "I live in Bergen.", "I live in Oslo.", "I love tea.", "I love tea indeed.")
    with memory.store.read(Scope()) as view:
        view.narrow(memory.clock(), None, None, None)
        raw: list[Record] = view.records(
            [at for at, each in enumerate(view.columns.of_kind("raw")) if each]  # type: ignore[arg-type]
        )
        plans = [Entities().enrich(fresh, memory.clock(), view) for fresh in (raw, [])]

    assert [plan.edits for plan in plans] == [(), ()]
