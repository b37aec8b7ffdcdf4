"""Wordings: when two say the same, and how several of them are held as one record."""

import uuid
from collections.abc import Iterable
from dataclasses import replace

from engram.plaintext.roles import Record, Source, State
from engram.plaintext.text.names import names
from engram.plaintext.text.slots import begin, slot_of
from engram.plaintext.text.words import terms


def covers(one: str, other: str) -> bool:
    """Whether a text says every word of another that is not mere grammar."""
    return set(terms(other).content) <= set(terms(one).content)


def overlap(one: str, other: str) -> float:
    """Share of the words of two texts that both say; 0 to 1."""
    ours, theirs = set(terms(one).content), set(terms(other).content)
    return len(ours & theirs) / max(1, len(ours | theirs))


def exact(text: str) -> set[str]:
    """The index terms of the names and numbers in a text, which no other word stands for."""
    named = {stem for name in names(text) for stem in terms(name.text).stems}
    return named | {stem for stem in terms(text).stems if any(sign.isdigit() for sign in stem)}


def grounded(text: str, shown: str) -> bool:
    """Whether a text could have been made of what was shown.

    At least half of its words stand there, and every name and number.
    """
    words, there = set(terms(text).content), set(terms(shown).stems)
    return bool(words) and exact(text) <= there and 2 * len(words & there) >= len(words)


def lasts(record: Record, other: Record) -> bool:
    """Whether a record is kept at least as long as another."""
    ends = record.expires_at
    return ends is None or (other.expires_at is not None and ends >= other.expires_at)


def merged(record: Record, into: Record) -> Record:
    """The record as one that says what another says, and fills no slot of its own."""
    slot = ("head", "relation", "tail", "functional")
    fields = {name: value for name, value in record.fields.items() if name not in slot}
    return replace(record, fields=fields, state=State.MERGED, superseded_by=into.id)


def reworded(record: Record, by: Record, text: str) -> Record | None:
    """The record with a richer wording, resting on what it was taken from; None where it may not.

    Args:
        record: keeps its id.
        by: says more about the same, no earlier, with no less trust, in the same scope, and is
            kept as long.
        text: a wording that says all that both say, and no more; where it does not, the wording
            of ``by`` stands alone, if it says all that the record says.
    """
    if record.scope != by.scope or record.frozen or by.trust < record.trust:
        return None
    if begin(by) < begin(record) or by.expires_at != record.expires_at:
        return None
    both = f"{record.text} {by.text}"
    if covers(text, both) and covers(both, text) and len(text) <= len(both):
        wording, slot = text, slot_of(text)
    elif covers(by.text, record.text):
        wording, slot = by.text, dict(by.fields)
    else:
        return None
    return replace(
        record,
        text=wording,
        fields=slot,
        sources=by.sources,
        event_time=by.event_time,
    )


def first_wording(record: Record) -> Record:
    """What a record says now, as a record of its own that is merged into it.

    So an erase of what it rests on finds it, when it has another wording and rests on other words.
    """
    own = str(uuid.uuid5(uuid.UUID(record.id), "first wording"))
    return merged(replace(record, id=own, parents=(), version=1), record)


def ties(record: Record, lenders: Iterable[Record]) -> list[Record]:
    """Records that tie one to those whose words it borrows, so that it is erased with each."""
    return [
        merged(
            replace(
                record,
                id=str(uuid.uuid5(uuid.UUID(record.id), lender.id)),
                sources=(Source(lender.id, 0, len(lender.text)),),
                parents=(lender.id,),
            ),
            record,
        )
        for lender in lenders
    ]


def lenders(text: str, said: Record, shown: Iterable[Record]) -> list[Record]:
    """Those among what was shown whose words a text has, and not from what it rests on."""
    borrowed = set(terms(text).content) - set(terms(said.text).content)
    found = {each.id: each for each in shown if borrowed & set(terms(each.text).content)}
    return [each for each in found.values() if each.id != said.id]
