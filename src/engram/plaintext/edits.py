"""Plans for the changes that people make by hand: rewrite, delete, and what follows from them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from engram.plaintext.roles import Edit, EditPlan, Record, State
from engram.plaintext.store.view import Snapshot


def rewrite(
    view: Snapshot, record: Record, text: str, metadata: Mapping[str, Any] | None
) -> EditPlan:
    """Give a record a new text; what was read out of the old text is withdrawn."""
    new = replace(record, text=text, metadata=record.metadata if metadata is None else metadata)
    edits = [Edit(new, basis=record.version)]
    if text != record.text:
        edits += withdraw(view, filter(_held, view.resting_only_on(record.id)))
    return EditPlan(tuple(edits), method="update")


def delete(view: Snapshot, records: Iterable[Record]) -> EditPlan:
    """Archive records and what was read out of them; a fact that they had ended holds again."""
    doomed: dict[str, Record] = {}
    for record in records:
        for one in (record, *view.resting_only_on(record.id)):
            if _held(one):
                doomed[one.id] = one
    return EditPlan(tuple(withdraw(view, doomed.values())), method="delete")


def withdraw(view: Snapshot, records: Iterable[Record]) -> list[Edit]:
    """Archive records, and hand the time of a withdrawn fact back to the fact before it."""
    edits: dict[str, Edit] = {}
    for record in records:
        archived = replace(record, state=State.ARCHIVED, superseded_by=None)
        edits[record.id] = Edit(archived, basis=record.version)
        for parent in view.current(record.parents).values():
            if parent.superseded_by == record.id and parent.id not in edits:
                edits[parent.id] = Edit(_reopened(parent, record), basis=parent.version)
    return list(edits.values())


def _held(record: Record) -> bool:
    """Recalled now, waiting to be, or part of a history that ``as_of`` can recall."""
    waiting = (State.ACTIVE, State.GENERATED, State.QUARANTINED, State.MERGED)
    return record.state in waiting or record.superseded_by is not None


def _reopened(parent: Record, gone: Record) -> Record:
    still_active = gone.superseded_by is None and parent.state is not State.MERGED
    state = State.ACTIVE if still_active or parent.kind == "raw" else parent.state
    return replace(parent, valid_to=gone.valid_to, superseded_by=gone.superseded_by, state=state)
