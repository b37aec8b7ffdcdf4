"""Records as plain JSON values, under the names that users of memory systems know."""

from collections.abc import Mapping
from typing import Any

from engram.plaintext.read import Answer, Found
from engram.plaintext.roles import Record, Source
from engram.plaintext.store.journal import Change, Version
from engram.plaintext.store.transaction import Commit
from engram.plaintext.text.times import iso
from engram.plaintext.write import Outcome


def shown(record: Record) -> dict[str, Any]:
    """A record as callers see it. Times are UTC, ISO 8601."""
    return {
        "id": record.id,
        "memory": record.text,
        "kind": record.kind,
        "metadata": dict(record.metadata),
        "user_id": record.scope.user,
        "agent_id": record.scope.agent,
        "run_id": record.scope.run,
        "app_id": record.scope.app,
        "fields": dict(record.fields),
        "event_time": iso(record.event_time),
        "valid_from": iso(record.valid_from),
        "valid_to": iso(record.valid_to),
        "created_at": iso(record.created),
        "updated_at": iso(record.known_from),
        "expires_at": iso(record.expires_at),
        "state": str(record.state),
        "frozen": record.frozen,
        "trust": record.trust.name.lower(),
        "confidence": record.confidence,
        "importance": record.importance,
        "uses": record.uses,
        "tags": list(record.tags),
        "links": dict(record.links),
        "parents": list(record.parents),
        "superseded_by": record.superseded_by,
        "version": record.version,
        "method": record.method,
    }


def answered(answer: Answer, *, explain: bool) -> dict[str, Any]:
    """One search result."""
    result = shown(answer.record)
    result["score"] = round(answer.score, 4)
    result["sources"] = [_source(source, raw) for source, raw in answer.evidence]
    if explain:
        result["explain"] = dict(answer.why)
    return result


def _source(source: Source, raw: Record) -> dict[str, Any]:
    return {
        "id": raw.id,
        "memory": raw.text,
        "start": source.start,
        "end": source.end,
        "event_time": iso(raw.event_time),
        "speaker": raw.fields.get("speaker"),
        "role": raw.fields.get("role"),
        "run_id": raw.scope.run,
        "metadata": dict(raw.metadata),
    }


def reading(found: Found) -> dict[str, Any]:
    """How the query was understood, for ``explain``."""
    route = found.route
    return {
        "content": route.content,
        "people": list(route.people),
        "relation": route.relation,
        "heads": list(route.heads),
        "periods": [[iso(period.start), iso(period.end)] for period in route.periods],
        "wants": route.wants,
        "needed": route.needed,
    }


def outcome(done: Outcome) -> dict[str, Any]:
    """The receipt of one message, or of one thing read out of it."""
    result: dict[str, Any] = {
        "id": done.record.id,
        "memory": done.record.text,
        "event": done.event,
        "kind": done.record.kind,
        "state": str(done.record.state),
    }
    if done.record.superseded_by:
        result["superseded_by"] = done.record.superseded_by
    if done.reason:
        result["reason"] = done.reason
    return result


def commit_id(commit: Commit | None) -> str | None:
    """The id of a commit; None where nothing had to be changed."""
    return None if commit is None else commit.id


def committed(commit: Commit) -> dict[str, Any]:
    """A commit."""
    return {
        "id": commit.id,
        "at": iso(commit.at),
        "actor": commit.actor,
        "method": commit.method,
        "reason": commit.reason,
    }


def versioned(version: Version) -> dict[str, Any]:
    """One version of a record's history; ``erased`` where the payload is gone."""
    body = {"memory": None, "state": "erased"} if version.record is None else shown(version.record)
    return {
        **body,
        "id": version.id,
        "version": version.version,
        "commit": committed(version.commit),
    }


def changed(change: Change) -> dict[str, Any]:
    """How a record differs: what it was, what it is, and which parts differ."""
    before = None if change.before is None else shown(change.before)
    after = None if change.after is None else shown(change.after)
    return {"id": change.id, "before": before, "after": after, "changed": _parts(before, after)}


def _parts(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[str]:
    if before is None or after is None:
        return []
    quiet = ("version", "updated_at", "uses")
    return [key for key in before if before[key] != after[key] and key not in quiet]
