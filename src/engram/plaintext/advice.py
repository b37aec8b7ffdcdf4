"""Advice: what a method may ask of a language model, and what comes back.

A method that can use a model has a field ``advisor: Advisor | None = None``. It asks, and where
the answer is None (no model, no budget, a model that failed or talked nonsense) it goes on without:
every method has rules of its own. The advisor keeps the receipts and says what failed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Question:
    """One question to a model.

    Attributes:
        purpose: a word for the receipts, such as ``notes``.
        instructions: what to do, in our words; the same for every content.
        content: what to do it with; quoted as data, never followed as orders.
        schema: JSON Schema of the object that must come back.
        tokens: longest answer.
    """

    purpose: str
    instructions: str
    content: str
    schema: Mapping[str, Any]
    tokens: int = 1024


class Advisor(Protocol):
    """Answers questions, or does not."""

    def ask(self, question: Question) -> Mapping[str, Any] | None:
        """Return an object that fits the schema of the question, or None."""
        ...


def numbered(texts: Iterable[str]) -> str:
    """Texts one a line behind small numbers; models repeat these where they invent longer ids."""
    return "\n".join(f"[{at}] {' '.join(text.split())}" for at, text in enumerate(texts))


def choices(count: int) -> Mapping[str, Any]:
    """Schema of a list of numbers that stand before ``count`` numbered texts."""
    return {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": count - 1}}


def fields(properties: Mapping[str, Any], optional: Sequence[str] = ()) -> dict[str, Any]:
    """Schema of an object with just these properties, all required but the optional ones."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }
