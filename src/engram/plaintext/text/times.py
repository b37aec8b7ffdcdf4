"""Times as the outside writes them, and as engram shows them. Inside they are UTC seconds."""

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

from engram.errors import InvalidInput, brief

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime(1, 1, 2, tzinfo=UTC)
_LAST = datetime(9999, 12, 30, tzinfo=UTC)
_TIMES = "must be ISO 8601, a datetime or seconds since 1970"


def seconds(value: Any, what: str = "a time") -> float:
    """Seconds since 1970, UTC, of a number, a date, a datetime or ISO 8601 text.

    A time without a zone is taken as UTC.

    Raises:
        InvalidInput: it is none of these, or lies outside the years 1 to 9999.
    """
    try:
        found = _seconds(value)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"{what} {_TIMES}, got {brief(value)} ({error!s:.60})") from None
    if found is None or not math.isfinite(found):
        raise InvalidInput(f"{what} {_TIMES}, got {brief(value)}")
    if not (_FIRST - _EPOCH).total_seconds() <= found <= (_LAST - _EPOCH).total_seconds():
        raise InvalidInput(f"{what} must lie in the years 1 to 9999, got {brief(value)}")
    return found


def _seconds(value: Any) -> float | None:
    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip())
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return (aware - _EPOCH).total_seconds()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return None


def iso(at: float | None) -> str | None:
    """UTC ISO 8601, to the microsecond where there are any; None stays None."""
    if at is None:
        return None
    try:
        moment = _EPOCH + timedelta(seconds=at)
    except (OverflowError, ValueError):
        raise InvalidInput(f"a time must lie in the years 1 to 9999, got {brief(at)}") from None
    return moment.isoformat().replace("+00:00", "Z")
