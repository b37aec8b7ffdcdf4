"""One thing at a time: the newest in the world holds, and what it replaced stays as history."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count, pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram.plaintext.consolidators.functional import Functional
from engram.plaintext.roles import Candidate, Edit, EditPlan, Record, Scope, State, Trust
from engram.plaintext.store.check import check
from engram.plaintext.store.store import Store

NOW = 1000.0
SLOT = {"head": "ana", "relation": "lives_in", "functional": True}


def uuid_of(number: int) -> str:
    """An id for whoever needs one."""
    return str(uuid.UUID(int=number))


@dataclass
class Slots:
    """A store in which statements arrive one after the other."""

    store: Store
    method: Functional
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def hear(self, tail: str, at: float | None = None, **parts: Any) -> Candidate:
        """Store a message that states it, and settle what was read out of it.

        ``parts`` are fields of the message, ``trust``, of the candidate, ``valid_from``, or else of
        the fact.
        """
        trust, since = parts.pop("trust", Trust.USER), parts.pop("valid_from", None)
        raw = Record(uuid_of(next(self.numbers)), f"{tail}!", event_time=at, trust=trust)
        self.put(Edit(raw))
        fields = SLOT | {"tail": tail} | parts
        found = Candidate("fact", f"Ana lives in {tail}", 0, 4, fields, since, source=raw)
        self.settle(found)
        return found

    def settle(self, *found: Candidate, now: float = NOW) -> EditPlan:
        """Let the method settle candidates, and apply what it proposes."""
        with self.store.write(now, method="test") as transaction:
            view = transaction.view(Scope())
            plan = self.method.settle(found, now, view)
            assert plan == self.method.settle(found, now, view)  # the same input, the same plan
            transaction.apply(plan)
        return plan

    def put(self, *edits: Edit) -> None:
        """Write in one commit."""
        with self.store.write(NOW, method="test") as transaction:
            transaction.apply(EditPlan(edits))

    def change(self, tail: str, **fields: Any) -> None:
        """Give a fact other fields."""
        [fact] = [fact for fact in self.facts() if fact.fields["tail"] == tail]
        self.put(Edit(replace(fact, **fields), basis=fact.version))

    def facts(self, relation: str = "lives_in", head: str = "ana") -> list[Record]:
        """What ever filled a slot, in order of time."""
        with self.store.read(Scope()) as view:
            found = view.facts(head, relation)
        return sorted(found, key=lambda fact: (fact.valid_from or 0.0, fact.valid_to or NOW))

    def spans(self) -> list[tuple[str, float | None, float | None, str]]:
        """Tail, begin, end and state of what ever filled the slot."""
        return [(f.fields["tail"], f.valid_from, f.valid_to, str(f.state)) for f in self.facts()]

    def holding(self, at: float) -> list[str]:
        """What recall sees of the slot when it looks at the world of a time."""
        with self.store.read(Scope()) as view:
            view.narrow(NOW, None if at == NOW else at, None, None)
            live = set(view.columns.ids[view.live])
            return [f.fields["tail"] for f in view.facts("ana", "lives_in") if f.id in live]


Open = Callable[..., AbstractContextManager[Slots]]


@pytest.fixture(scope="session")
def slots(new_store: Callable[[], Store]) -> Open:
    """``slots()`` opens an empty store with the method; it must be sound when it is closed."""

    @contextmanager
    def opened(method: Functional | None = None) -> Iterator[Slots]:
        with closing(new_store()) as store:
            yield Slots(store, method or Functional())
            assert check(store).problems == ()

    return opened


class Told(NamedTuple):
    """What was stated, and when."""

    tail: str
    at: float


told = st.lists(
    st.builds(Told, st.sampled_from(("Oslo", "Rome", "Lima")), st.integers(1, 9).map(float)),
    max_size=8,
)


@given(told)
@example([])
@example([Told("Oslo", 1.0), Told("Rome", 1.0), Told("Lima", 1.0)])
@example([Told("Oslo", 1.0), Told("Oslo", 5.0), Told("Rome", 3.0)])
@example([Told("Lima", float(at)) for at in (3, 1, 2)])
def test_what_holds_is_what_the_newest_statement_says(slots: Open, told: list[Told]) -> None:
    """At every time, in whatever order they arrive; of two of one time the later to arrive."""
    times = [at / 2 for at in range(1, 20)]
    expected = []
    for time in times:
        newest = None
        for statement in told:
            if statement.at <= time and (newest is None or statement.at >= newest.at):
                newest = statement
        expected.append([newest.tail] if newest else [])

    with slots() as heard:
        for statement in told:
            heard.hear(*statement)
        found = [heard.holding(time) for time in times]
        today = heard.holding(NOW)

    assert found == expected
    assert today == expected[-1]


@given(told)
def test_the_intervals_of_a_slot_never_overlap(slots: Open, told: list[Told]) -> None:
    """Each ends before the next begins, only the last is open, and each says what ended it."""
    with slots() as heard:
        for statement in told:
            heard.hear(*statement)
        facts = heard.facts()

    for one, other in pairwise(facts):
        assert one.valid_from is not None
        assert other.valid_from is not None
        assert one.valid_to is not None
        assert one.valid_from <= one.valid_to <= other.valid_from
        assert one.superseded_by in {fact.id for fact in facts}
        assert one.state is State.ARCHIVED
    if facts:
        assert (facts[-1].valid_to, facts[-1].state) == (None, State.ACTIVE)


@given(told)
@example([Told("Oslo", 1.0), Told("Oslo", 1.0), Told("Rome", 1.0)])
def test_settling_everything_again_changes_nothing(slots: Open, told: list[Told]) -> None:
    """What a source says is settled once."""
    with slots() as heard:
        found = [heard.hear(*statement) for statement in told]
        before = heard.facts()
        plans = [heard.settle(candidate, now=NOW + 1) for candidate in found]

        assert [plan.edits for plan in plans] == [()] * len(found)
        assert heard.facts() == before


def test_a_new_home_supersedes_the_old_one(slots: Open) -> None:
    """Who lived in Bergen and lives in Oslo lives in Oslo, and lived in Bergen till then."""
    with slots() as heard:
        heard.hear("Bergen", 1.0)
        heard.hear("Oslo", 5.0)
        bergen, oslo = heard.facts()

        assert heard.spans() == [("Bergen", 1, 5, "archived"), ("Oslo", 5, None, "active")]
        assert (heard.holding(3.0), heard.holding(NOW)) == (["Bergen"], ["Oslo"])
    assert bergen.superseded_by == oslo.id
    assert bergen.id in oslo.parents


def test_an_older_statement_that_arrives_later_becomes_history(slots: Open) -> None:
    """A diary that is read in late does not move anybody."""
    with slots() as heard:
        heard.hear("Oslo", 5.0)
        heard.hear("Bergen", 1.0)
        heard.hear("Lima", 3.0)

        assert heard.spans() == [
            ("Bergen", 1, 3, "archived"), ("Lima", 3, 5, "archived"), ("Oslo", 5, None, "active"),
        ]  # fmt: skip


def test_what_was_said_again_since_is_not_ended_by_a_late_arrival(slots: Open) -> None:
    """Oslo, then Oslo again: a statement from between may be true only till the second."""
    with slots() as heard:
        heard.hear("Oslo", 1.0)
        heard.hear("Oslo", 5.0)
        heard.hear("Rome", 3.0)
        _, rome, again = heard.facts()

        assert heard.spans() == [
            ("Oslo", 1, 3, "archived"), ("Rome", 3, 5, "archived"), ("Oslo", 5, None, "active"),
        ]  # fmt: skip
    assert rome.superseded_by == again.id
    assert [source.record for source in again.sources] == [uuid_of(2)]


def test_who_tells_later_of_an_earlier_move_is_believed(slots: Open) -> None:
    """What counts is when it began; what was told before says nothing against it."""
    with slots() as heard:
        heard.hear("Oslo", 5.0, valid_from=1.0)
        heard.hear("Rome", 7.0, valid_from=3.0)

        assert heard.spans() == [("Oslo", 1, 3, "archived"), ("Rome", 3, None, "active")]


def test_a_planned_move_ends_nothing_before_its_day(slots: Open) -> None:
    """Till then the old home is recalled, from then on the new one; also what comes between."""
    with slots() as heard:
        heard.hear("Oslo", 1.0)
        heard.hear("Rome", 2.0, valid_from=NOW + 9)
        before = heard.holding(NOW)
        heard.hear("Lima", 3.0)

        assert before == ["Oslo"]
        assert heard.holding(NOW) == ["Lima"]
        assert heard.holding(NOW + 8) == ["Lima"]
        assert heard.holding(NOW + 9) == ["Rome"]


def test_a_less_trusted_source_waits(slots: Open) -> None:
    """It is kept as proposed, recalled by nobody, and not proposed twice."""
    with slots() as heard:
        heard.hear("Bergen", 1.0)
        page = heard.hear("Oslo", 5.0, trust=Trust.WEB)
        heard.settle(page, now=NOW + 1)

        assert heard.holding(NOW) == ["Bergen"]
        assert heard.spans() == [("Bergen", 1, None, "active"), ("Oslo", 5, None, "generated")]


@pytest.mark.parametrize("trust", [Trust.MODEL, Trust.USER])
def test_a_source_that_is_trusted_as_much_or_more_does_not_wait(slots: Open, trust: Trust) -> None:
    """A user corrects what a model said; so does another model."""
    with slots() as heard:
        heard.hear("Bergen", 1.0, trust=Trust.MODEL)
        heard.hear("Oslo", 5.0, trust=trust)

        assert heard.holding(NOW) == ["Oslo"]


def test_a_less_trusted_source_may_tell_what_was_before(slots: Open) -> None:
    """It replaces nothing there."""
    with slots() as heard:
        heard.hear("Oslo", 5.0)
        heard.hear("Bergen", 1.0, trust=Trust.WEB)

        assert heard.spans() == [("Bergen", 1, 5, "archived"), ("Oslo", 5, None, "active")]


def test_a_frozen_fact_holds_its_place(slots: Open) -> None:
    """The plan leaves it alone, so that the message is stored whatever it says."""
    with slots() as heard:
        heard.hear("Bergen", 1.0)
        heard.change("Bergen", frozen=True)
        heard.hear("Oslo", 5.0)
        heard.hear("Bergen", 6.0)
        bergen, oslo = heard.facts()

    assert (bergen.state, bergen.valid_to, len(bergen.sources)) == (State.ACTIVE, None, 1)
    assert oslo.state is State.GENERATED


def test_a_repetition_is_more_evidence_and_no_new_fact(slots: Open) -> None:
    """Two independent sources make it surer than either, in whatever spelling."""
    with slots() as heard:
        heard.hear("Oslo", 1.0)
        once = heard.facts()[0].confidence
        heard.hear("OSLO.", 2.0)
        [fact] = heard.facts()

    assert [source.record for source in fact.sources] == [uuid_of(1), uuid_of(2)]
    assert fact.fields["tail"] == "Oslo"
    assert once <= fact.confidence <= 1


def test_two_doubtful_sources_are_surer_than_one(slots: Open) -> None:
    """Both must err for it to be wrong: 1 - 0.5 * 0.5."""
    with slots() as heard:
        for at in (1.0, 2.0):
            raw = Record(uuid_of(next(heard.numbers)), "Oslo!", event_time=at)
            heard.put(Edit(raw))
            fields = SLOT | {"tail": "Oslo"}
            heard.settle(Candidate("fact", "in Oslo", 0, 4, fields, confidence=0.5, source=raw))
        [fact] = heard.facts()

    assert fact.confidence == pytest.approx(0.75)


def test_the_same_source_is_no_second_witness(slots: Open) -> None:
    """Saying a thing twice in one breath, or reading it twice, makes it no truer."""
    with slots() as heard:
        found = heard.hear("Oslo", 1.0)
        before = heard.facts()
        again = heard.settle(found, now=NOW + 1)
        elsewhere = heard.settle(replace(found, start=2, end=3, confidence=0.5), now=NOW + 1)

        assert (again.edits, elsewhere.edits) == ((), ())
        assert heard.facts() == before


def test_evidence_is_kept_up_to_the_setting(slots: Open) -> None:
    """A thing that is said every day does not grow for ever."""
    with slots(Functional(evidence=3)) as heard:
        for at in range(1, 8):
            heard.hear("Oslo", float(at))
        [fact] = heard.facts()

    assert [source.record for source in fact.sources] == [uuid_of(at) for at in (1, 2, 3)]


@pytest.mark.parametrize("other", [{"head": "ben"}, {"relation": "works_at"}])
def test_other_slots_are_left_alone(slots: Open, other: dict[str, str]) -> None:
    """Ben's move does not move Ana, nor does her job."""
    with slots() as heard:
        heard.hear("Oslo", 1.0)
        before = heard.facts()
        heard.hear("Rome", 5.0, **other)
        [rome] = heard.facts(**other)

        assert heard.facts() == before
    assert (rome.fields["tail"], rome.state) == ("Rome", State.ACTIVE)


def test_a_relation_that_can_hold_many_things_holds_them_all(slots: Open) -> None:
    """Who speaks two languages speaks both; the same one twice is one."""
    with slots() as heard:
        for at, tail in enumerate(("Norwegian", "Italian", "norwegian")):
            heard.hear(tail, float(at + 1), functional=False)

        assert heard.spans() == [
            ("Norwegian", 1, None, "active"), ("Italian", 2, None, "active"),
        ]  # fmt: skip


def test_what_was_withdrawn_counts_for_nothing_and_can_be_read_again(slots: Open) -> None:
    """A text that is rewritten and still says so states it anew, as a record of its own."""
    with slots() as heard:
        found = heard.hear("Oslo", 1.0)
        heard.change("Oslo", state=State.ARCHIVED)
        for _ in range(2):
            heard.settle(found)

        assert heard.spans() == [("Oslo", 1, None, "archived"), ("Oslo", 1, None, "active")]
        assert heard.holding(NOW) == ["Oslo"]


def test_a_fact_that_was_rewritten_is_not_read_again(slots: Open) -> None:
    """What it says now nobody has read, but it is still what these words gave."""
    with slots() as heard:
        found = heard.hear("Oslo", 1.0)
        heard.change("Oslo", text="somewhere in Norway", fields=SLOT)

        assert heard.settle(found, now=NOW + 1).edits == ()


def test_an_undated_statement_holds_from_when_it_was_heard(slots: Open) -> None:
    """Nobody knows better."""
    with slots() as heard:
        heard.hear("Oslo")

        assert heard.spans() == [("Oslo", NOW, None, "active")]


def test_what_fills_no_slot_is_added_once(slots: Open) -> None:
    """And again only where it was withdrawn."""
    raw = Record(uuid_of(9), "Tea is best at four.", event_time=1.0, trust=Trust.TOOL)
    note = Candidate("note", "tea at four", 0, 3, source=raw)
    with slots() as heard:
        heard.put(Edit(raw))
        [first] = heard.settle(note).edits
        repeated = heard.settle(note, now=NOW + 1)
        heard.put(Edit(replace(first.record, state=State.ARCHIVED), basis=1))
        [anew] = heard.settle(note).edits

    assert repeated.edits == ()
    assert first.record.id != anew.record.id
    assert (first.record.text, first.record.trust) == (anew.record.text, Trust.TOOL)


def test_nothing_found_is_an_empty_plan(slots: Open) -> None:
    """Most messages state nothing."""
    with slots() as heard:
        assert heard.settle().edits == ()
