"""A large scope is rated in a small part of it, as it would be rated as a whole."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engram.memory import Memory
from engram.plaintext.columns import above_zero, highest
from engram.plaintext.excerpt import Excerpt
from engram.plaintext.read import Ask, Found, Reader
from engram.plaintext.roles import Scope
from engram.testing.ports import Hand

PEOPLE = ("Ana", "Ben", "Cleo", "Dov")
THINGS = ("kayak", "violin", "kettle", "tent", "mirror", "saw", "lamp", "drum", "clock", "vase")
PLACES = ("Bergen", "Oslo", "Tromso", "Hamar", "Molde", "Narvik", "Alta", "Bodo", "Moss", "Voss")
SAID = (
    "I bought a {thing} in {place}.",
    "{who} has a {thing} from {place}, hasn't {who}?",
    "The {thing} was cheap.",
    "We met {who} in {place} about the {thing}.",
)
QUERIES = (
    "Where did I buy the kayak?",
    "Who has a violin from Oslo?",
    "the tent",
    "Where did we meet Cleo about the lamp?",
    "What did Ben say about the kettle?",
)
SCOPE = Scope(user="ana")


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    """Some conversations that repeat few words in many ways."""
    clock, draw = Hand(), random.Random(4)
    clock.set("2026-06-01")
    path: Path = tmp_path_factory.mktemp("excerpt") / "memory.db"
    with Memory.open(path, durability="off", clock=clock) as memory:
        for run in range(12):
            said = [
                draw.choice(SAID).format(
                    thing=draw.choice(THINGS), place=draw.choice(PLACES), who=draw.choice(PEOPLE)
                )
                for _ in range(30)
            ]
            memory.add(
                [
                    {"role": "user", "content": text, "name": draw.choice(PEOPLE)}
                    for text in dict.fromkeys(said)
                ],
                user_id="ana",
                run_id=f"talk {run}",
            )
        yield memory


def ask(memory: Memory, query: str, few: int, scope: Scope = SCOPE) -> Found:
    """What a reader finds that rates all rows of at most so many."""
    reader: Reader = replace(memory._reader, few=few)
    return reader.search(Ask(query, scope, memory.clock(), top_k=8))


@pytest.mark.parametrize("query", QUERIES)
def test_what_channels_propose_is_rated_as_the_whole_is(memory: Memory, query: str) -> None:
    """The same answers in the same order with the same scores."""
    whole, part = ask(memory, query, 10_000), ask(memory, query, 0)

    told = [(answer.record.id, round(answer.score, 5)) for answer in whole.answers]
    assert [(answer.record.id, round(answer.score, 5)) for answer in part.answers] == told
    assert part.confidence == pytest.approx(whole.confidence, abs=1e-5)


def test_one_conversation_of_a_large_space_is_rated_exactly(memory: Memory) -> None:
    """Only its rows are looked at, and all of them."""
    scope = Scope(user="ana", run="talk 3")

    whole, part = ask(memory, QUERIES[0], 10_000, scope), ask(memory, QUERIES[0], 60, scope)

    assert len(part.answers) == 8
    assert [a.record.id for a in part.answers] == [a.record.id for a in whole.answers]


def test_an_excerpt_shows_its_rows_and_counts_all(memory: Memory) -> None:
    """Positions are those in the excerpt; how many hold a word is that of the whole."""
    with memory.store.read(SCOPE) as view:
        view.narrow(memory.clock(), None, None, None)
        rows = np.arange(3, len(view.live), 5)
        some = Excerpt(view, rows)
        found, counts = some.postings(["kayak"])["kayak"]
        everywhere, often = view.postings(["kayak"])["kayak"]

        assert some.columns.ids.tolist() == view.columns.ids[rows].tolist()
        assert rows[found].tolist() == sorted(set(rows.tolist()) & set(everywhere.tolist()))
        assert counts.tolist() == often[np.isin(everywhere, rows)].tolist()
        assert some.count == view.count > len(rows)
        assert some.holding("kayak") == len(everywhere)
        assert [record.id for record in some.records(np.array([1, 0]))] == [
            view.columns.ids[rows[1]],
            view.columns.ids[rows[0]],
        ]


@pytest.mark.parametrize("size", [0, 1, 3, 63, 5_000])
@pytest.mark.parametrize("count", [0, 1, 7, 200])
def test_the_highest_are_those_of_a_full_sort(size: int, count: int) -> None:
    """Best first, and of equal scores the first; most of them are 0, as they are in a search."""
    draw = np.random.default_rng(size + count)
    scores = np.where(draw.random(size) < 0.9, 0, draw.integers(-3, 40, size)).astype(np.float32)
    order = np.argsort(-scores, kind="stable")

    assert highest(scores, count).tolist() == order[:count].tolist()
    assert above_zero(scores, count).tolist() == [at for at in order if scores[at] > 0][:count]
