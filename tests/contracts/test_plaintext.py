"""Every method of the catalogue is held to the contract of its role."""

from collections.abc import Iterator
from typing import Any

import pytest

from engram import catalogue
from engram.adapters.embedders import embedder
from engram.memory import Memory
from engram.plaintext.routers.question import Question
from engram.testing import plaintext as law

ROWS = [row for row in catalogue.ROWS if row.room == "plaintext"]
MODEL = embedder("wordllama")


def members(role: str) -> list[Any]:
    """Every different member of a role that some row names."""
    found: list[Any] = []
    for row in ROWS:
        part = catalogue.parts(row, {"embedder": MODEL}).get(role, [])
        listed = part if isinstance(part, list) else [part]
        if isinstance(part, dict):
            listed = [index for index, _ in part.values()]
        found += [member for member in listed if member not in found]
    return found


def named(member: object) -> str:
    """The name of a method, for the test's id."""
    return type(member).__name__


@pytest.fixture
def memory() -> Iterator[Memory]:
    """A memory with a planted conversation."""
    with law.planted() as planted:
        yield planted


@pytest.mark.parametrize("index", members("channels"), ids=named)
def test_every_index_keeps_the_law(index: Any, memory: Memory) -> None:
    """Scores are (N,), finite, the same every time, and empty for an empty scope."""
    law.settings_are_frozen(index)
    law.index_contract(index, Question(), memory)


@pytest.mark.parametrize("refiner", members("refiners"), ids=named)
def test_every_refiner_keeps_the_law(refiner: Any, memory: Memory) -> None:
    """Scores stay (N,) and finite, and what went in is not written to."""
    law.settings_are_frozen(refiner)
    law.refiner_contract(refiner, Question(), memory)


@pytest.mark.parametrize("router", members("router"), ids=named)
def test_every_router_keeps_the_law(router: Any, memory: Memory) -> None:
    """Routes name only who spoke, and always leave something to look for."""
    law.settings_are_frozen(router)
    law.router_contract(router, memory)


@pytest.mark.parametrize("extractor", members("extractors"), ids=named)
def test_every_extractor_keeps_the_law(extractor: Any) -> None:
    """Spans lie in the text, and nothing is said twice."""
    law.settings_are_frozen(extractor)
    law.extractor_contract(extractor, ["", " ", "I live in Oslo. I live in Oslo.", "x" * 63])


@pytest.mark.parametrize("consolidator", members("consolidator"), ids=named)
def test_every_consolidator_keeps_the_law(consolidator: Any, memory: Memory) -> None:
    """Plans are the same every time, apply, and leave a sound store."""
    law.settings_are_frozen(consolidator)
    law.consolidator_contract(consolidator, members("extractors")[0], memory)


@pytest.mark.parametrize("enricher", members("enrichers"), ids=named)
def test_every_enricher_keeps_the_law(enricher: Any, memory: Memory) -> None:
    """Plans are the same every time, apply, and doing it twice adds nothing."""
    law.settings_are_frozen(enricher)
    law.enricher_contract(enricher, memory)


@pytest.mark.parametrize("sealer", members("sealer"), ids=named)
def test_every_sealer_keeps_the_law(sealer: Any) -> None:
    """What is plain passes as it is; what is sealed is in no text and in no field."""
    law.settings_are_frozen(sealer)
    law.sealer_contract(sealer)


@pytest.mark.parametrize("keeper", members("keepers"), ids=named)
def test_every_keeper_keeps_the_law(keeper: Any, memory: Memory) -> None:
    """Plans are the same every time, apply, and never erase."""
    law.settings_are_frozen(keeper)
    law.keeper_contract(keeper, memory)


@pytest.mark.parametrize("packer", members("packer"), ids=named)
def test_every_packer_keeps_the_law(packer: Any, memory: Memory) -> None:
    """Packs stay inside their budget, and no memory gets out of its quotation."""
    law.settings_are_frozen(packer)
    law.packer_contract(packer, memory)
