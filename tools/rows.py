"""Reads the rows of the catalogue: which classes a system is made of, and with which settings."""

import dataclasses
import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from engram.catalogue import Row, whole

LONGEST_VALUE = 60  # characters; a longer default is a table of its own in the source


@dataclass(frozen=True)
class Part:
    """One class of a row. ``place`` is its role, such as ``channels / words (weight 1.0)``."""

    place: str
    use: str
    given: Mapping[str, Any]

    @property
    def kind(self) -> type:
        """The class itself, imported."""
        module, _, name = self.use.partition(":")
        kind: type = getattr(import_module(f"engram.{module}"), name)
        return kind


def parts(row: Row) -> list[Part]:
    """Every part of a row, in the order of the row, parts of parts after their owner."""
    return list(_parts(whole(row), ""))


def _parts(node: Any, place: str) -> Iterator[Part]:
    if isinstance(node, str):
        if ":" in node:
            yield Part(place, node, {})
    elif isinstance(node, Mapping):
        given = {key: value for key, value in node.items() if key != "use"}
        if "use" in node:
            yield Part(place, node["use"], given)
        for key, value in given.items():
            yield from _parts(value, f"{place} / {key}" if place else key)
    elif isinstance(node, Sequence):
        weights = [each for each in node if isinstance(each, float)]
        weight = f" (weight {weights[0]})" if weights else ""
        for value in node:
            yield from _parts(value, place + weight)


def settings(part: Part) -> list[list[str]]:
    """Name and value of every setting, as the row opens it."""
    if not dataclasses.is_dataclass(part.kind):
        return []
    return [
        [f"`{field.name}`", _shown(part.given.get(field.name, _default(field)))]
        for field in dataclasses.fields(part.kind)
        if field.init
    ]


def idea(kind: type) -> str:
    """The first paragraph of the module that holds the class."""
    return inspect.cleandoc(sys.modules[kind.__module__].__doc__ or "").split("\n\n")[0]


def origins(kind: type) -> list[list[str]]:
    """What the module says behind ``Source:`` and ``Differs:``."""
    said = inspect.cleandoc(sys.modules[kind.__module__].__doc__ or "")
    pattern = r"^(Source|Differs): (.*?)(?=^\w+: |\n\n|\Z)"
    found = re.findall(pattern, said, re.DOTALL | re.MULTILINE)
    return [[name, " ".join(text.split())] for name, text in found]


def promise(claim: str) -> str:
    """The first line of the docstring of ``module:function``, which measures a claim."""
    module, _, name = claim.partition(":")
    measured = getattr(import_module(f"engram.{module}"), name)
    return (inspect.getdoc(measured) or "").split("\n")[0]


def _default(field: "dataclasses.Field[Any]") -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _shown(value: Any) -> str:
    if value is dataclasses.MISSING:
        return "required"
    if isinstance(value, Mapping) and "use" in value:
        return f"`{value['use'].rpartition(':')[2]}`"
    text = repr(value)
    stable = len(text) <= LONGEST_VALUE and " at 0x" not in text
    return f"`{text}`" if stable else "see the source"


def story(claim: str) -> str:
    """What the module of a claim tells about its system: the idea, what differs, an example."""
    module = import_module(f"engram.{claim.partition(':')[0]}")
    return inspect.getdoc(module) or ""
