"""One row of the catalogue: data, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Part: TypeAlias = str | Mapping[str, Any]
"""``"room.folder.module:Class"`` for its defaults, or ``{"use": "...", "setting": value}``."""


@dataclass(frozen=True, slots=True)
class Row:
    """One method.

    Attributes:
        key: what users type.
        room: the room of the house that it works in.
        parts: role -> part, or a list of parts, or for channels name -> (part, weight).
        like: key of a row from which the roles come that ``parts`` does not name; channels come
            one by one, and None takes one away.
        source: first author, year, where it was published.
        differs: what we do otherwise and why; "nothing known" where nothing is.
        claim: ``module:function`` that measures the defining claim for ``engram verify``.
    """

    key: str
    room: str
    parts: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    like: str = ""
    differs: str = "nothing known"
    claim: str = ""
