"""Plaintext memory: its values and its nine roles.

Write:  message -> Sealer -> Extractor -> Consolidator -> EditPlan -> Store
After:  what was written -> Enricher -> EditPlan -> Store
Read:   query -> Router -> Index (several) -> Refiner -> Packer
Time:   Keeper -> EditPlan -> Store

A method is a frozen dataclass with one verb. It reads through a ``View`` and returns a value;
only the store changes anything. All times are seconds since 1970, UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, ClassVar, Protocol, runtime_checkable

# A method imports all its values from here, so these are passed on.
from engram.plaintext.columns import Columns as Columns
from engram.plaintext.columns import Floats as Floats
from engram.plaintext.columns import Mask as Mask
from engram.plaintext.columns import Rows as Rows


class State(StrEnum):
    """Where a record stands in its life. ``TRANSITIONS`` says what may follow what."""

    GENERATED = "generated"  # proposed, waiting for approval; never recalled
    ACTIVE = "active"
    MERGED = "merged"  # another record says the same; recalled through that one
    ARCHIVED = "archived"  # superseded, forgotten or deleted; kept, not recalled
    EXPIRED = "expired"  # past its expires_at
    QUARANTINED = "quarantined"  # looks like an instruction from an untrusted source
    RETRACTED = "retracted"  # its addition was reverted
    ERASED = "erased"  # payload destroyed; only the tombstone is left


_KEPT = frozenset(State) - {State.ERASED}
TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.GENERATED: _KEPT - {State.MERGED, State.EXPIRED},
    State.ACTIVE: _KEPT,
    State.MERGED: frozenset({State.ACTIVE, State.ARCHIVED, State.RETRACTED}),
    State.ARCHIVED: frozenset({State.ACTIVE, State.EXPIRED, State.RETRACTED}),
    State.EXPIRED: frozenset({State.ACTIVE, State.ARCHIVED, State.RETRACTED}),
    State.QUARANTINED: frozenset({State.ACTIVE, State.ARCHIVED, State.RETRACTED}),
    State.RETRACTED: frozenset({State.ACTIVE, State.GENERATED, State.QUARANTINED}),
    State.ERASED: frozenset(),
}
"""Legal changes of state. Staying is always legal, erase is legal from everywhere, and nothing
leaves ``ERASED``. The store refuses everything else, whoever asks."""


class Trust(IntEnum):
    """How far the source of a record can be believed. Derived records take the minimum."""

    WEB = 1
    TOOL = 2
    IMPORTED = 3
    MODEL = 4
    USER = 5


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose memory it is. A record never leaves the scope it was written in.

    ``app`` and ``user`` choose the space: rows of two spaces share no statistics, no cache and
    no transaction. ``agent`` and ``run`` narrow inside the space; None means any.
    """

    user: str = "default"
    agent: str | None = None
    run: str | None = None
    app: str | None = None

    def holds(self, other: "Scope") -> bool:
        """True when a caller in this scope may see a record of the other."""
        return (
            (self.app, self.user) == (other.app, other.user)
            and self.agent in (None, other.agent)
            and self.run in (None, other.run)
        )


@dataclass(frozen=True, slots=True)
class Source:
    """Verbatim evidence: characters ``start`` to ``end`` of the text of ``record``."""

    record: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that was said, checked and normalised. ``at`` is None when nobody knows when."""

    text: str
    role: str = "user"
    name: str | None = None
    at: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One memory of any kind.

    Attributes:
        id: random, sortable by time of creation, never reused.
        kind: ``raw`` for verbatim input, else what was derived: ``fact``, ``summary``...
        text: what is shown and searched.
        scope: whose it is; immutable.
        fields: parts that depend on the kind: speaker and role of a raw record, head, relation
            and tail of a fact.
        metadata: the caller's own, returned untouched.
        event_time: when it was said or happened; None when unknown.
        valid_from, valid_to: when it was true in the world, half open; None is unbounded.
        created: when the store first held the record; set by the store.
        known_from, known_to: when the store held this version; set by the store.
        expires_at: when it stops being recalled; None is never.
        sources: the raw text it rests on; empty for raw records.
        parents: ids of the records that it was made from or replaced.
        superseded_by: id of the record that replaced it.
        method: the method that made it, and its settings where they matter.
        trust: least trust over its lineage.
        state, frozen: life cycle; a frozen record changes only by being thawed or erased.
        strength: Ebbinghaus strength in days at no use; each use adds one.
        uses, last_used: how often it was packed into a context, and when last.
        importance, confidence: 0 to 1.
        tags: words to filter by.
        links: other record id -> kind of edge.
        version: 1 for the first.
        form: ``plaintext``; other rooms hold other forms of the same record.
    """

    id: str
    text: str
    scope: Scope = Scope()
    kind: str = "raw"
    fields: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    event_time: float | None = None
    valid_from: float | None = None
    valid_to: float | None = None
    created: float = 0.0
    known_from: float = 0.0
    known_to: float | None = None
    expires_at: float | None = None
    sources: tuple[Source, ...] = ()
    parents: tuple[str, ...] = ()
    superseded_by: str | None = None
    method: str = "verbatim"
    trust: Trust = Trust.USER
    state: State = State.ACTIVE
    frozen: bool = False
    strength: float = 1.0
    uses: int = 0
    last_used: float | None = None
    importance: float = 0.5
    confidence: float = 1.0
    tags: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    version: int = 1
    form: str = "plaintext"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that an extractor read out of one record, not yet settled with what is known.

    ``start`` and ``end`` are the span of evidence in that record's text. A fact has ``head``,
    ``relation`` and ``tail`` in ``fields``, and ``functional`` where a new tail replaces an old.
    """

    kind: str
    text: str
    start: int
    end: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    valid_from: float | None = None
    valid_to: float | None = None
    confidence: float = 1.0
    method: str = ""
    source: Record | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """One after-image. ``basis`` is the version it replaces; 0 for a record that is new."""

    record: Record
    basis: int = 0


@dataclass(frozen=True, slots=True)
class EditPlan:
    """What a method wants changed. The store applies all of it or none."""

    edits: tuple[Edit, ...] = ()
    method: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time, half open."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Route:
    """What a query asks for, read once and used by every channel.

    Attributes:
        query: as it was asked.
        content: the query without the names in ``people``: what search should look for. A name
            says whose words to look at; they seldom hold it.
        now: when it is asked.
        people: speakers of the searched scope whom the query names, as stored.
        heads: names that the query is about, lower case, for facts.
        relation: name of a relation that the query asks for, or None.
        periods: the times that it may be about; several where a month names no year.
        wants: what kind of answer: ``time``, ``number``, ``list`` or ``""``.
        needed: False where the query can be answered without any memory; nothing is searched.
        vector: (D,) unit vector of ``content``; None where nothing embeds.
    """

    query: str
    content: str
    now: float
    people: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    relation: str | None = None
    periods: tuple[Period, ...] = ()
    wants: str = ""
    needed: bool = True
    vector: Floats | None = None


@dataclass(frozen=True, slots=True)
class Hits:
    """The rows that answer, best first.

    ``rows`` (K,) are positions in the view, without repeats; ``scores`` (K,) are 0 to 1 and do not
    increase. ``why`` names each part of the score, (K,) each, for ``explain``.
    """

    rows: Rows
    scores: Floats
    why: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pack:
    """Text for a prompt, and the ids of the records that it shows, in order."""

    text: str
    ids: tuple[str, ...]
    tokens: int


class View(Protocol):
    """What a method may see of one scope: a consistent snapshot, read only."""

    @property
    def scope(self) -> Scope: ...
    @property
    def columns(self) -> Columns: ...
    @property
    def live(self) -> Mask:
        """(N,) rows that the scope, the clocks and the filters let through."""
        ...

    @property
    def full(self) -> "View":
        """The view of which this one shows some rows; itself where it shows all."""
        ...

    @property
    def count(self) -> int:
        """How many rows of ``full`` are live."""
        ...

    def holding(self, term: str) -> int:
        """How many live rows of ``full`` hold a term."""
        ...

    def along(self, vector: Floats) -> Floats:
        """(N,) how far the vector of each row goes along this one."""
        ...

    def get(self, record_id: str) -> Record | None: ...
    def records(self, rows: Rows) -> list[Record]: ...
    def current(self, record_ids: Iterable[str]) -> dict[str, Record]: ...
    def resting_on(self, record_id: str) -> list[Record]: ...
    def facts(self, head: str, relation: str) -> list[Record]: ...
    def in_scope(self) -> Mask: ...
    def edges(self) -> tuple[Rows, Rows]: ...
    def postings(self, terms: Sequence[str]) -> Mapping[str, tuple[Rows, Floats]]: ...


class Sealer(Protocol):
    """Takes out of a message what must never be stored as it is, before anything is stored."""

    def seal(self, message: Message) -> tuple[Message, Sequence[Candidate]]: ...


class Extractor(Protocol):
    """Reads candidates out of one raw record. Says nothing twice and invents nothing."""

    def extract(self, record: Record) -> Sequence[Candidate]: ...


class Consolidator(Protocol):
    """Settles candidates with what is known: add, merge, supersede, link."""

    def settle(self, found: Sequence[Candidate], now: float, view: View) -> EditPlan: ...


class Enricher(Protocol):
    """Makes something of raw records once they are stored: notes, links, summaries, thoughts.

    The ids of what it makes follow from what it was made of, so that doing it twice adds nothing.
    """

    def enrich(self, fresh: Sequence[Record], now: float, view: View) -> EditPlan: ...


class Router(Protocol):
    """Reads a query once, for all channels."""

    def route(self, query: str, now: float, view: View) -> Route: ...


class Index(Protocol):
    """One channel: what each row of the view is worth for the query. Rebuilt from the log.

    (N,) finite float32; 0 or less where it has nothing to say for a row. ``relative`` channels
    are scaled so that their best row gets 1 before they are weighed against the others.
    """

    relative: ClassVar[bool]

    def search(self, route: Route, view: View) -> Floats: ...


@runtime_checkable
class Proposing(Index, Protocol):
    """A channel that can tell quickly which rows it may rate highest.

    ``propose`` gives up to ``most`` of them, without repeats, in any order. It may miss a few:
    where a scope is large only what some channel proposes is rated exactly.
    """

    def propose(self, route: Route, view: View, most: int) -> Rows: ...


class Refiner(Protocol):
    """Looks at all scores together and returns them changed, (N,): expand, damp, rerank."""

    def refine(self, route: Route, scores: Floats, view: View) -> Floats: ...


@runtime_checkable
class Reaching(Refiner, Protocol):
    """A refiner that can tell which rows it may raise for the sake of the best ones.

    ``reach`` gives up to ``most`` rows that need not be proposed by any channel.
    """

    def reach(self, route: Route, best: Rows, view: View, most: int) -> Rows: ...


class Packer(Protocol):
    """Writes hits into a token budget, never over it."""

    def pack(self, hits: Sequence[Record], tokens: int) -> Pack: ...


class Keeper(Protocol):
    """Time passes: expire, forget, reorganise."""

    def keep(self, now: float, view: View) -> EditPlan: ...
