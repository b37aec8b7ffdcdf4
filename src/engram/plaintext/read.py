"""Reading: query -> route -> channels -> fusion -> refiners -> one answer for each raw source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engram.plaintext.columns import highest
from engram.plaintext.confidence import Confidence, Evidence
from engram.plaintext.excerpt import Excerpt
from engram.plaintext.filters import Sql
from engram.plaintext.roles import (
    Floats,
    Hits,
    Index,
    Pack,
    Packer,
    Proposing,
    Reaching,
    Record,
    Refiner,
    Route,
    Router,
    Scope,
    Source,
    View,
)
from engram.plaintext.store.store import Store
from engram.plaintext.store.view import Snapshot
from engram.ports import Embedder

CANDIDATES = 1024
"""The least of the best rows that are looked at when results that share a source are joined."""

PER_RESULT = 4
"""Rows that are looked at for one result: most sources have few rows that rest on them."""

FEW = 131_072
"""Rows up to which all are rated exactly, and at once."""

PROPOSED = 2048
"""Rows that each channel proposes where there are more, best first."""

FOLLOWED = 128
"""Of these, how many are rated first, to find the rows that refiners follow."""

LEADING = 8
"""Rows that refiners follow."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One search.

    Attributes:
        query: what is asked.
        scope: whose memory.
        now: seconds.
        top_k: most results.
        as_of, known_at: the two clocks; None is now.
        filters: compiled filter, or None.
        threshold: least score, 0 to 1.
    """

    query: str
    scope: Scope
    now: float
    top_k: int = 10
    as_of: float | None = None
    known_at: float | None = None
    filters: Sql | None = None
    threshold: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One result: a record, how well it fits (0 to 1), why, and the evidence it rests on."""

    record: Record
    score: float
    evidence: tuple[tuple[Source, Record], ...]
    why: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Found:
    """Answers, best first, and how sure it is that the memory knows at all (0 to 1)."""

    answers: tuple[Answer, ...]
    confidence: float
    route: Route


@dataclass(frozen=True, slots=True)
class Reader:
    """The read pipeline over injected parts.

    Attributes:
        channels: name -> index and its weight in the sum.
        refiners: look at the sum, in this order.
        scale: the score that counts as certain; results are divided by it.
        confidence: rates how sure it is that the memory knows at all.
        abstain_below: confidence under which ``search`` says that it knows nothing.
        few: rows of a space up to which all are rated; of more, those that a channel proposes or
            a refiner reaches, where all of them can tell.
    """

    store: Store
    embedder: Embedder | None
    router: Router
    channels: Mapping[str, tuple[Index, float]]
    refiners: Sequence[Refiner]
    packer: Packer
    confidence: Confidence
    scale: float = 1.0
    abstain_below: float = 0.0
    few: int = FEW

    def search(self, ask: Ask) -> Found:
        """Everything that a search returns, from one consistent snapshot."""
        with self.store.read(ask.scope) as view:
            allowed = None if ask.filters is None else view.matching(ask.filters)
            view.narrow(ask.now, ask.as_of, ask.known_at, allowed)
            route = self._route(ask, view)
            if not route.needed:
                return Found((), 0.0, route)
            most = max(CANDIDATES, PER_RESULT * ask.top_k)
            seen = self._seen(route, view, ask.top_k)
            hits, confidence = self._fuse(route, seen, most)
            if isinstance(seen, Excerpt):
                hits = replace(hits, rows=seen.rows[hits.rows])
            chosen = _one_per_source(hits, view, ask.top_k, ask.threshold)
            return Found(_answers(chosen, view, ask.known_at), confidence, route)

    def pack(self, ask: Ask, tokens: int) -> tuple[Pack, Found]:
        """Recall written for a prompt, within a budget of tokens."""
        found = self.search(ask)
        return self.packer.pack([answer.record for answer in found.answers], tokens), found

    def _route(self, ask: Ask, view: View) -> Route:
        route = self.router.route(ask.query, ask.now if ask.as_of is None else ask.as_of, view)
        if self.embedder is None or not route.needed:
            return route
        return replace(route, vector=self.embedder.embed([route.content or route.query])[0])

    def _seen(self, route: Route, view: View, top_k: int) -> View:
        """The rows that are rated: all of them, or in a large scope those that may be best."""
        channels = [index for index, _ in self.channels.values()]
        proposing = [each for each in channels if isinstance(each, Proposing)]
        reaching = [each for each in self.refiners if isinstance(each, Reaching)]
        told = len(proposing) == len(channels) and len(reaching) == len(self.refiners)
        if len(view.live) <= self.few or not told:
            return view
        if view.count <= self.few:
            return Excerpt(view, np.flatnonzero(view.live))
        wanted, near = max(PROPOSED, PER_RESULT * top_k), view.columns.turns.near
        rows = [each.propose(route, view, wanted) for each in proposing]
        first = near(np.concatenate([each[:FOLLOWED] for each in rows]))
        part = Excerpt(view, np.flatnonzero(first & view.live))
        best = part.rows[self._fuse(route, part, LEADING)[0].rows]
        rows += [each.reach(route, best, view, wanted) for each in reaching]
        some = near(np.concatenate(rows))
        return Excerpt(view, np.flatnonzero(some & view.live))

    def _fuse(self, route: Route, view: View, most: int) -> tuple[Hits, float]:
        """The weighted sum of all channels, refined, of the rows that anything speaks for."""
        parts: dict[str, Floats] = {}
        strength: dict[str, Floats] = {}
        for name, (index, weight) in self.channels.items():
            strength[name] = index.search(route, view)
            best = float(strength[name].max(initial=0.0)) if index.relative else 1.0
            parts[name] = strength[name] * np.float32(weight / best if best > 0 else 0.0)
        scores: Floats = np.sum(list(parts.values()), axis=0, dtype=np.float32)
        spoken_for = np.any([part > 0 for part in parts.values()], axis=0)
        for refiner in self.refiners:
            before, scores = scores, refiner.refine(route, scores, view)
            parts[type(refiner).__name__.lower()] = scores - before
        among = np.flatnonzero(view.live & (spoken_for | (scores > 0)))
        rows = among[highest(scores[among], most)]
        why = {name: part[rows] for name, part in parts.items()}
        sure = self.confidence.rate(route, Evidence(rows, scores, strength, parts), view)
        return Hits(rows, np.clip(scores[rows] / self.scale, 0, 1), why), sure


def _one_per_source(hits: Hits, view: View, top_k: int, threshold: float) -> Hits:
    """The best hit of each raw source: a fact and the sentence it came from are one answer."""
    _, first = np.unique(view.columns.group[hits.rows], return_index=True)
    keep = np.sort(first)
    keep = keep[hits.scores[keep] >= threshold][:top_k]
    why = {name: part[keep] for name, part in hits.why.items()}
    return Hits(hits.rows[keep], hits.scores[keep], why)


def _answers(hits: Hits, view: Snapshot, known_at: float | None) -> tuple[Answer, ...]:
    records = {record.id: record for record in view.records(hits.rows)}
    wanted = (s.record for record in records.values() for s in record.sources)
    raw = {
        record.id: record
        for record in view.current(wanted, known_at).values()
        if view.scope.holds(record.scope)
    }
    answers = []
    for at, row in enumerate(hits.rows):
        record = records.get(view.columns.ids[row])
        if record is not None:
            sources = record.sources or (Source(record.id, 0, len(record.text)),)
            known = raw | {record.id: record}
            evidence = tuple((s, known[s.record]) for s in sources if s.record in known)
            why = {name: round(float(part[at]), 4) for name, part in hits.why.items()}
            answers.append(Answer(record, float(hits.scores[at]), evidence, why))
    return tuple(answers)
