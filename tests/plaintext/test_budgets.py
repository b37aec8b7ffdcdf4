"""Budgets: a hard stop for each user and day, however many processes ask."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from engram.adapters.chat import Chat
from engram.adapters.server import Server
from engram.errors import BudgetSpent
from engram.plaintext.advice import Question, choices, fields
from engram.plaintext.advising import DAY, Budget, Counsel
from engram.plaintext.roles import Scope
from engram.plaintext.store.spending import Spending
from engram.plaintext.store.store import Store
from engram.testing.model_server import ModelServer, model_server
from engram.testing.ports import Hand

ANA = Scope(user="ana")
NOON = 20_000.5 * DAY

Advise: TypeAlias = Callable[..., Counsel]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A server of its own for each test."""
    with model_server() as made:
        yield made


@pytest.fixture
def advise(server: ModelServer, tmp_path: Path) -> Iterator[Advise]:
    """Makes an advisor over the server and one store."""
    with closing(Store(tmp_path / "memory.db", durability="off")) as store:

        def made(**settings: Any) -> Counsel:
            model = Chat("small", Server(f"{server.url}/v1"))
            return Counsel(model, store, **{"clock": lambda: NOON, **settings})

        yield made


def question(tokens: int) -> Question:
    """One whose longest answer has so many tokens."""
    return Question("pick", "Which matter?", "[0] Oslo", fields({"ids": choices(1)}), tokens)


def taken(store: Store, day: int = 20_000) -> int:
    """Tokens that the account holds for Ana."""
    return sum(int(str(row["tokens"])) for row in Spending(store).on(day, ANA))


def test_a_budget_is_a_hard_stop(advise: Advise, server: ModelServer) -> None:
    """A call that could exceed it is not made, and the report says so."""
    budget = 6_000
    counsel = advise(budget=Budget(tokens=budget))

    with counsel.within(ANA) as receipts:
        answers = [counsel.ask(question(tokens=500)) for _ in range(200)]

    total = receipts.total()
    assert answers[0] is not None
    assert answers[-1] is None
    assert taken(counsel.store) == sum(map(sum, server.served)) <= budget
    assert "of the day's 6000 are left" in total.failures[-1]
    assert total.calls == len(server.seen) == sum(answer is not None for answer in answers)


def test_tomorrow_there_is_a_budget_again(advise: Advise) -> None:
    """The day is UTC's, and the clock is the store's."""
    clock = Hand(NOON)
    counsel = advise(budget=Budget(tokens=1_700), clock=clock)

    def asked(at: float) -> list[bool]:
        clock.at = at
        with counsel.within(ANA):
            return [counsel.ask(question(tokens=500)) is not None for _ in range(40)]

    today = asked(NOON)
    assert today[0]
    assert not today[-1]
    assert not any(asked(20_001 * DAY - 1))
    assert asked(20_001 * DAY)[0]
    assert 0 < taken(counsel.store) <= 1_700
    assert 0 < taken(counsel.store, 20_001) <= 1_700


def test_one_user_cannot_use_up_the_budget_of_another(advise: Advise) -> None:
    """Nor one app that of another of the same user."""
    counsel = advise(budget=Budget(tokens=1_700))

    def answered(scope: Scope) -> bool:
        with counsel.within(scope):
            return counsel.ask(question(tokens=500)) is not None

    assert not all(answered(ANA) for _ in range(40))
    assert answered(Scope(user="ben"))
    assert answered(Scope(user="ana", app="work"))
    assert not answered(Scope(user="ana", agent="other", run="new"))


def test_money_is_a_budget_too(advise: Advise) -> None:
    """At prices for a million tokens in and out."""
    budget = Budget(cost=0.01, price_in=1.0, price_out=10.0)
    counsel = advise(budget=budget)

    with counsel.within(ANA) as receipts:
        for _ in range(40):
            counsel.ask(question(tokens=500))

    total = receipts.total()
    assert total.cost == pytest.approx(budget.price(total.tokens_in, total.tokens_out))
    assert 0 < total.cost <= 0.01
    assert "cost" in str(total)


HAMMER = """if True:
    import sys
    from pathlib import Path
    from engram.adapters.models import model
    from engram.plaintext.advice import Question, choices, fields
    from engram.plaintext.advising import Budget, Counsel
    from engram.plaintext.roles import Scope
    from engram.plaintext.store.store import Store

    store = Store(Path(sys.argv[1]), durability="off")
    budget = Budget(tokens=int(sys.argv[2]))
    counsel = Counsel(model("openai:small"), store, budget, lambda: float(sys.argv[3]))
    asked = Question("pick", "Pick.", "word " * 100, fields({"ids": choices(3)}), 200)
    answers = 0
    with counsel.within(Scope(user="ana")):
        for _ in range(30):
            answers += counsel.ask(asked) is not None
    print(answers)
"""


def test_four_processes_together_stay_within_one_budget(
    server: ModelServer, tmp_path: Path
) -> None:
    """Each asks thirty times, and there is enough for some: the sum of all is never above it."""
    path, budget = tmp_path / "memory.db", 8_000
    Store(path, durability="off").close()
    environment = {**os.environ, "OPENAI_BASE_URL": f"{server.url}/v1"}
    command = [sys.executable, "-c", HAMMER, str(path), str(budget), str(NOON)]

    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    answers = [int(process.communicate(timeout=120)[0]) for process in running]
    # Who is refused while others hold back what they may need leaves it; one alone takes it up.
    alone = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    answers.append(int(alone.stdout))

    with closing(Store(path)) as store:
        (row,) = Spending(store).on(20_000, ANA)
    served = sum(map(sum, server.served))
    assert row["tokens"] == served <= budget
    assert row["calls"] == len(server.served) == sum(answers) < 150
    assert budget - served < 2_000  # what one more call could have taken


def test_speech_is_stopped_by_the_budget(advise: Advise, server: ModelServer) -> None:
    """Nothing is sent."""
    with pytest.raises(BudgetSpent):
        advise(budget=Budget(tokens=100)).speak([], lambda _: None)
    assert not server.seen
