"""When a line of a chat log was written: dates in the order of some country, and clock times."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal, TypeAlias

from engram.errors import InvalidInput

Order: TypeAlias = Literal["dmy", "mdy", "ymd"]

CLOCK = (
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?(?:[.,]\d{1,6})?"
    r"(?:\s?(?P<half>[AaPp])\.?\s?[Mm]\b\.?)?"
)
DATE = r"(?P<a>\d{1,4})(?P<between>[./-])(?P<b>\d{1,2})(?P=between)(?P<c>\d{1,4})\.?"
ZONE = r"(?P<zone>\s?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?"
_FIELDS: Mapping[Order, tuple[str, str, str]] = {
    "dmy": ("c", "b", "a"),
    "mdy": ("c", "a", "b"),
    "ymd": ("a", "b", "c"),
}
"""Which group is the year, the month and the day."""
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")


def written(stamp: Mapping[str, str | None], order: Order) -> float:
    """Seconds since 1970 of the groups of ``DATE``, ``CLOCK`` and ``ZONE``; UTC without a zone.

    Raises:
        InvalidInput: there is no such day or hour.
    """
    year, month, day = (int(stamp[key] or 0) for key in _FIELDS[order])
    short = len(stamp[_FIELDS[order][0]] or "") <= 2
    try:
        moment = datetime(2000 + year if short else year, month, day, tzinfo=_zone(stamp))
        return (moment + clock(stamp)).timestamp()
    except (ValueError, OverflowError):
        shown = f"{stamp['a']}{stamp['between']}{stamp['b']}{stamp['between']}{stamp['c']}"
        raise InvalidInput(
            f"a date must exist in the order {order!r}, got {shown!r}; is the order another one?"
        ) from None


def clock(stamp: Mapping[str, str | None]) -> timedelta:
    """The time since midnight.

    Raises:
        InvalidInput: no day has that time.
    """
    hour, minute, second = (int(stamp[key] or 0) for key in ("hour", "minute", "second"))
    half = (stamp["half"] or "").lower()
    if hour > (12 if half else 24) or minute > 59 or second > 60:
        raise InvalidInput(f"a time must lie in one day, got {hour}:{minute:02}:{second:02}{half}")
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return timedelta(hours=hour, minutes=minute, seconds=second)


def _zone(stamp: Mapping[str, str | None]) -> timezone:
    found = _OFFSET.search(stamp["zone"] or "")
    if found is None:
        return UTC
    away = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-away if found[1] == "-" else away)


@dataclass(slots=True)
class _Tally:
    """How well one order explains the dates seen so far: days that do not exist, steps back."""

    impossible: int = 0
    back: int = 0
    last: float = field(default=float("-inf"))


def order_of(stamps: Iterable[Mapping[str, str | None]]) -> tuple[Order, bool]:
    """The order of day, month and year in a log, and whether it had to be guessed.

    A log is written from top to bottom, so the right order is the one in which every date exists
    and time runs forward. Where two explain it as well, day first is taken, save for times with a
    capital AM or PM, which are American.
    """
    tallies: dict[Order, _Tally] = {order: _Tally() for order in _FIELDS}
    american = False
    for stamp in stamps:
        american = american or (stamp["half"] or "").isupper()
        for order, tally in tallies.items():
            _count(stamp, order, tally)
    liked: Order = "mdy" if american else "dmy"
    ranked = sorted(
        tallies, key=lambda order: (tallies[order].impossible, tallies[order].back, order != liked)
    )
    first, second = (tallies[order] for order in ranked[:2])
    guessed = (first.impossible, first.back) == (second.impossible, second.back)
    return ranked[0], guessed and first.last != second.last


def _count(stamp: Mapping[str, str | None], order: Order, tally: _Tally) -> None:
    years = len(stamp[_FIELDS[order][0]] or "")
    try:
        at = written(stamp, order)
    except InvalidInput:
        tally.impossible += 1
        return
    # A year has two digits or four, and only a four-digit one comes first.
    tally.impossible += years not in ((4,) if order == "ymd" else (2, 4))
    tally.back += at < tally.last
    tally.last = at
