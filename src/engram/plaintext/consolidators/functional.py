"""A relation that can hold one thing at a time holds the newest; the older stays as history.

Source: Mem0's update rule as the house runs it without a language model (Chhikara et al. 2025,
    arXiv:2504.19413, section 2.1); intervals as in Rasmussen et al. 2025, arXiv:2501.13956.
Differs: newest by the time in the world, not by arrival; nothing is deleted; a less trusted source
    never replaces a more trusted one, nor any a frozen one, but waits for approval.
"""

import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from engram.plaintext.derived import settled
from engram.plaintext.roles import Candidate, Edit, EditPlan, Record, State, View
from engram.plaintext.text.sittings import DAY
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
            if "relation" not in candidate.fields:
                edits += _once(settled(candidate, now), view)
                continue
            edits += self._place(candidate, now, view)
        return EditPlan(tuple(edits), method="functional")

    def _place(self, candidate: Candidate, now: float, view: View) -> list[Edit]:
        known = view.facts(str(candidate.fields["head"]), str(candidate.fields["relation"]))
        history = sorted(filter(_counts, known), key=_interval)
        new = settled(candidate, now)
        while any(fact.id == new.id and _is_withdrawn(fact) for fact in known):
            new = _anew(new)
        if any(_is_read(new, fact) for fact in known):
            return []
        functional = bool(candidate.fields.get("functional"))
        if functional:
            new = _within_day(new, history)
        for fact in history:
            if _tail(fact) == _tail(new) and (not functional or _holds(fact, _begin(new))):
                return self._repeat(fact, new)
        if any(fact.id == new.id for fact in known):
            return []
        return _in_time(new, history, now, view) if functional else [Edit(new)]

    def _repeat(self, fact: Record, new: Record) -> list[Edit]:
        heard = any(source.record == new.sources[0].record for source in fact.sources)
        if heard or fact.frozen or len(fact.sources) >= self.evidence:
            return []
        more = replace(
            fact,
            sources=(*fact.sources, *new.sources),
            confidence=1 - (1 - fact.confidence) * (1 - new.confidence),
        )
        return [Edit(more, basis=fact.version)]


def _once(record: Record, view: View) -> list[Edit]:
    """What fills no slot is added, unless the very same is there."""
    while (held := view.get(record.id)) and _is_withdrawn(held):
        record = _anew(record)
    return [] if held else [Edit(record)]


def _is_withdrawn(record: Record) -> bool:
    """Put out of recall, and not because something newer took its place."""
    gone = (State.ARCHIVED, State.EXPIRED, State.RETRACTED)
    return record.state in gone and record.superseded_by is None


def _is_read(new: Record, fact: Record) -> bool:
    """Whether a fact says the same and these very words are its evidence already."""
    same = _tail(fact) == _tail(new) and new.sources[0] in fact.sources
    return same and not _is_withdrawn(fact)


def _anew(record: Record) -> Record:
    """What was withdrawn and is read again, after its text was rewritten, is another record."""
    return replace(record, id=str(uuid.uuid5(uuid.UUID(record.id), "again")))


def _tail(fact: Record) -> str:
    return same_text(str(fact.fields.get("tail")))


def _begin(fact: Record) -> float:
    return -math.inf if fact.valid_from is None else fact.valid_from


def _within_day(new: Record, history: list[Record]) -> Record:
    """A fact that began some time on a day begins after what was heard before it on that day."""
    begin, said = new.valid_from, new.event_time
    if begin is None or said is None or begin % DAY:
        return new
    heard = [
        fact.valid_from
        for fact in history
        if fact.valid_from is not None
        and fact.valid_from == fact.event_time  # when it began is not known, only that it held
        and begin <= fact.valid_from < min(begin + DAY, said)
    ]
    return replace(new, valid_from=max(heard) + 1.0) if heard else new


def _interval(fact: Record) -> tuple[float, float]:
    """Begin and end: of two that begin together, the one that has ended comes first."""
    return _begin(fact), math.inf if fact.valid_to is None else fact.valid_to


def _counts(fact: Record) -> bool:
    """Part of the slot's history: held now, or ended by a newer fact. Not what was deleted."""
    ended = fact.state is State.ARCHIVED and fact.superseded_by is not None
    return ended or fact.state is State.ACTIVE


def _holds(fact: Record, at: float) -> bool:
    return _begin(fact) <= at and (fact.valid_to is None or at < fact.valid_to)


def _in_time(new: Record, history: list[Record], now: float, view: View) -> list[Edit]:
    """Put the new fact where it belongs in the history of its slot, or let it wait."""
    begin = _begin(new)
    before = next((fact for fact in reversed(history) if _begin(fact) <= begin), None)
    after = next((fact for fact in history if _begin(fact) > begin), None)
    ended = before if before and _holds(before, begin) else None
    if (before and new.trust < before.trust) or (ended and ended.frozen):
        return [Edit(replace(new, state=State.GENERATED))]
    resumed = _resumed(ended, new, now, view) if ended else None
    edits = _insert(new, before, resumed or after, now)
    return [Edit(resumed), *edits] if resumed else edits


def _resumed(ended: Record, new: Record, now: float, view: View) -> Record | None:
    """The rest of a fact that was said again after the new one was, which arrives late."""
    said = now if new.event_time is None else new.event_time
    when = {
        raw.id: raw.created if raw.event_time is None else raw.event_time
        for raw in view.current(source.record for source in ended.sources).values()
    }
    since = max(said, _begin(new))
    later = {raw: at for raw, at in when.items() if at > since and _holds(ended, at)}
    if not later:
        return None
    begin = min(later.values())
    return replace(
        ended,
        id=str(uuid.uuid5(uuid.UUID(new.id), ended.id)),
        event_time=begin,
        valid_from=begin,
        sources=tuple(source for source in ended.sources if source.record in later),
        parents=tuple(later),
    )


def _insert(new: Record, before: Record | None, after: Record | None, now: float) -> list[Edit]:
    """Give the new fact its interval between its neighbours in time."""
    edits: list[Edit] = []
    if after is not None:
        ends = _begin(after) if new.valid_to is None else min(new.valid_to, _begin(after))
        new = _ended(new, ends, after, now)
    if before is not None:
        new = replace(new, parents=(*new.parents, before.id))
        if _holds(before, _begin(new)):
            edits.append(Edit(_ended(before, _begin(new), new, now), basis=before.version))
    return [Edit(new), *edits]


def _ended(fact: Record, end: float, by: Record, now: float) -> Record:
    """The fact with its end; it is history from then on, and not before."""
    state = fact.state if end > now else State.ARCHIVED
    return replace(fact, valid_to=end, superseded_by=by.id, state=state)
