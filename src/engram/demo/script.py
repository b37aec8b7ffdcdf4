"""The lines of the play and the clock that follows them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from typing import Any

HOUR = 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is said.

    Attributes:
        role: ``user``, ``assistant``, ``tool`` or ``system``.
        name: who speaks.
        content: the words.
        time: ISO 8601, UTC; later than that of the line before.
        run_id: the chat that it belongs to.
        metadata: stored with it.
    """

    role: str
    name: str
    content: str
    time: str
    run_id: str
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> float:
        """Seconds since 1970."""
        return moment(self.time).timestamp()

    def message(self) -> dict[str, Any]:
        """The line as ``Memory.add`` takes it."""
        return {
            "role": self.role,
            "name": self.name,
            "content": self.content,
            "time": self.time,
            "metadata": dict(self.metadata),
        }


@dataclass(slots=True)
class Calendar:
    """A clock that shows what the play needs: the memory believes it is ``now``."""

    now: float = 0.0

    def __call__(self) -> float:
        """Seconds since 1970."""
        return self.now


def moment(time: str) -> datetime:
    """ISO 8601 text as a datetime."""
    return datetime.fromisoformat(time)


def conversation() -> Sequence[Line]:
    """The conversation that ships with engram: two old friends, a year of theirs, and Iris."""
    text = files("engram.demo").joinpath("conversation.jsonl").read_text(encoding="utf-8")
    return [Line(**json.loads(line)) for line in text.splitlines()]
