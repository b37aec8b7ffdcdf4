"""Every method of the room activation is held to the contract of its role."""

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs engram[hf]")

from engram import catalogue
from engram.testing import activation as law
from engram.testing.plaintext import settings_are_frozen

ROWS = [row for row in catalogue.ROWS if row.room == "activation"]
LAWS: dict[str, Callable[[Any], None]] = {
    "budget": law.budget_contract,
    "codec": law.codec_contract,
    "offload": law.offload_contract,
    "pager": law.pager_contract,
    "scorer": law.scorer_contract,
    "selector": law.selector_contract,
    "thinner": law.thinner_contract,
}


def members() -> list[Any]:
    """Every different method that a row names, with its role."""
    found: list[Any] = []
    for row in ROWS:
        for role, part in catalogue.whole(row).items():
            member = role, catalogue.build(part)
            if role in LAWS and member not in found:
                found.append(member)
    return [pytest.param(*each, id=type(each[1]).__name__) for each in found]


@pytest.mark.parametrize(("role", "member"), members())
def test_every_method_of_a_cache_keeps_the_law_of_its_role(role: str, member: Any) -> None:
    """Frozen settings, and what the role promises to the cache."""
    settings_are_frozen(member)
    LAWS[role](member)
