"""A record as bytes: canonical, compact and the same everywhere.

Only what differs from a record's defaults is written. ``salt`` is random and goes with the text
when a record is erased, so that the digest that stays proves nothing about what was erased.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from engram.errors import StoreCorrupt, brief
from engram.plaintext.roles import Record, Scope, Source, State, Trust

# Known only to the store (the clocks of the store, versions) or counted apart from the log (use).
_NOT_IN_BODY = frozenset(
    {"id", "version", "created", "known_from", "known_to", "uses", "last_used"}
)
_BODY = tuple(f.name for f in fields(Record) if f.name not in _NOT_IN_BODY)
_SCOPE = ("user", "agent", "run", "app")
_DEFAULTS = {name: getattr(Record(id="", text=""), name) for name in _BODY}
_PLAIN: Mapping[str, Any] = {
    "scope": lambda s: {k: v for k, v in zip(_SCOPE, _ids(s), strict=True) if v is not None},
    "sources": lambda found: [[s.record, s.start, s.end] for s in found],
    "parents": list,
    "tags": list,
    "trust": lambda trust: trust.name.lower(),
    "state": str,
}


def _ids(scope: Scope) -> tuple[str | None, ...]:
    return scope.user, scope.agent, scope.run, scope.app


def to_plain(record: Record) -> dict[str, Any]:
    """The record's body as JSON values, defaults left out."""
    body: dict[str, Any] = {}
    for name in _BODY:
        value = getattr(record, name)
        if value != _DEFAULTS[name] or name in ("text", "scope"):
            body[name] = _PLAIN[name](value) if name in _PLAIN else value
    return body


def encode(record: Record, salt: str) -> str:
    """Canonical JSON of the body; equal records give equal text."""
    return dumps(to_plain(record) | {"salt": salt})


def dumps(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, no NaN."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def from_plain(body: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of ``Record`` that a body holds."""
    known = {name: body[name] for name in _BODY if name in body}
    known["scope"] = Scope(**known["scope"])
    if "sources" in known:
        known["sources"] = tuple(Source(*source) for source in known["sources"])
    for name in ("parents", "tags"):
        if name in known:
            known[name] = tuple(known[name])
    if "trust" in known:
        known["trust"] = Trust[known["trust"].upper()]
    if "state" in known:
        known["state"] = State(known["state"])
    return known


def decode(record_id: str, body: str, known: Mapping[str, Any] | None = None) -> Record:
    """The record that a body describes, with what only the store knows."""
    return Record(id=record_id, **from_plain(json.loads(body)), **(known or {}))


def stored(record_id: str, body: str, known: Mapping[str, Any] | None = None) -> Record:
    """The record that a body of our own file describes.

    Raises:
        StoreCorrupt: the body is damaged.
    """
    with whole(f"record {record_id!r}"):
        record = decode(record_id, body, known)
        if not isinstance(record.text, str):
            raise TypeError(f"its text is {brief(record.text)}")
        return record


@contextmanager
def whole(what: str) -> Iterator[None]:
    """What our own file holds and nobody can read is damage, whoever stumbles over it."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise StoreCorrupt(
            f"{what} is damaged ({error}); run 'engram check --repair' on a copy of the file"
        ) from error


def digest(body: str) -> bytes:
    """SHA-256 of a body, 32 bytes."""
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).digest()
