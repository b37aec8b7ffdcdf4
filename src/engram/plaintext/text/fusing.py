"""Fusing: when two items cannot both stand, and whether one text may stand for several."""

from collections.abc import Sequence
from typing import Any

from engram.plaintext.roles import Record, State, View
from engram.plaintext.text.drafts import Drafts
from engram.plaintext.text.slots import said_at
from engram.plaintext.text.wording import covers, exact, grounded
from engram.plaintext.text.words import same_text

_SHORT = 800  # characters: about 200 tokens
_DRIFT, _DRIFT_LONG = 0.7, 0.2


def drift(old: str, new: str) -> float:
    """Share of the characters of two texts that only one of them has; 0 to 1."""
    ours, theirs = set(old), set(new)
    return len(ours ^ theirs) / max(1, len(ours | theirs))


def may_stand_for(text: str, parts: Sequence[str]) -> bool:
    """Whether a model's text may take the place of several, the newest last.

    It is no longer than they are, made of their words, holds every name and number of the newest,
    and keeps most of their characters; it must not merely repeat one that is to go.
    """
    said = " ".join(parts)
    most = _DRIFT if len(said) < _SHORT else _DRIFT_LONG
    return (
        0 < len(text) <= len(said)
        and grounded(text, said)
        and exact(parts[-1]) <= exact(text)
        and drift(said, text) < most
        and not any(same_text(text) == same_text(part) for part in parts[:-1])
    )


def repeats(new: Record, old: Record, cosine: float, same: float) -> bool:
    """Whether a new item says every word of an old one, and hardly more."""
    if slot(new) and slot(old) and not _agree(slot(new), slot(old)):
        return False
    return covers(new.text, old.text) and (cosine >= same or covers(old.text, new.text))


def contradicts(one: Record, other: Record) -> bool:
    """Whether two items fill one slot, which holds one thing, with two."""
    ours, theirs = slot(one), slot(other)
    return (
        bool(ours and theirs and ours["functional"])
        and _same_slot(one, other)
        and not _agree(ours, theirs)
    )


def rivals(item: Record, drafts: Drafts, view: View) -> list[Record]:
    """The items that hold something else in the slot that an item fills."""
    states = slot(item)
    if not states.get("functional"):
        return []
    facts = view.facts(str(states["head"]), str(states["relation"]))
    said = {source.record for fact in facts if fact.kind != item.kind for source in fact.sources}
    known = [each for record in sorted(said) for each in view.resting_on(record)]
    known = [drafts.held(each) for each in known if each.kind == item.kind]
    known += [edit.record for edit in drafts.edits()]
    found = {
        each.id: each
        for each in known
        if each.state is State.ACTIVE and contradicts(item, each) and may_give_way(each, item)
    }
    return list(found.values())


def comparable(one: Record, other: Record) -> bool:
    """Whether a model's word that two contradict each other can be right: the subject is one.

    Where rules read what an item is about, subject and relation must be the same.
    """
    return not (slot(one) and slot(other)) or _same_slot(one, other)


def may_give_way(other: Record, item: Record) -> bool:
    """Whether an older item of the same speaker and agent may be ended by a new one."""
    ours, theirs = item.fields.get("speaker"), other.fields.get("speaker")
    if ours != theirs or item.scope.agent != other.scope.agent:
        return False
    if item.scope.agent is not None and item.scope != other.scope:
        return False  # what both give would belong to no agent
    lasts = item.expires_at is None or item.expires_at == other.expires_at
    older = said_at(other) <= said_at(item) or item.event_time is None
    return lasts and older and not other.frozen and other.trust <= item.trust


def slot(item: Record) -> dict[str, Any]:
    """Head, relation and tail of what an item states, where it states one thing.

    Nothing once somebody has rewritten it, which takes the tail of its tier away.
    """
    return dict(item.fields.get("slot") or {}) if "tail" in item.fields else {}


def _same_slot(one: Record, other: Record) -> bool:
    ours, theirs = slot(one), slot(other)
    same_head = same_text(str(ours["head"])) == same_text(str(theirs["head"]))
    return same_head and ours["relation"] == theirs["relation"]


def _agree(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    parts = ("head", "relation", "tail")
    return all(same_text(str(ours[part])) == same_text(str(theirs[part])) for part in parts)
