"""Records made of other records, from which their ids, scopes, trust and evidence follow."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

from engram.plaintext.roles import Candidate, Record, Scope, Source


class Extra(TypedDict, total=False):
    """Fields of a derived record that do not follow from its sources."""

    fields: Mapping[str, Any]
    tags: tuple[str, ...]
    links: Mapping[str, str]
    valid_from: float | None
    valid_to: float | None
    confidence: float
    importance: float


def settled(candidate: Candidate, now: float) -> Record:
    """The record that a candidate becomes. It holds from when it was said, or from now."""
    source = candidate.source
    assert source is not None
    said = now if source.event_time is None else source.event_time
    return Record(
        id=_id(source.id, _content(candidate)),
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


def _content(candidate: Candidate) -> str:
    fields = candidate.fields
    if "relation" not in fields:
        return f"{candidate.kind}\x1f{candidate.text}\x1f{candidate.start}"
    return f"{fields['head']}\x1f{fields['relation']}\x1f{fields['tail']}\x1f{candidate.start}"


def derived(
    sources: Sequence[Record],
    kind: str,
    text: str,
    method: str,
    key: str = "",
    **extra: Unpack[Extra],
) -> Record:
    """A record that was made of others.

    Args:
        sources: raw records; at least one. The scope is what they have in common, the time that of
            the latest, the trust the least, the end of life the earliest.
        kind: of the new record.
        text: what is shown and searched.
        method: the method that made it.
        key: what it is about; one method makes one record of one kind and key from one first
            source. Without it, the text tells.
        extra: see ``Extra``.
    """
    first = sources[0]
    times = [source.event_time for source in sources if source.event_time is not None]
    ends = [source.expires_at for source in sources if source.expires_at is not None]
    return Record(
        id=_id(first.id, f"{method}\x1f{kind}\x1f{key or text}"),
        kind=kind,
        text=text,
        scope=_common([source.scope for source in sources]),
        event_time=max(times, default=None),
        expires_at=min(ends, default=None),
        sources=tuple(Source(source.id, 0, len(source.text)) for source in sources),
        parents=tuple(source.id for source in sources),
        method=method,
        trust=min(source.trust for source in sources),
        **extra,
    )


def _common(scopes: Sequence[Scope]) -> Scope:
    """What the scopes of one space have in common."""
    first = scopes[0]
    return first if len(set(scopes)) == 1 else Scope(user=first.user, app=first.app)


def _id(source: str, content: str) -> str:
    """Follows from the source and what was made of it: the same input gives the same plan."""
    return str(uuid.uuid5(uuid.UUID(source), content))
