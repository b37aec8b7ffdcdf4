"""Recall is tagged by store, core first, and never over its budget."""

from hypothesis import given
from hypothesis import strategies as st

from engram.plaintext.packers.stores import Stores
from engram.plaintext.roles import Record

KINDS = ("raw", "core", "secret", "episodic", "fact")
hits = st.lists(st.tuples(st.sampled_from(KINDS), st.text(max_size=60)), max_size=8).map(
    lambda found: [Record(f"id-{at}", text, kind=kind) for at, (kind, text) in enumerate(found)]
)


@given(hits, st.integers(0, 400))
def test_a_pack_of_stores_keeps_to_its_budget(hits: list[Record], tokens: int) -> None:
    """Whatever is in it, each hit stands once."""
    pack = Stores().pack(hits, tokens)

    assert pack.tokens <= tokens
    assert len(set(pack.ids)) == len(pack.ids)
    assert set(pack.ids) <= {hit.id for hit in hits}


def test_core_comes_first_whatever_its_rank() -> None:
    """Where only one fits, it is core."""
    both = [Record("id-0", "The boat is red."), Record("id-1", "I am a nurse.", kind="core")]

    assert Stores().pack(both, 1_000).ids == ("id-1", "id-0")
    assert Stores().pack(both, 50).ids == ("id-1",)
    assert "\nmessages:\n" in Stores().pack(both, 1_000).text
