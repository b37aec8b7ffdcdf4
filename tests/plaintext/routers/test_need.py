"""Memory is searched where a query may need it, and left alone where it cannot."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pytest

from engram import catalogue
from engram.memory import Memory
from engram.plaintext.read import Ask, Reader
from engram.plaintext.roles import Floats, Record, Route, Scope, View
from engram.plaintext.routers.need import Need
from engram.plaintext.routers.question import Question
from engram.testing.ports import Buckets

Look = Callable[..., AbstractContextManager[View]]
NOW = 1_700_000_000.0
TALK = ("The red kayak leaks.", "Eva waters the ferns.", "It rained all day.")


@dataclass(frozen=True)
class Counting:
    """A channel that counts how often it is asked."""

    relative: ClassVar[bool] = False
    asked: list[str] = field(default_factory=list)

    def search(self, route: Route, view: View) -> Floats:
        self.asked.append(route.query)
        return np.ones(len(view.live), dtype=np.float32)


class Encoder(Buckets):
    """Counts how often it is asked."""

    asked = 0

    def embed(self, texts):  # type: ignore[no-untyped-def]
        Encoder.asked += 1
        return super().embed(texts)


def needs(look: Look, query: str, need: Need) -> bool:
    """Whether the gate opens for a query about the talk."""
    with look(TALK) as view:
        return need.route(query, NOW, view).needed


@pytest.mark.parametrize(
    "query", ["Why does it leak?", "Who waters my ferns?", "And the rain?", "Has Eva called?"]
)
def test_a_query_that_reaches_back_is_searched_for(view_of: Look, query: str) -> None:
    """One cue is enough, whether or not the memory knows the words."""
    assert needs(view_of, query, Need(Question()))


@pytest.mark.parametrize("query", ["kayak", "leaks of kayaks", "ferns in the rain"])
def test_a_query_whose_words_are_known_is_searched_for(view_of: Look, query: str) -> None:
    """Grammar aside, and in whatever form."""
    assert needs(view_of, query, Need(Question()))


def test_a_speaker_or_a_time_is_a_need(view_of: Look) -> None:
    """Whoever names one asks for something that was said."""
    said = Record("", "Hm.", fields={"speaker": "Zed"}, event_time=NOW - 60.0)
    with view_of([said]) as view:
        assert Need(Question()).route("zed on cars", NOW, view).needed
        assert Need(Question()).route("news of last week", NOW, view).needed


@pytest.mark.parametrize("query", ["What is 17 times 23?", "Name three prime numbers.", "?", ""])
def test_a_query_about_the_world_is_not_searched_for(view_of: Look, query: str) -> None:
    """Neither its wording nor its words speak for the memory."""
    assert not needs(view_of, query, Need(Question()))


def test_likeness_opens_the_gate_where_words_do_not(view_of: Look) -> None:
    """A vector near to that of a row is a need, one that is far is not."""

    class Fixed(Buckets):
        def embed(self, texts):  # type: ignore[no-untyped-def]
            return np.array([[1, 0, 0, 0]] * len(texts), dtype=np.float32)

    need = Need(Question(), embedder=Fixed(dimension=4))
    with view_of(TALK, vectors={0: [1, 0, 0, 0], 1: [0, 1, 0, 0]}) as view:
        assert need.route("leaky canoes", NOW, view).needed
    with view_of(TALK, vectors={0: [0, 0, 1, 0], 1: [0, 1, 0, 0]}) as view:
        assert not need.route("leaky canoes", NOW, view).needed
    with view_of(TALK) as view:
        assert not need.route("leaky canoes", NOW, view).needed


def test_an_empty_memory_needs_no_search_but_for_cues(view_of: Look) -> None:
    """Nothing is known, so no word is."""
    with view_of() as view:
        assert not Need(Question()).route("kayak", NOW, view).needed
        assert Need(Question()).route("my kayak", NOW, view).needed


def test_hidden_rows_open_no_gate(view_of: Look) -> None:
    """What may not be recalled is not known."""
    with view_of(TALK, hidden=[0]) as view:
        assert not Need(Question()).route("kayak", NOW, view).needed


def test_everything_else_is_what_the_reader_reads(view_of: Look) -> None:
    """The gate adds one bit to the route and takes nothing."""
    with view_of(TALK) as view:
        for query in ("Why does it leak?", "What is 17 times 23?"):
            read, gated = (
                router.route(query, NOW, view) for router in (Question(), Need(Question()))
            )
            assert gated == Route(
                **{
                    **{name: getattr(read, name) for name in Route.__slots__},
                    "needed": gated.needed,
                }
            )


def test_a_closed_gate_means_no_search_at_all() -> None:
    """No channel is asked, nothing is embedded, and the memory abstains."""
    counting, encoder = Counting(), Encoder()
    with Memory.open(":memory:", embedder=encoder, durability="off", clock=lambda: NOW) as memory:
        memory.add(list(TALK))
        parts = catalogue.parts(catalogue.find("scm"))
        reader = Reader(
            memory.store,
            encoder,
            channels={"counting": (counting, 1.0)},
            **{name: parts[name] for name in ("router", "refiners", "packer", "confidence")},
        )
        Encoder.asked = 0

        away = reader.search(Ask("What is 17 times 23?", Scope(), NOW))
        asked, embedded = list(counting.asked), Encoder.asked
        reader.search(Ask("Why does it leak?", Scope(), NOW))

    assert (away.answers, away.confidence, away.route.needed) == ((), 0.0, False)
    assert (asked, embedded) == ([], 0)
    assert (len(counting.asked), Encoder.asked) == (1, 1)


def test_a_row_names_the_router_inside_and_lends_the_embedder() -> None:
    """A part of a part is built like any other."""
    encoder = Buckets()
    router = catalogue.parts(catalogue.find("scm"), {"embedder": encoder})["router"]

    assert router == Need(Question(), embedder=encoder)
