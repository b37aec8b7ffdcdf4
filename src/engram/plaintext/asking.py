"""The arguments of a read, checked once, at the door."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from engram.errors import InvalidInput, brief
from engram.plaintext.filters import Sql, compile_filter
from engram.plaintext.intake import Ids, checked_text, identifier, scope_of
from engram.plaintext.listing import Page
from engram.plaintext.read import Ask
from engram.plaintext.roles import Scope, State
from engram.plaintext.text.times import seconds

MOST = 10_000
"""Most results of one call; more come by pages."""


class Looking(Ids, total=False):
    """What every call that looks at a scope takes: its ids, two clocks and filters.

    ``as_of`` answers for the world as it was then, ``known_at`` with what the memory held then;
    each is ISO 8601 text, a datetime or seconds since 1970. ``filters`` is a boolean expression
    over metadata and fields; see ``engram.plaintext.filters``.
    """

    as_of: str | float | datetime | None
    known_at: str | float | datetime | None
    filters: Mapping[str, Any] | None


def asked(query: Any, now: float, look: Looking, *, top_k: Any, threshold: Any = 0.0) -> Ask:
    """A search from the caller's arguments.

    Args:
        query: what is asked.
        now: seconds.
        look: ids, clocks and filters, as passed.
        top_k: most results; 1 to ``MOST``.
        threshold: least score; 0 to 1.

    Raises:
        InvalidInput: one of them cannot be used; the message says which.
    """
    scope, as_of, known_at, filters = _look(look)
    return Ask(
        query=checked_text(query, "the query"),
        scope=scope,
        now=now,
        top_k=checked_limit(top_k, "top_k"),
        as_of=as_of,
        known_at=known_at,
        filters=filters,
        threshold=_threshold(threshold),
    )


def page(now: float, look: Looking, *, limit: Any, cursor: Any, states: Any) -> Page:
    """A page of a listing from the caller's arguments."""
    scope, as_of, known_at, filters = _look(look)
    return Page(
        scope=scope,
        now=now,
        limit=checked_limit(limit, "limit"),
        after=_cursor(cursor),
        states=_states(states),
        as_of=as_of,
        known_at=known_at,
        filters=filters,
    )


def _look(look: Looking) -> tuple[Scope, float | None, float | None, Sql | None]:
    ids: dict[str, Any] = dict(look)
    as_of, known_at, filters = (ids.pop(name, None) for name in ("as_of", "known_at", "filters"))
    return (
        scope_of(**ids),
        None if as_of is None else seconds(as_of, "as_of"),
        None if known_at is None else seconds(known_at, "known_at"),
        None if filters is None else compile_filter(filters),
    )


def _threshold(value: Any) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 <= value <= 1:
        raise InvalidInput(f"threshold must be 0 to 1, got {brief(value)}")
    return float(value)


def checked_limit(value: Any, name: str, most: int = MOST) -> int:
    """A whole number from 1 to ``most``.

    Raises:
        InvalidInput: it is something else.
    """
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or not 1 <= value <= most:
        raise InvalidInput(
            f"{name} must be a whole number from 1 to {most}, got {brief(value, 40)}"
        )
    return int(value)


def _cursor(value: Any) -> int:
    """Where a page begins, from the ``next`` of the page before."""
    if value is None:
        return 0
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > 18:
        raise InvalidInput(f"cursor must be the 'next' of an earlier page, got {brief(value, 40)}")
    return int(value)


def _states(values: Any) -> tuple[State, ...]:
    """Life-cycle states by name."""
    names = [values] if isinstance(values, str) else values
    known = [str(state) for state in State if state is not State.ERASED]
    if not isinstance(names, Sequence) or not all(
        isinstance(name, str) and name in known for name in names
    ):
        raise InvalidInput(f"states must be among {', '.join(known)}, got {brief(values)}")
    return tuple(State(name) for name in names)


def known_id(value: Any) -> str:
    """The id of a memory, as text.

    Raises:
        InvalidInput: it is not text, or blank.
    """
    text = identifier(value, "the id of a memory") if isinstance(value, str) else None
    if text is None:
        raise InvalidInput(f"the id of a memory must be text, got {brief(value, 60)}")
    return text


def maybe_scope(ids: Ids) -> Scope | None:
    """The scope of the ids; None when none was given."""
    return scope_of(**ids) if ids else None
