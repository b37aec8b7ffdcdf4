"""Arithmetic of calendar periods, half open, in days of the proleptic Gregorian calendar, UTC.

Weeks begin on Monday, a weekend is Saturday and Sunday, seasons are the northern ones and the
winter of a year begins in its December.
"""

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

Days: TypeAlias = tuple[date, date]
"""A period: its first day, and the day after its last."""

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
SEASONS: Mapping[str, int] = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
"""The month in which each begins; each lasts three."""
_EPOCH = date(1970, 1, 1)
_DAY = 86_400.0
_KNOWN_YEARS = (-3.0e10, 2.2e11)  # seconds: about the years 1019 to 8941, safely inside ``date``


def day_of(seconds: float | None) -> date | None:
    """The day of a moment; None where it is unknown or beyond the calendar."""
    if seconds is None or not _KNOWN_YEARS[0] < seconds < _KNOWN_YEARS[1]:
        return None
    return _EPOCH + timedelta(days=math.floor(seconds / _DAY))


def seconds_of(day: date) -> float:
    """Midnight UTC at the start of a day, in seconds since 1970."""
    return (day - _EPOCH).days * _DAY


def day(first: date, number: int = 1) -> Days:
    """``number`` days from ``first`` on."""
    return first, first + timedelta(days=number)


def week(inside: date, ahead: int = 0) -> Days:
    """The week of a day, ``ahead`` weeks later."""
    return day(inside - timedelta(days=inside.weekday() - 7 * ahead), 7)


def weekend(inside: date, ahead: int = 0) -> Days:
    """The Saturday and Sunday that end the week of a day, ``ahead`` weeks later."""
    return day(week(inside, ahead)[0] + timedelta(days=5), 2)


def months(year: int, month: int, number: int = 1) -> Days:
    """``number`` months from a month on; ``month`` may lie outside 1 to 12 and then carries."""
    return _first(year, month), _first(year, month + number)


def years(first: int, number: int = 1) -> Days:
    """``number`` whole years."""
    return date(first, 1, 1), date(first + number, 1, 1)


def _first(year: int, month: int) -> date:
    carry, index = divmod(month - 1, 12)
    return date(year + carry, index + 1, 1)


def unit(name: str, inside: date, ahead: int = 0) -> Days:
    """The day, week, weekend, month, year or decade of a day, ``ahead`` of them later."""
    if name == "week":
        return week(inside, ahead)
    if name == "weekend":
        return weekend(inside, ahead)
    if name == "month":
        return months(inside.year, inside.month + ahead)
    if name == "year":
        return years(inside.year + ahead)
    if name == "decade":
        return years(inside.year + 10 * ahead)
    return day(inside + timedelta(days=ahead))


def about(name: str, today: date, ahead: int) -> Days:
    """A distance from today as it is meant: "two weeks ago" is the week around that day."""
    if name != "week":
        return unit(name, today, ahead)
    return day(today + timedelta(days=7 * ahead - 3), 7)


def weekday(index: int, today: date, ahead: int) -> Days:
    """The nearest such weekday after today (``ahead`` 1), before it (-1), or of its week (0)."""
    distance = index - today.weekday()
    if ahead > 0 and distance <= 0:
        distance += 7
    if ahead < 0 and distance >= 0:
        distance -= 7
    return day(today + timedelta(days=distance))


def time_text(begin: float, until: float) -> str:
    """A period for people: ``7 May 2023``, ``May 2023``, ``2019``, ``29 May to 4 June 2023``.

    Args:
        begin: seconds since 1970, UTC; minus infinity for no beginning.
        until: likewise, exclusive; infinity for no end.
    """
    first, after = day_of(begin), day_of(until)
    if first is None or after is None:
        return _open(first, after)
    if until - begin < _DAY and begin % _DAY:
        return f"{_written(first)}, {datetime.fromtimestamp(begin, UTC):%H:%M}"
    last = day_of(max(begin, until - 1))
    assert last is not None, "it lies between two known days"
    whole_months = first.day == 1 and after.day == 1 and begin % _DAY == until % _DAY == 0
    if whole_months and (first.month, after.month) == (1, 1) and after > first:
        return _between(str(first.year), str(last.year))
    if whole_months and after > first:
        start = f"{MONTHS[first.month - 1]} {first.year}"
        return _between(start, f"{MONTHS[last.month - 1]} {last.year}")
    return _between(_written(first), _written(last))


def _open(first: date | None, after: date | None) -> str:
    if first is not None:
        return f"since {_written(first)}"
    return "any time" if after is None else f"before {_written(after)}"


def _between(first: str, last: str) -> str:
    """Joins two, naming once the month and the year that they share."""
    if first == last:
        return first
    before, after = first.split(), last.split()
    while before[-1] == after[-1]:
        before.pop()
        after.pop()
    return " ".join([*before, "to", last])


def _written(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
