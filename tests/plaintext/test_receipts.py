"""Amounts: what may be taken, and what was."""

import math
from typing import Any

import pytest

from engram.errors import InvalidInput
from engram.plaintext.receipts import MOST_FAILURES, Budget, Receipt, Receipts


def test_a_price_is_for_a_million_tokens() -> None:
    """In and out have prices of their own."""
    budget = Budget(price_in=3.0, price_out=15.0)

    assert budget.price(1_000_000, 0) == 3.0
    assert budget.price(2_000, 500) == pytest.approx(0.0135)
    assert Budget().price(10**9, 10**9) == 0.0


@pytest.mark.parametrize(
    "amounts",
    [
        {"tokens": -1},
        {"tokens": True},
        {"tokens": "1000"},
        {"cost": math.nan, "price_in": 1.0},
        {"price_in": None},
        {"price_out": -0.5},
        {"cost": 1.0},
    ],
)
def test_what_is_no_amount_is_refused(amounts: dict[str, Any]) -> None:
    """A limit of money without a price would never stop anything."""
    with pytest.raises(InvalidInput, match="budget"):
        Budget(**amounts)


def test_receipts_add_up() -> None:
    """Field by field; of failures the last hundred are named."""
    one = Receipt(1, 10, 5, 0.5, 0.25, 1, ("notes: it hung",))
    receipts = Receipts(taken=[one, one, Receipt()])

    assert receipts.total() == Receipt(2, 20, 10, 1.0, 0.5, 2, ("notes: it hung",) * 2)
    assert sum([one] * 300, Receipt()).failures == one.failures * MOST_FAILURES
    assert Receipts().total() == Receipt()


@pytest.mark.parametrize(
    ("receipt", "line"),
    [
        (Receipt(), ""),
        (Receipt(2, 20, 10), "2 calls, 20+10 tokens"),
        (Receipt(1, 20, 10, 0.0, 0.25, 1), "1 calls, 20+10 tokens, 1 estimated, cost 0.250000"),
        (Receipt(failures=("b: x", "a: y", "a: z")), "by rules: a, b"),
        (Receipt(1, 2, 3, failures=("a: x",)), "1 calls, 2+3 tokens; by rules: a"),
    ],
)
def test_a_receipt_is_one_line_that_repeats_no_words_of_a_server(
    receipt: Receipt, line: str
) -> None:
    """They could hold a memory, and a commit outlives the memories that it changed."""
    assert str(receipt) == line
