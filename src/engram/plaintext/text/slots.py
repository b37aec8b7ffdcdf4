"""Slots: what was said as sentences with head, relation and tail, and which of two holds when."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from engram.plaintext.roles import Record, State
from engram.plaintext.text.statements import Statement, statements
from engram.plaintext.text.words import same_text

_LONGEST = 20_000  # characters; a longer text is a document, not talk
_NOBODY = ("The user", "user")  # how a speaker without a name is shown, and stored


class Told(NamedTuple):
    """One statement as a sentence of its own, read at characters ``start`` to ``end``.

    Attributes:
        text: the sentence.
        head, tail: as a reader would write them.
        slot: ``head``, ``relation``, ``tail`` and ``functional``, as fields of a record.
        since: when it began, where it was said; seconds.
    """

    text: str
    head: str
    tail: str
    slot: Mapping[str, Any]
    start: int
    end: int
    since: float | None = None


def is_person(record: Record) -> bool:
    """Whether a person said it: not the system, a tool or an assistant without a name."""
    role = record.fields.get("role", "user")
    return role == "user" or (role == "assistant" and bool(record.fields.get("speaker")))


def said_at(record: Record) -> float:
    """When it was said; where nobody knows, when it was stored."""
    return record.created if record.event_time is None else record.event_time


def told(record: Record) -> list[Told]:
    """What a message plainly states, each once; nothing where no person speaks."""
    if not is_person(record):
        return []
    name = str(record.fields.get("speaker") or "")
    speaker = (name, name.lower()) if name else _NOBODY
    first: dict[str, Told] = {}
    for each in statements(record.text[:_LONGEST], said_at(record)):
        found = _told(each, speaker)
        first.setdefault(same_text(found.text), found)
    return list(first.values())


def slot_of(sentence: str) -> dict[str, Any]:
    """The slot that a sentence about somebody fills; empty unless it is plainly one."""
    head, _, rest = sentence.partition(" user ")
    plain = f"User {rest}" if head.lower() == "the" else sentence
    found = [each for each in statements(plain, None) if each.subject]
    alone = len(found) == 1 and not found[0].subject.startswith("my ")
    return dict(_told(found[0], _NOBODY).slot) if alone else {}


def _told(said: Statement, speaker: tuple[str, str]) -> Told:
    shown, head = speaker
    if said.subject.startswith("my "):
        whose = f"'s {said.subject.removeprefix('my ')}"
        shown, head = shown + whose, head + whose
    elif said.subject:
        shown, head = said.subject, said.subject.lower()
    return Told(
        said.relation.phrase.format(head=shown, tail=said.tail, what=said.what),
        shown,
        said.tail,
        {
            "head": head,
            "relation": said.name,
            "tail": said.tail,
            "functional": said.relation.functional,
        },
        said.start,
        said.end,
        said.since,
    )


def begin(record: Record) -> float:
    """When it began to hold; minus infinity where nobody knows."""
    return -math.inf if record.valid_from is None else record.valid_from


def fills_the_same(one: Record, other: Record) -> bool:
    """Whether two records fill one slot."""
    ours, theirs = one.fields, other.fields
    if not ours.get("relation") or ours["relation"] != theirs.get("relation"):
        return False
    return same_text(str(ours["head"])) == same_text(str(theirs["head"]))


def agrees(one: Record, other: Record) -> bool:
    """Whether two records that fill one slot fill it with the same."""
    return same_text(str(one.fields.get("tail"))) == same_text(str(other.fields.get("tail")))


def disagrees(one: Record, other: Record) -> bool:
    """Whether two records cannot hold at one time: a slot for one thing, filled with two."""
    functional = bool(one.fields.get("functional"))
    return functional and fills_the_same(one, other) and not agrees(one, other)


def rivals(new: Record, known: Iterable[Record]) -> list[Record]:
    """The history of the new record's slot: what holds, and what something newer has ended."""
    return [
        each
        for each in known
        if each.state is State.ACTIVE
        or (each.state is State.ARCHIVED and each.superseded_by is not None)
        if each.kind == new.kind and each.id != new.id and disagrees(new, each)
    ]


def placed(new: Record, others: Sequence[Record], now: float = math.inf) -> list[Record]:
    """The after-images when a record takes its interval among others that it rules out.

    The new record comes first. It ends what began before it and still held; it is history itself
    where one of the others began later. What ends in the future holds until then. The new one waits
    for approval where it would end what is frozen or comes from a more trusted source.
    """
    later = [each for each in others if begin(each) > begin(new)]
    ended = [each for each in others if begin(each) <= begin(new) < _end(each)]
    if any(each.frozen or each.trust > new.trust for each in ended):
        return [replace(new, state=State.GENERATED)]
    if later:
        new = _closed(new, min(later, key=begin), now)
    new = replace(new, parents=(*new.parents, *(each.id for each in ended)))
    return [new, *(_closed(each, new, now) for each in ended)]


def _end(record: Record) -> float:
    return math.inf if record.valid_to is None else record.valid_to


def _closed(record: Record, by: Record, now: float) -> Record:
    state = record.state if begin(by) > now else State.ARCHIVED
    return replace(record, valid_to=by.valid_from, state=state, superseded_by=by.id)


def is_withdrawn(record: Record) -> bool:
    """Put out of recall, and not because something newer took its place."""
    gone = (State.ARCHIVED, State.EXPIRED, State.RETRACTED)
    return record.state in gone and record.superseded_by is None
