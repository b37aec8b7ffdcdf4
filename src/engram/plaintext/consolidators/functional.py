"""A relation that can hold one thing at a time holds the newest; the older stays as history.

Source: Mem0's update rule as the house runs it without a language model (Chhikara et al. 2025,
    arXiv:2504.19413, section 2.1); intervals as in Rasmussen et al. 2025, arXiv:2501.13956.
Differs: newest by the time in the world, not by arrival; nothing is deleted; a less trusted source
    never replaces a more trusted one but waits for approval.
"""

import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from engram.plaintext.roles import (
    Candidate,
    Edit,
    EditPlan,
    Record,
    Source,
    State,
    View,
)
from engram.plaintext.text.words import same_text


@dataclass(frozen=True, slots=True)
class Functional:
    """Settles facts by their slot: the same head and relation.

    Attributes:
        evidence: how many sources a fact keeps; later repetitions change nothing.
    """

    evidence: int = 16

    def settle(self, found: Sequence[Candidate], now: float, view: View) -> EditPlan:
        """Merge with a fact that says the same, take its place in the slot's history, or add."""
        edits: list[Edit] = []
        for candidate in found:
            held = view.facts(str(candidate.fields["head"]), str(candidate.fields["relation"]))
            held = [fact for fact in held if fact.state in (State.ACTIVE, State.ARCHIVED)]
            edits += self._place(candidate, held, now)
        return EditPlan(tuple(edits), method="functional")

    def _place(self, candidate: Candidate, held: list[Record], now: float) -> list[Edit]:
        new = _record(candidate, now)
        begin = _begin(new)
        functional = bool(candidate.fields.get("functional"))
        history = sorted((fact for fact in held if _counts(fact)), key=_begin)
        for fact in history:
            if _tail(fact) == _tail(new) and (not functional or _holds(fact, begin)):
                return self._repeat(fact, new)
        if not functional:
            return [Edit(new)]
        before = [fact for fact in history if _begin(fact) <= begin]
        after = [fact for fact in history if _begin(fact) > begin]
        if before and new.trust < before[-1].trust:
            return [Edit(replace(new, state=State.GENERATED))]
        return _insert(new, before[-1] if before else None, after[0] if after else None)

    def _repeat(self, fact: Record, new: Record) -> list[Edit]:
        if len(fact.sources) >= self.evidence or new.sources[0] in fact.sources:
            return []
        more = replace(
            fact,
            sources=(*fact.sources, *new.sources),
            confidence=1 - (1 - fact.confidence) * (1 - new.confidence),
        )
        return [Edit(more, basis=fact.version)]


def _record(candidate: Candidate, now: float) -> Record:
    source = candidate.source
    assert source is not None
    said = now if source.event_time is None else source.event_time
    return Record(
        id=_fact_id(source.id, candidate),
        kind=candidate.kind,
        text=candidate.text,
        scope=source.scope,
        fields=candidate.fields,
        event_time=source.event_time,
        valid_from=said if candidate.valid_from is None else candidate.valid_from,
        valid_to=candidate.valid_to,
        sources=(Source(source.id, candidate.start, candidate.end),),
        parents=(source.id,),
        method=candidate.method,
        trust=source.trust,
        confidence=candidate.confidence,
        expires_at=source.expires_at,
    )


def _fact_id(source: str, candidate: Candidate) -> str:
    """Follows from the source and what was read there: the same input gives the same plan."""
    fields = candidate.fields
    said = f"{fields['head']}\x1f{fields['relation']}\x1f{fields['tail']}\x1f{candidate.start}"
    return str(uuid.uuid5(uuid.UUID(source), said))


def _tail(fact: Record) -> str:
    return same_text(str(fact.fields.get("tail")))


def _begin(fact: Record) -> float:
    return -math.inf if fact.valid_from is None else fact.valid_from


def _counts(fact: Record) -> bool:
    """Part of the slot's history: held now, or ended by a newer fact. Not what was deleted."""
    return fact.state is State.ACTIVE or fact.superseded_by is not None


def _holds(fact: Record, at: float) -> bool:
    return _begin(fact) <= at and (fact.valid_to is None or at < fact.valid_to)


def _insert(new: Record, before: Record | None, after: Record | None) -> list[Edit]:
    """Give the new fact its interval between its neighbours in time."""
    edits: list[Edit] = []
    if after is not None:
        ends = after.valid_from if new.valid_to is None else min(new.valid_to, _begin(after))
        new = replace(new, valid_to=ends, state=State.ARCHIVED, superseded_by=after.id)
    if before is not None:
        new = replace(new, parents=(*new.parents, before.id))
        open_end = before.valid_to is None or before.valid_to > _begin(new)
        if open_end:
            closed = replace(
                before, valid_to=new.valid_from, state=State.ARCHIVED, superseded_by=new.id
            )
            edits.append(Edit(closed, basis=before.version))
    return [Edit(new), *edits]
