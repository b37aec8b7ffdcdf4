"""The fault and the draw of the published code, as settings that nobody gets unasked."""

import math
import uuid
from collections.abc import Callable
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram.plaintext.keepers.forgetting import DAY, Forgetting
from engram.plaintext.roles import Edit, EditPlan, Record, Scope
from engram.plaintext.store.store import Store

Make = Callable[[], Store]
FAULTY = Forgetting(stretch=1.0, faithful=True)


def used(uses: int) -> Record:
    """A memory that was used so often, the last time on day 0."""
    return Record("1", "tea", uses=uses, last_used=0.0)


def kept(new_store: Make, keeper: Forgetting, count: int, day: float) -> list[int]:
    """The numbers of the memories of day 0 that the keeper leaves on a day."""
    made = [Record(str(uuid.UUID(int=n + 1)), f"memory {n}", event_time=0.0) for n in range(count)]
    with closing(new_store()) as store:
        with store.write(0.0, method="test") as transaction:
            transaction.apply(EditPlan(tuple(map(Edit, made))))
        with store.read(Scope()) as view:
            view.narrow(day * DAY, None, None, None)
            plan = keeper.keep(day * DAY, view)
            assert plan == keeper.keep(day * DAY, view)
    gone = {edit.record.id for edit in plan.edits}
    return [number for number, record in enumerate(made) if record.id not in gone]


@pytest.mark.parametrize(("days", "strength"), [(1, 1), (5, 1), (5, 5), (7, 3)])
def test_the_faulty_curve_is_that_of_the_published_code(days: int, strength: int) -> None:
    """exp(-t / 5 * S), as Python reads it."""
    found = FAULTY.retention(used(strength - 1), days * DAY)

    assert found == pytest.approx(math.exp(-days / 5 * strength))


@given(st.floats(0.1, 30), st.integers(0, 9), st.integers(1, 9))
def test_the_fault_turns_the_sign_around(days: float, uses: int, more: int) -> None:
    """What is recalled more fades faster; without it, more slowly."""
    right, now = Forgetting(stretch=1.0), days * DAY

    assert FAULTY.retention(used(uses + more), now) < FAULTY.retention(used(uses), now)
    assert right.retention(used(uses + more), now) > right.retention(used(uses), now)


def test_the_fault_has_to_be_asked_for() -> None:
    """And so has the draw."""
    assert (Forgetting().faithful, Forgetting().seed) == (False, None)


def test_the_fault_archives_what_its_curve_says(new_store: Make) -> None:
    """Unused memories last five times as long as in the paper: fifteen days, not three."""
    faulty = Forgetting(stretch=1.0, most=1.0, faithful=True)

    assert kept(new_store, faulty, 3, day=14.9) == [0, 1, 2]
    assert kept(new_store, faulty, 3, day=15.1) == []


@pytest.mark.parametrize("day", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_draw_keeps_as_many_as_retention_says(new_store: Make, day: float, seed: int) -> None:
    """Within three standard deviations."""
    count, chance = 800, math.exp(-day)

    found = len(kept(new_store, Forgetting(stretch=1.0, most=1.0, seed=seed), count, day))

    assert abs(found - count * chance) < 3 * math.sqrt(count * chance * (1 - chance))


def test_a_draw_depends_on_seed_memory_and_day_alone(new_store: Make) -> None:
    """Running it often on one day forgets no more; another seed or day draws anew."""
    keeper = Forgetting(stretch=3.0, most=1.0, seed=0)
    one, again = (kept(new_store, keeper, 63, day=2.1) for _ in range(2))
    later = kept(new_store, keeper, 63, day=3.1)
    other = kept(new_store, Forgetting(stretch=3.0, most=1.0, seed=1), 63, day=2.1)

    assert one == again
    assert one not in (later, other)


def test_a_fresh_memory_outlives_every_draw(new_store: Make) -> None:
    """Its chance is 1."""
    assert kept(new_store, Forgetting(stretch=1.0, most=1.0, seed=0), 63, day=0.0) == list(
        range(63)
    )
