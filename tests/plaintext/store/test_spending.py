"""The account: reserved before a call, corrected after it, a day and a space at a time."""

from typing import Any

import pytest

from engram.errors import BudgetSpent
from engram.plaintext.roles import Scope
from engram.plaintext.store.spending import Spending, Wish
from engram.plaintext.store.store import Store

ANA, BEN, WORK = Scope(user="ana"), Scope(user="ben"), Scope(user="ana", app="work")


def tokens(store: Store, day: int = 1, scope: Scope = ANA) -> list[Any]:
    """What a space has taken on a day: calls and tokens."""
    return [(row["calls"], row["tokens"]) for row in Spending(store).on(day, scope)]


def test_the_most_is_held_while_the_call_runs_and_then_what_it_took(store: Store) -> None:
    """Whoever looks in between sees the worst case."""
    with Spending(store).reserved(Wish(ANA, 1, 100, 2.0), None, None) as spent:
        assert tokens(store) == [(1, 100)]
        spent(30, 0.5)

    assert tokens(store) == [(1, 30)]
    assert [row["cost"] for row in Spending(store).on(1)] == [0.5]


def test_a_call_that_fails_stays_counted_in_full(store: Store) -> None:
    """It may have to be paid."""
    with (
        pytest.raises(ValueError, match="lost"),
        Spending(store).reserved(Wish(ANA, 1, 100, 0.0), 1000, None),
    ):
        raise ValueError("lost")

    assert tokens(store) == [(1, 100)]


@pytest.mark.parametrize(("used", "fits"), [(0, True), (900, True), (901, False), (1000, False)])
def test_a_call_that_could_exceed_the_budget_is_not_made(
    store: Store, used: int, fits: bool
) -> None:
    """To the last token; the refusal says how many are left, and holds nothing."""
    spending = Spending(store)
    with spending.reserved(Wish(ANA, 1, used, 0.0), None, None):
        pass

    if fits:
        with spending.reserved(Wish(ANA, 1, 100, 0.0), 1000, None):
            pass
    else:
        wanted = f"up to 100 tokens and {1000 - used} of the day's 1000"
        with (
            pytest.raises(BudgetSpent, match=wanted),
            spending.reserved(Wish(ANA, 1, 100, 0.0), 1000, None),
        ):
            pytest.fail("the call must not be made")
    assert tokens(store) == [(1 + fits, used + 100 * fits)]


def test_money_is_a_limit_of_its_own(store: Store) -> None:
    """Whichever ends first."""
    spending = Spending(store)
    with spending.reserved(Wish(ANA, 1, 1, 0.8), 1000, 1.0):
        pass

    with (
        pytest.raises(BudgetSpent, match=r"up to 0\.3000 and 0\.2000 of the day's 1\.0"),
        spending.reserved(Wish(ANA, 1, 1, 0.3), 1000, 1.0),
    ):
        pytest.fail("the call must not be made")


def test_days_and_spaces_have_accounts_of_their_own(store: Store) -> None:
    """Agents and runs of one user share the user's."""
    spending = Spending(store)
    wishes = [Wish(ANA, 1, 10, 0.0), Wish(BEN, 1, 20, 0.0), Wish(WORK, 1, 40, 0.0)]
    wishes += [Wish(ANA, 2, 80, 0.0), Wish(Scope(user="ana", run="chat"), 1, 5, 0.0)]
    for wish in wishes:
        with spending.reserved(wish, 100, None):
            pass

    assert tokens(store) == [(2, 15)]
    assert tokens(store, scope=WORK) == [(1, 40)]
    assert tokens(store, day=2) == [(1, 80)]
    assert tokens(store, day=3) == []
    assert [(row["app_id"], row["user_id"], row["tokens"]) for row in spending.on(1)] == [
        (None, "ana", 15),
        (None, "ben", 20),
        ("work", "ana", 40),
    ]
