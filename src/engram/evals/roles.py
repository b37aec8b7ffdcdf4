"""Evaluation: its values and its two roles.

A ``Task`` yields episodes; a ``Subject`` hears the sessions of one episode and then says which
turns a question brings back. A subject sees sessions, question and time, never a ``Probe``: what
it must not know is not in the values it gets. All times are seconds since 1970, UTC.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that was said. ``role`` is ``user`` or ``assistant``; ``at`` None is unknown."""

    id: str
    text: str
    role: str = "user"
    speaker: str = ""
    at: float | None = None

    @property
    def shown(self) -> str:
        """The text as a prompt would show it: with its speaker, where there is one."""
        return f"{self.speaker}: {self.text}" if self.speaker else self.text


@dataclass(frozen=True, slots=True)
class Session:
    """Turns of one sitting, in order."""

    id: str
    turns: tuple[Turn, ...]
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """One question with what is needed to score it.

    Attributes:
        answer: the gold answer; empty where the data has none.
        category: as the data numbers or names it.
        evidence: ids of the turns that hold the answer; empty when the data does not say. Of a
            question that cannot be answered: the turns that mislead, if the data names them.
        evidence_sessions: ids of the sessions that hold the answer.
        at: when it is asked.
        answerable: whether the conversation holds the answer.
    """

    id: str
    question: str
    answer: str
    category: str
    evidence: tuple[str, ...] = ()
    evidence_sessions: tuple[str, ...] = ()
    at: float | None = None
    answerable: bool = True


@dataclass(frozen=True, slots=True)
class Episode:
    """A conversation and the questions asked after it. Subjects start each one empty.

    ``notes`` say what the loader repaired or dropped, one line each.
    """

    id: str
    conversation: tuple[Session, ...]
    questions: tuple[Probe, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What a subject brings back for a question.

    Attributes:
        turns: ids, best first, without repeats.
        costs: tokens that each of them adds to a prompt; as many as ``turns``.
        confidence: 0 to 1 that the answer is among them; None if the subject does not say.
        abstain: whether the subject would rather not answer; None if it never says.
        texts: what a prompt would hold of each turn, as many as ``turns``; empty: all of each.
    """

    turns: tuple[str, ...]
    costs: tuple[int, ...]
    confidence: float | None = None
    abstain: bool | None = None
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """What a subject holds after the last session: records of any kind, and bytes.

    ``calls`` are those that it made to a language model by then.
    """

    items: int
    bytes: int
    calls: int = 0


class Task(Protocol):
    """A benchmark. The same settings yield the same episodes."""

    @property
    def name(self) -> str:
        """What the tables call it."""
        ...

    def episodes(self) -> Iterator[Episode]:
        """Yield the episodes, in the order of the data."""
        ...


class Subject(Protocol):
    """A memory under test, or a baseline. One instance lives for one episode."""

    @property
    def name(self) -> str:
        """What the tables call it: the preset or the baseline."""
        ...

    @property
    def embedder(self) -> str:
        """The embedding model, ``none`` without one."""
        ...

    @property
    def ranked(self) -> bool:
        """Whether it ranks. If not, everything is placed in context and k is ignored."""
        ...

    def observe(self, session: Session) -> None:
        """Hear one session; called in order of time."""
        ...

    def settle(self) -> None:
        """Build what must be built; called once, after the last session and before questions."""
        ...

    def stored(self) -> Stored:
        """Count what is held, once settled. Not part of any time that is reported."""
        ...

    def retrieve(self, question: str, k: int, at: float | None) -> Found:
        """Bring back at most k turns (all turns, if not ``ranked``) for a question asked then."""
        ...

    def close(self) -> None:
        """Give back files and memory."""
        ...


SubjectMaker: TypeAlias = Callable[[], Subject]
"""Makes an empty subject."""

Grade: TypeAlias = Callable[[Probe, Sequence[Turn]], float | None]
"""How right, 0 to 1, a reader who follows rules is with these turns, best first, and no others.

None where rules cannot tell.
"""

Progress: TypeAlias = Callable[[int, int, str], None]
"""Told about steps done, steps in all, and what is being done."""
