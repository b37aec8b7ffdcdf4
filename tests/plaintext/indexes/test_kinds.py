"""Rows of a kind are spoken for, whatever is asked."""

from engram import Memory
from engram.plaintext.indexes.kinds import Kinds
from engram.plaintext.roles import Route, Scope


def test_only_rows_of_the_kind_are_spoken_for() -> None:
    """Whatever the query says."""
    with Memory.open(":memory:", embedder="none") as memory:
        memory.add(["One.", "Two."])
        with memory.store.read(Scope()) as view:
            view.narrow(memory.clock(), None, None, None)
            route = Route("?", "?", 0.0)

            raw, core = Kinds(("raw",)).search(route, view), Kinds().search(route, view)

    assert raw.tolist() == [1.0, 1.0]
    assert core.tolist() == [0.0, 0.0]
