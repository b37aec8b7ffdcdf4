"""What the models may still take: reserved before a call, corrected after it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from engram.errors import BudgetSpent
from engram.plaintext.roles import Scope
from engram.plaintext.store.store import Store

Spent = Callable[[int, float], None]
"""Told what a call really took: tokens, and cost."""


@dataclass(frozen=True, slots=True)
class Wish:
    """The most that one call can take, for whom, and on which day since 1970 (UTC)."""

    scope: Scope
    day: int
    tokens: int
    cost: float


@dataclass(frozen=True, slots=True)
class Spending:
    """The account of a store, by space and day."""

    store: Store

    @contextmanager
    def reserved(self, wish: Wish, tokens: int | None, cost: float | None) -> Iterator[Spent]:
        """Hold the most that a call can take while the block runs, then what it took.

        A call that fails, and one whose process is killed, stays counted in full: it may have been
        paid for.

        Raises:
            BudgetSpent: with this call the day could end above ``tokens`` or ``cost``.
        """
        who = (wish.scope.app or "", wish.scope.user, wish.day)
        self._hold(wish, who, tokens, cost)

        def spent(taken: int, paid: float) -> None:
            with self.store.exclusive() as db:
                db.execute(
                    "UPDATE spending SET tokens=tokens+?, cost=cost+? "
                    "WHERE app=? AND user=? AND day=?",
                    (taken - wish.tokens, paid - wish.cost, *who),
                )

        yield spent

    def _hold(
        self, wish: Wish, who: tuple[str, str, int], tokens: int | None, cost: float | None
    ) -> None:
        with self.store.exclusive() as db:
            found = db.execute(
                "SELECT tokens, cost FROM spending WHERE app=? AND user=? AND day=?", who
            ).fetchone()
            used, paid = found or (0, 0.0)
            if tokens is not None and used + wish.tokens > tokens:
                raise BudgetSpent(
                    f"a call may take up to {wish.tokens} tokens and {tokens - used} of the day's "
                    f"{tokens} are left; raise the budget or wait for tomorrow (UTC)"
                )
            if cost is not None and paid + wish.cost > cost:
                raise BudgetSpent(
                    f"a call may cost up to {wish.cost:.4f} and {cost - paid:.4f} of the day's "
                    f"{cost} are left; raise the budget or wait for tomorrow (UTC)"
                )
            db.execute(
                "INSERT INTO spending VALUES(?,?,?,1,?,?) ON CONFLICT(app, user, day) "
                "DO UPDATE SET calls=calls+1, tokens=tokens+excluded.tokens, "
                "cost=cost+excluded.cost",
                (*who, wish.tokens, wish.cost),
            )

    def on(self, day: int, scope: Scope | None = None) -> list[dict[str, object]]:
        """What each space has taken on a day; with a scope only its own."""
        wanted = (day, *((scope.app or "", scope.user) if scope else ()))
        with self.store.snapshot() as db:
            found = db.execute(
                "SELECT app, user, calls, tokens, cost FROM spending WHERE day=?"
                f"{' AND app=? AND user=?' if scope else ''} ORDER BY app, user",
                wanted,
            ).fetchall()
        return [
            {"app_id": app or None, "user_id": user, "calls": calls, "tokens": tokens, "cost": cost}
            for app, user, calls, tokens, cost in found
        ]
