"""Ebbinghaus' curve, and what it archives: the sign matters more than the numbers."""

import math
import random
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram.plaintext.keepers.forgetting import Forgetting
from engram.plaintext.roles import Edit, EditPlan, Record, Scope, State
from engram.plaintext.store.store import Store

Make = Callable[[], Store]
DAY = 86_400.0
BY_DAY = Forgetting(stretch=1.0)  # as the paper counts


class Life(NamedTuple):
    """A memory as far as forgetting is concerned; times in days."""

    told: float | None = 0.0
    uses: tuple[float, ...] = ()
    frozen: bool = False
    kind: str = "raw"
    expires: float | None = None

    def record(self, number: int = 0) -> Record:
        """As it is stored."""
        return Record(
            str(uuid.UUID(int=number + 1)),
            f"memory {number}",
            kind=self.kind,
            event_time=None if self.told is None else self.told * DAY,
            frozen=self.frozen,
            expires_at=None if self.expires is None else self.expires * DAY,
        )


lives = st.lists(
    st.builds(
        Life,
        told=st.none() | st.floats(0, 40),
        uses=st.lists(st.integers(1, 40).map(float), max_size=3).map(
            lambda uses: tuple(sorted(uses))
        ),
        frozen=st.sampled_from((False, False, False, True)),
        kind=st.sampled_from(("raw", "raw", "raw", "fact")),
        expires=st.sampled_from((None, None, 30.0)),
    ),
    max_size=10,
)


def fill(store: Store, lives: Sequence[Life]) -> None:
    """Write the memories on day 0 and count their uses on the days of these."""
    with store.write(0.0, method="test") as transaction:
        transaction.apply(EditPlan(tuple(Edit(each.record(n)) for n, each in enumerate(lives))))
    uses = sorted((day, number) for number, each in enumerate(lives) for day in each.uses)
    for day, number in uses:
        store.used([lives[number].record(number).id], day * DAY)
        store.flush(day * DAY)


def keep(store: Store, keeper: Forgetting, day: float) -> list[int]:
    """Archive what the keeper proposes on a day; the numbers of these, in the order of the plan."""
    with store.read(Scope()) as view:
        view.narrow(day * DAY, None, None, None)
        plan = keeper.keep(day * DAY, view)
    with store.write(day * DAY, method="test") as transaction:
        gone = transaction.apply(plan)
    assert all(record.state is State.ARCHIVED for record in gone)
    return [uuid.UUID(record.id).int - 1 for record in gone]


def used(uses: int, day: float = 0.0) -> Record:
    """A memory that was used so often, the last time on a day."""
    return Record("1", "tea", uses=uses, last_used=day * DAY if uses else None)


@pytest.mark.parametrize(
    ("days", "strength", "retention"),
    [(0, 1, 1.0), (0, 9, 1.0), (1, 1, 0.3679), (5, 5, 0.3679), (1, 2, 0.6065), (7, 3, 0.0970)],
)
def test_the_curve_has_the_values_of_the_paper(days: int, strength: int, retention: float) -> None:
    """R = exp(-t / S): t in days since the last use, S one more than the uses."""
    found = BY_DAY.retention(used(strength - 1), days * DAY)

    assert found == pytest.approx(retention, abs=5e-5)


@given(st.floats(0, 700), st.floats(0.01, 700), st.integers(0, 50), st.integers(1, 50))
def test_retention_falls_with_time_and_rises_with_use(
    days: float, more: float, uses: int, again: int
) -> None:
    """Never the other way round: what is recalled more often fades more slowly."""
    now, then = days * DAY, (days + more) * DAY
    keeper = Forgetting(stretch=30.0)

    assert keeper.retention(used(uses), then) < keeper.retention(used(uses), now) <= 1
    assert keeper.retention(used(uses), then) < keeper.retention(used(uses + again), then)


def test_a_use_starts_the_clock_anew() -> None:
    """Right after it, nothing has faded."""
    assert BY_DAY.retention(used(1, day=100), 100 * DAY) == 1
    assert BY_DAY.retention(used(1, day=100), 101 * DAY) == pytest.approx(math.exp(-1 / 2))


@pytest.mark.parametrize(("told", "stored"), [(9, 0), (0, 9), (9, 9), (9, 3)])
def test_a_memory_is_fresh_when_it_was_told_or_stored(told: int, stored: int) -> None:
    """The later of the two: an old diary that is read in today is not forgotten tonight."""
    diary = Record("1", "tea", event_time=told * DAY, known_from=stored * DAY)

    assert BY_DAY.retention(diary, 10 * DAY) == pytest.approx(math.exp(-1))


def test_a_memory_of_the_future_is_whole() -> None:
    """A clock that is wrong does not raise retention over 1."""
    assert BY_DAY.retention(Record("1", "tea", event_time=9 * DAY), 0.0) == 1


@given(lives, st.floats(0.01, 1), st.floats(1, 20), st.floats(0, 1))
@example([], 0.05, 1.0, 1.0)
@example([Life(told=float(at % 7)) for at in range(63)], 0.05, 1.0, 0.5)
def test_the_plan_is_that_of_looking_at_each_memory(
    new_store: Make, lives: list[Life], floor: float, stretch: float, most: float
) -> None:
    """Below the floor, raw and not frozen: the most faded first, up to the share of the live."""
    today = 40.0
    live = [each for each in lives if each.expires is None]
    faded = {}
    for number, each in enumerate(lives):
        last = max((each.told or 0.0, *each.uses))
        retention = math.exp(-(today - last) / stretch / (1 + len(each.uses)))
        if each in live and each.kind == "raw" and not each.frozen and retention < floor:
            faded[number] = retention
    expected = sorted(faded, key=lambda number: faded[number])[: math.ceil(most * len(live))]

    with closing(new_store()) as store:
        fill(store, lives)
        found = keep(store, Forgetting(floor, stretch, most), today)

    assert [faded[number] for number in found] == pytest.approx([faded[n] for n in expected])


def test_a_recalled_memory_outlives_one_that_is_not(new_store: Make) -> None:
    """Told on the same day and last used on the same day, only more often."""
    lives = [Life(told=1.0), Life(uses=(1.0,)), Life(uses=(0.5, 0.8, 1.0))]

    with closing(new_store()) as store:
        fill(store, lives)
        gone = {day: keep(store, Forgetting(stretch=1.0, most=1.0), day) for day in range(2, 30)}

    assert [numbers for numbers in gone.values() if numbers] == [[0], [1], [2]]


def test_a_year_of_recall_keeps_what_is_recalled(new_store: Make) -> None:
    """A few memories are asked for often, most hardly ever: how long each lasts follows its use."""
    memories, dice, keeper = 60, random.Random(7), Forgetting(stretch=10.0, most=1.0)
    weights = [1 / (rank + 1) for rank in range(memories)]
    recalls: Counter[int] = Counter()
    lasted = dict.fromkeys(range(memories), 366)

    with closing(new_store()) as store:
        fill(store, [Life()] * memories)
        for day in range(1, 366):
            asked = [n for n in dice.choices(range(memories), weights, k=3) if lasted[n] == 366]
            recalls.update(asked)
            store.used([Life().record(number).id for number in asked], day * DAY)
            store.flush(day * DAY)
            lasted |= dict.fromkeys(keep(store, keeper, day), day)

    kept = [recalls[number] for number in range(memories) if lasted[number] == 366]
    lost = [recalls[number] for number in range(memories) if lasted[number] < 366]
    assert len(kept) > 10
    assert min(kept) > np.median(lost)
    assert spearman([recalls[n] for n in range(memories)], list(lasted.values())) > 0.8


@pytest.mark.parametrize("floor", [0.0, 0.05])
def test_frozen_and_fresh_memories_are_never_archived(new_store: Make, floor: float) -> None:
    """Nor is any at all with a floor of nothing, for the curve never gets there."""
    with closing(new_store()) as store:
        fill(store, [Life(frozen=True), Life(told=99_999.0), Life()])

        gone = keep(store, Forgetting(floor, most=1.0), 100_000)

    assert gone == ([2] if floor else [])


def test_facts_do_not_fade(new_store: Make) -> None:
    """They end when something newer is said, not because nobody asked."""
    with closing(new_store()) as store:
        fill(store, [Life(kind="fact"), Life(kind="summary"), Life()])

        assert keep(store, Forgetting(most=1.0), 100_000) == [2]


def test_one_run_archives_no_more_than_its_share(new_store: Make) -> None:
    """The most faded go first; the rest are left for the next run."""
    with closing(new_store()) as store:
        fill(store, [Life(told=float(day)) for day in range(63, 0, -1)])
        runs = [keep(store, Forgetting(stretch=1.0, most=0.5), 100) for _ in range(3)]

    assert [len(gone) for gone in runs] == [32, 16, 8]
    assert runs[0] == list(range(62, 30, -1))


def test_by_default_a_memory_that_was_never_used_lasts_three_years(new_store: Make) -> None:
    """Nobody loses last year's talk by installing this."""
    with closing(new_store()) as store:
        fill(store, [Life()])

        assert keep(store, Forgetting(), 2.9 * 365) == []
        assert keep(store, Forgetting(), 3.1 * 365) == [0]


@given(st.floats(0.1, 30), st.integers(0, 20), st.integers(1, 20))
def test_the_fault_of_the_published_code_can_be_asked_for(
    days: float, uses: int, again: int
) -> None:
    """Its curve, exp(-t * S / 5), fades the faster the more a memory was used."""
    faulty, now = Forgetting(stretch=1.0, faithful=True), days * DAY

    assert faulty.retention(used(uses), now) == pytest.approx(math.exp(-days / 5 * (1 + uses)))
    assert faulty.retention(used(uses + again), now) < faulty.retention(used(uses), now)


def test_with_the_fault_what_is_used_goes_first(new_store: Make) -> None:
    """The very opposite of the claim."""
    lives = [Life(told=1.0), Life(uses=(1.0,)), Life(uses=(0.1,) * 30)]
    faulty = Forgetting(stretch=1.0, most=1.0, faithful=True)

    with closing(new_store()) as store:
        fill(store, lives)
        gone = [keep(store, faulty, day) for day in range(1, 30)]

    assert gone[0] == [2]
    assert [numbers for numbers in gone if numbers] == [[2], [1], [0]]


def test_a_draw_keeps_a_memory_as_often_as_its_retention_says(new_store: Make) -> None:
    """Within three standard deviations, whatever the floor is."""
    retention, tries = math.exp(-1), 500

    with closing(new_store()) as store:
        fill(store, [Life()] * tries)
        gone = keep(store, Forgetting(floor=0.0, stretch=10.0, most=1.0, seed=7), 10)

    deviation = math.sqrt(tries * retention * (1 - retention))
    assert tries - len(gone) == pytest.approx(tries * retention, abs=3 * deviation)


def test_a_draw_falls_once_a_day_and_the_same_for_the_same_seed(new_store: Make) -> None:
    """How often the program is started says nothing."""
    gone = {}
    for name, seed, days in (("once", 7, [10.9]), ("twice", 7, [10.1, 10.9]), ("other", 8, [10.9])):
        with closing(new_store()) as store:
            fill(store, [Life()] * 63)
            runs = [keep(store, Forgetting(stretch=10.0, most=1.0, seed=seed), d) for d in days]
            gone[name] = {number for run in runs for number in run}

    assert gone["once"] != gone["other"]
    assert gone["once"] == gone["twice"]


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Correlation of the ranks, equals sharing theirs."""
    ranks = [
        [sum(x < y for x in each) + (sum(x == y for x in each) - 1) / 2 for y in each]
        for each in (one, other)
    ]
    return float(np.corrcoef(np.array(ranks))[0, 1])
