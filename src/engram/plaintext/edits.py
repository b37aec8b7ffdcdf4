"""Plans for the changes that people make by hand: rewrite, delete, and what follows from them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from engram.plaintext.roles import Edit, EditPlan, Record, State
from engram.plaintext.store.derive import TRIPLES
from engram.plaintext.store.view import Snapshot


def rewritten(record: Record, text: str, metadata: Mapping[str, Any] | None) -> Record:
    """The record with a new text; metadata None keeps the old."""
    new = replace(record, text=text, metadata=record.metadata if metadata is None else metadata)
    if text == record.text:
        return new
    # What a fact now says nobody has read: it fills its slot, and a statement may end it.
    new = replace(new, fields={name: v for name, v in record.fields.items() if name != "tail"})
    if record.state is State.MERGED:  # it says something of its own now
        new = replace(new, state=State.ACTIVE, superseded_by=None)
    return new


def rewrite(view: Snapshot, record: Record, new: Record) -> EditPlan:
    """Put what was rewritten in its place; what was read out of the old text is withdrawn."""
    if new.text == record.text:
        return EditPlan((Edit(new, basis=record.version),), method="update")
    alone, less = bereft(view, [record.id])
    edits = [Edit(new, basis=record.version), *withdraw(view, alone, less)]
    return EditPlan(tuple(edits), method="update")


def delete(view: Snapshot, records: Iterable[Record]) -> EditPlan:
    """Archive records and what was read out of them; a fact that they had ended holds again."""
    doomed = {record.id: record for record in records if _held(record)}
    alone, less = bereft(view, doomed)
    return EditPlan(tuple(withdraw(view, [*doomed.values(), *alone], less)), method="delete")


def bereft(view: Snapshot, gone: Collection[str]) -> tuple[list[Record], dict[str, Record]]:
    """What cannot be told without these records, and after-images of facts with other evidence.

    Each source of a fact says all of it; what was composed of several records needs them all.
    """
    alone: dict[str, Record] = {}
    less: dict[str, Record] = {}
    for source in gone:
        for record in filter(_held, view.resting_on(source)):
            left = tuple(each for each in record.sources if each.record not in gone)
            if record.id not in gone and left and record.kind in TRIPLES:
                less[record.id] = replace(record, sources=left)
            elif record.id not in gone:
                alone[record.id] = record
    return list(alone.values()), less


def withdraw(
    view: Snapshot, records: Iterable[Record], changed: Mapping[str, Record]
) -> list[Edit]:
    """Archive records, and hand the time of a withdrawn fact back to the fact before it.

    Args:
        view: the scope.
        records: to archive.
        changed: after-images of other records that change with them.
    """
    gone = {record.id: record for record in records}
    archived = {
        record.id: replace(record, state=State.ARCHIVED, superseded_by=None)
        for record in gone.values()
    }
    after = archived | reopened(view, gone, changed)
    return [Edit(image, basis=image.version) for image in after.values()]


def reopened(
    view: Snapshot, gone: Mapping[str, Record], changed: Mapping[str, Record]
) -> dict[str, Record]:
    """The after-images in ``changed``, and those of facts that the ``gone`` had ended."""
    after = dict(changed)
    for record in gone.values():
        for former in _ended_by(view, record):
            if former.id not in gone:
                last = record
                while (after_it := gone.get(last.superseded_by or "")) is not None:
                    last = after_it
                after[former.id] = _reopened(after.get(former.id, former), last)
    return after


def _ended_by(view: Snapshot, record: Record) -> list[Record]:
    """The records that this one superseded, found by its lineage and by its slot."""
    found = view.current(record.parents)
    head, relation = record.fields.get("head"), record.fields.get("relation")
    if head and relation:
        found |= {fact.id: fact for fact in view.facts(str(head), str(relation))}
    return [former for former in found.values() if former.superseded_by == record.id]


def _held(record: Record) -> bool:
    """Recalled now, waiting to be, or part of a history that ``as_of`` can recall."""
    waiting = (State.ACTIVE, State.GENERATED, State.QUARANTINED, State.MERGED)
    replaced = record.state is State.ARCHIVED and record.superseded_by is not None
    return record.state in waiting or replaced


def _reopened(parent: Record, gone: Record) -> Record:
    stands = gone.superseded_by is None or parent.kind == "raw"
    state = State.ACTIVE if stands else parent.state
    return replace(parent, valid_to=gone.valid_to, superseded_by=gone.superseded_by, state=state)
