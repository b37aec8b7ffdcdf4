"""Drafts: the records of one kind as they stand while a batch of messages is written up."""

import uuid
from dataclasses import replace

import numpy as np

from engram.plaintext.roles import Edit, Record, State, View
from engram.plaintext.text.desk import Desk
from engram.plaintext.text.slots import fills_the_same, is_withdrawn
from engram.plaintext.text.wording import overlap
from engram.plaintext.text.words import terms
from engram.ports import Embedder


class Drafts:
    """What a view holds of one kind, under what was laid over it.

    Args:
        view: narrowed to now.
        kind: of the records.
        embedder: tells how near two texts are; without one, the words that they share do.
    """

    def __init__(self, view: View, kind: str, embedder: Embedder | None) -> None:
        self._view, self._kind, self._embedder = view, kind, embedder
        self._desk = Desk(view, (kind,), embedder)
        self._laid: dict[str, Record] = {}

    def held(self, record: Record) -> Record:
        """The record as it stands; as it was passed where there is none of its id."""
        return self._desk.get(record.id) or record

    def unsettled(self, record: Record) -> Record | None:
        """The record, if there is none of its id yet.

        What was withdrawn and is read again, after its text was rewritten, is another record.
        """
        while (held := self.held(record)) is not record and is_withdrawn(held):
            record = replace(record, id=str(uuid.uuid5(uuid.UUID(record.id), "again")))
        return record if held is record else None

    def filling(self, record: Record) -> list[Record]:
        """All that ever filled the slot of a record, in whatever state."""
        head, relation = record.fields.get("head"), record.fields.get("relation")
        if not head or not relation:
            return []
        stored = self._view.facts(str(head), str(relation))
        known = {each.id: self.held(each) for each in stored if each.kind == self._kind}
        known |= {each.id: each for each in self._laid.values()}
        return [each for each in known.values() if fills_the_same(each, record)]

    def near(
        self, record: Record, count: int, *, earlier: bool = False
    ) -> list[tuple[Record, float]]:
        """The active records nearest to one, nearest first, and how near: 1 says the same.

        Args:
            record: of any kind; it is not near itself.
            count: of records, at most.
            earlier: only those that were stored before it.
        """
        ids = self._desk.ids
        end = ids.index(record.id) if earlier and record.id in ids else len(ids)
        later, words = set(ids[end:]), sorted(set(terms(record.text).content))
        found = [
            (each, cosine if self._embedder else overlap(record.text, each.text))
            for each, cosine in self._desk.near(record, words, count + len(self._laid) + len(later))
            if each.state is State.ACTIVE and each.id not in later
        ]
        return sorted(found, key=lambda pair: -pair[1])[:count]

    def lay(self, *records: Record) -> None:
        """Lay new or changed records over what the view holds."""
        for record in records:
            self._laid[record.id] = record
            self._desk.put(record, terms(record.text).content)

    def edits(self) -> tuple[Edit, ...]:
        """What was laid and differs, on the versions that the view holds."""
        held = self._view.current(self._laid)
        changed = [each for each in self._laid.values() if each != held.get(each.id)]
        return tuple(
            Edit(each, basis=held[each.id].version if each.id in held else 0) for each in changed
        )


def earlier(view: View, record: Record, kind: str, count: int) -> list[Record]:
    """The newest live records of a kind in the conversation of a record, oldest first.

    Raw ones are those that were stored before it.
    """
    columns, names = view.columns, view.columns.names
    mine = view.live & columns.of_kind(kind)
    for name, column in ((record.scope.run, columns.run), (record.scope.agent, columns.agent)):
        code = -1 if name is None else names.index(name) if name in names else -2
        mine &= column == code
    rows = np.flatnonzero(mine)
    if kind == "raw":
        rows = rows[rows < np.flatnonzero(columns.ids == record.id).min(initial=len(columns.ids))]
    return view.records(rows[-count:] if count else rows[:0])
