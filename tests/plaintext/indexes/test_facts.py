"""Slots: the newest fact of an asked head and relation comes first, the older right behind."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.plaintext.indexes.facts import Facts
from engram.plaintext.roles import Record, Route, View

Look = Callable[..., AbstractContextManager[View]]
HEADS, RELATIONS = ("ana", "ana's sister"), ("lives_in", "works_at")


class Fact(NamedTuple):
    """What fills a slot, and since when."""

    head: str
    relation: str
    begin: float

    @property
    def record(self) -> Record:
        """As it is stored."""
        fields = {"head": self.head, "relation": self.relation, "tail": f"{self.begin:g}"}
        return Record("", "a fact", kind="fact", fields=fields, valid_from=self.begin)


moments = st.integers(1, 9).map(float)
facts = st.builds(Fact, st.sampled_from(HEADS), st.sampled_from(RELATIONS), moments)


def search(
    look: Look,
    facts: Sequence[Fact],
    heads: Sequence[str],
    relation: str | None,
    hidden: Collection[int] = (),
    older: float = 0.05,
) -> list[float]:
    """What the channel gives each fact."""
    route = Route("", "", 10.0, heads=tuple(heads), relation=relation)
    with look([fact.record for fact in facts], hidden=hidden) as view:
        scores: list[float] = Facts(older).search(route, view).tolist()
        return scores


@given(
    st.lists(facts, min_size=3, max_size=12),
    st.permutations((*HEADS, "nobody")).map(lambda heads: heads[:2]),
    st.sampled_from(RELATIONS),
    st.sets(st.integers(0, 6), max_size=3),
    st.sampled_from((0.05, 0.3, 1.0)),
)
def test_the_scores_are_those_of_looking_through_all_facts(
    view_of: Look,
    facts: list[Fact],
    heads: list[str],
    relation: str | None,
    hidden: set[int],
    older: float,
) -> None:
    """One after the other: how many facts of the slot are newer, of two equals the first."""
    expected = []
    for number, fact in enumerate(facts):
        asked = fact.head in heads and fact.relation == relation and number not in hidden
        newer = sum(
            other[:2] == fact[:2] and (other.begin, -at) > (fact.begin, -number)
            for at, other in enumerate(facts)
            if at not in hidden
        )
        expected.append(max(0.0, 1 - older * newer) if asked else 0.0)

    found = search(view_of, facts, heads, relation, hidden, older)

    assert found == pytest.approx(expected, abs=1e-6)


def test_where_somebody_lives_is_the_newest_that_was_said(view_of: Look) -> None:
    """By the time in the world, whatever the order of arrival; the older is right behind."""
    oslo, bergen = Fact("ana", "lives_in", 5.0), Fact("ana", "lives_in", 2.0)

    assert search(view_of, [oslo, bergen], ["ana"], "lives_in") == pytest.approx([1, 0.95])
    assert search(view_of, [bergen, oslo], ["ana"], "lives_in") == pytest.approx([0.95, 1])


def test_a_fact_that_may_not_be_recalled_outranks_nothing(view_of: Look) -> None:
    """Without it the next one is the newest."""
    oslo, bergen = Fact("ana", "lives_in", 5.0), Fact("ana", "lives_in", 2.0)

    assert search(view_of, [oslo, bergen], ["ana"], "lives_in", hidden=[0]) == [0, 1]


def test_only_the_slot_that_was_asked_for_answers(view_of: Look) -> None:
    """Not another relation of the same head, nor the same relation of another head."""
    held = [
        Fact("ana", "works_at", 1.0),
        Fact("ben", "lives_in", 1.0),
        Fact("ana", "lives_in", 1.0),
    ]

    assert search(view_of, held, ["ana"], "lives_in") == [0, 0, 1]


def test_each_head_has_a_newest_fact_of_its_own(view_of: Look) -> None:
    """A question about two people is answered for both."""
    held = [Fact("ana", "lives_in", 1.0), Fact("ben", "lives_in", 5.0)]

    assert search(view_of, held, ["ana", "ben"], "lives_in") == [1, 1]


def test_a_head_is_found_in_whatever_case_it_is_written(view_of: Look) -> None:
    """Ana is ana; her sister is somebody else."""
    held = [Fact("Ana", "lives_in", 1.0), Fact("ana's sister", "lives_in", 1.0)]

    assert search(view_of, held, ["ana"], "lives_in") == [1, 0]


def test_a_message_that_says_the_same_is_no_fact(view_of: Look) -> None:
    """Words are left to the other channels."""
    with view_of(["ana lives in oslo", Fact("ana", "lives_in", 1.0).record]) as view:
        route = Route("", "", 10.0, heads=("ana",), relation="lives_in")

        assert Facts().search(route, view).tolist() == [0, 1]


def test_a_very_long_history_falls_to_nothing_but_not_below(view_of: Look) -> None:
    """Sixty-three homes: the score of the oldest is 0."""
    held = [Fact("ana", "lives_in", float(at)) for at in range(63)]

    found = search(view_of, held, ["ana"], "lives_in")

    assert found == sorted(found)
    assert (found[0], found[-1]) == (0, 1)


@pytest.mark.parametrize(("heads", "relation"), [((), "lives_in"), (("ana",), None), ((), None)])
def test_a_query_that_names_no_slot_finds_no_fact(
    view_of: Look, heads: tuple[str, ...], relation: str | None
) -> None:
    """It takes a head and a relation."""
    assert search(view_of, [Fact("ana", "lives_in", 1.0)], heads, relation) == [0]
    assert search(view_of, [], heads, relation) == []
