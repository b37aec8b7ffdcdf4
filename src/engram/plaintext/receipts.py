"""What language models may take, and what they took."""

from dataclasses import dataclass, field

from engram.errors import InvalidInput, brief
from engram.plaintext.roles import Scope

MOST_FAILURES = 100
"""Failures that a sum of receipts still names; the last ones."""

_PER = 1_000_000  # tokens that a price is for


@dataclass(frozen=True, slots=True)
class Budget:
    """What the models may take for one user of one app on one day (UTC). None is no limit.

    ``tokens`` counts what goes in and what comes out. ``cost`` is in the currency of the prices,
    which are for a million tokens.
    """

    tokens: int | None = None
    cost: float | None = None
    price_in: float = 0.0
    price_out: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no amount."""
        for name in ("tokens", "cost", "price_in", "price_out"):
            value = getattr(self, name)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            unlimited = value is None and name in ("tokens", "cost")
            if not unlimited and not (number and value >= 0):
                raise InvalidInput(f"{name} of a budget must be at least 0, got {brief(value)}")
        if self.cost is not None and not (self.price_in or self.price_out):
            raise InvalidInput(
                f"a budget of cost {self.cost!r} needs prices, got none; give price_in and "
                "price_out for a million tokens"
            )

    def price(self, tokens_in: int, tokens_out: int) -> float:
        """What so many tokens cost."""
        return (tokens_in * self.price_in + tokens_out * self.price_out) / _PER


@dataclass(frozen=True, slots=True)
class Receipt:
    """What questions to a model took, and why some were answered by rules instead.

    Attributes:
        calls: requests that were sent.
        tokens_in, tokens_out: of all calls. A call that failed on the way counts with the most it
            could have taken, for it may have to be paid.
        seconds: of waiting.
        cost: at the prices of the budget.
        estimated: calls whose tokens are not the model's own count.
        failures: for each question that the rules answered: its purpose, and why.
    """

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    cost: float = 0.0
    estimated: int = 0
    failures: tuple[str, ...] = ()

    def __add__(self, other: "Receipt") -> "Receipt":
        return Receipt(
            self.calls + other.calls,
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.seconds + other.seconds,
            self.cost + other.cost,
            self.estimated + other.estimated,
            (*self.failures, *other.failures)[-MOST_FAILURES:],
        )

    def __str__(self) -> str:
        """One line for the commit; empty where no model was asked.

        Of a failure it holds only what was asked for: the words of a server may repeat a memory,
        and a commit outlives the memories that it changed.
        """
        parts = [f"{self.calls} calls, {self.tokens_in}+{self.tokens_out} tokens"]
        parts += [f"{self.estimated} estimated"] if self.estimated else []
        parts += [f"cost {self.cost:.6f}"] if self.cost else []
        purposes = sorted({failure.partition(": ")[0] for failure in self.failures})
        ruled = [f"by rules: {', '.join(purposes)}"] if purposes else []
        return "; ".join([*([", ".join(parts)] if self.calls else []), *ruled])


@dataclass(slots=True)
class Receipts:
    """The receipts of one piece of work for one scope, one a call, as they come in.

    ``failed`` counts the calls that failed since the last that did not.
    """

    scope: Scope = field(default_factory=Scope)
    taken: list[Receipt] = field(default_factory=list)
    failed: int = 0

    def total(self) -> Receipt:
        """All of them together."""
        return sum(self.taken, Receipt())
