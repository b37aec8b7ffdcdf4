"""Standing: what was made of several records stands while all of them do, and falls with any.

Its id follows from what it was made of and what it says, so a change makes another record; the one
before is laid down, and raised again where it fits again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from engram.plaintext.roles import Edit, Record, State, View
from engram.plaintext.text.wording import ties

_LAID = "laid_down"


def key_of(text: str, parts: Iterable[Record], sources: Iterable[Record]) -> str:
    """What tells one such record from another: what it says, is made of and rests on."""
    return " ".join([text, *(part.id for part in parts), *(source.id for source in sources)])


def raised(wanted: Iterable[Record], view: View) -> Iterator[Edit]:
    """The edits after which these stand; none for what somebody put out of recall or erased."""
    images = {each.id: each for each in wanted}
    held = view.current(images)
    for record, new in images.items():
        old = held.get(record)
        if old is not None:
            if old.state is State.ARCHIVED and _LAID in old.fields and not old.frozen:
                yield Edit(new, basis=old.version)
        elif not np.any(view.columns.ids == record):
            yield Edit(new)
            yield from _tied(new, view)


def laid_down(records: Iterable[Record]) -> Iterator[Edit]:
    """The edits after which these do not stand; frozen ones do."""
    for each in records:
        if each.state is State.ACTIVE and not each.frozen:
            fields = {**each.fields, _LAID: True}
            yield Edit(replace(each, state=State.ARCHIVED, fields=fields), basis=each.version)


def stands(record: Record, view: View) -> bool:
    """Whether all that a record was made of is there and active."""
    parts = view.current(record.parents)
    whole = len(parts) == len(record.parents)
    return whole and all(part.state is State.ACTIVE for part in parts.values())


def _tied(new: Record, view: View) -> Iterator[Edit]:
    """Ties to each source, for the record holds words of all: it is erased with any of them."""
    lenders = view.current(source.record for source in new.sources)
    if len(lenders) > 1:
        bare = replace(new, text=new.kind, fields={}, tags=())
        bound = {tie.id: tie for tie in ties(bare, lenders.values())}
        there = view.current(bound)
        yield from (Edit(tie) for tie in bound.values() if tie.id not in there)
