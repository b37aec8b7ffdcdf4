"""The directory: one row for each published method or benchmark.

Rows are data: listing them imports nothing, and every value is a literal. ``find`` looks a row up,
``parts`` makes the objects that it names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from typing import Any, TypeAlias

from engram.errors import UnknownMethod

Part: TypeAlias = str | Mapping[str, Any]
"""``"room.folder.module:Class"`` for its defaults, or ``{"use": "...", "setting": value}``."""


@dataclass(frozen=True, slots=True)
class Row:
    """One method.

    Attributes:
        key: what users type.
        room: the room of the house that it works in.
        parts: role -> part, or a list of parts, or for channels name -> (part, weight).
        source: first author, year, where it was published.
        differs: what we do otherwise and why; "nothing known" where nothing is.
        claim: ``module:function`` that measures the defining claim for ``engram verify``.
    """

    key: str
    room: str
    parts: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    differs: str = "nothing known"
    claim: str = ""


ROWS: tuple[Row, ...] = (
    Row(
        "hybrid",
        "plaintext",
        {
            "extractors": ["plaintext.extractors.triples:Triples"],
            "consolidator": "plaintext.consolidators.functional:Functional",
            "router": "plaintext.routers.question:Question",
            "channels": {
                "words": ("plaintext.indexes.lexical:Lexical", 1.0),
                "meaning": ("plaintext.indexes.dense:Dense", 0.7),
                "phrases": ("plaintext.indexes.phrases:Phrases", 0.35),
                "speakers": ("plaintext.indexes.speakers:Speakers", 0.7),
                "times": ("plaintext.indexes.times:Times", 0.7),
                "facts": ("plaintext.indexes.facts:Facts", 3.0),
            },
            "refiners": [
                "plaintext.refiners.substance:Substance",
                "plaintext.refiners.conversations:Conversations",
            ],
            "packer": "plaintext.packers.chronological:Chronological",
            "confidence": "plaintext.confidence:Confidence",
            "scale": 4.0,
            "abstain_below": 0.3,
            "keepers": [
                "plaintext.keepers.expiry:Expiry",
                "plaintext.keepers.forgetting:Forgetting",
            ],
        },
        "engram 2026; the house's default",
        differs="not a published system: the best parts of several, with no model and no key",
    ),
    Row(
        "raw-bm25",
        "plaintext",
        {
            "extractors": [],
            "consolidator": "plaintext.consolidators.functional:Functional",
            "router": "plaintext.routers.question:Question",
            "channels": {
                "words": (
                    {
                        "use": "plaintext.indexes.lexical:Lexical",
                        "k1": 1.5,
                        "b": 0.75,
                        "kernel": {0: 1.0},
                    },
                    1.0,
                )
            },
            "refiners": [],
            "packer": "plaintext.packers.chronological:Chronological",
            "confidence": "plaintext.confidence:Confidence",
            "scale": 1.0,
            "abstain_below": 0.0,
            "keepers": ["plaintext.keepers.expiry:Expiry"],
        },
        "Robertson 2009, The Probabilistic Relevance Framework: BM25 and Beyond",
        differs="stemmed words; statistics of the scope that is searched",
    ),
)


def find(key: str, room: str | None = None) -> Row:
    """The row of a key.

    Raises:
        UnknownMethod: no row has that key; the message names the nearest.
    """
    rows = {row.key: row for row in ROWS if room in (None, row.room)}
    if key in rows:
        return rows[key]
    near = get_close_matches(str(key), rows, n=1, cutoff=0.4)
    hint = f"nearest: {near[0]}" if near else "'engram list' shows them all"
    raise UnknownMethod(f"no method is called {key!r}; {hint}")


def build(part: Part) -> Any:
    """The object that a part names, with the row's settings."""
    path, settings = (part, {}) if isinstance(part, str) else (part["use"], dict(part))
    settings.pop("use", None)
    module, _, name = path.partition(":")
    return getattr(import_module(f"engram.{module}"), name)(**settings)


def parts(row: Row) -> dict[str, Any]:
    """Every part of a row as objects: one, a list of them, or channels with their weights."""
    return {role: _made(part) for role, part in row.parts.items()}


def _made(part: Any) -> Any:
    if isinstance(part, list):
        return [build(one) for one in part]
    if isinstance(part, (int, float)):
        return part
    if isinstance(part, dict) and "use" not in part:
        return {name: (build(one), weight) for name, (one, weight) in part.items()}
    return build(part)
