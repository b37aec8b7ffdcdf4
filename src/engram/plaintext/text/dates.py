"""Dates in running text, resolved against the moment at which it was said.

One combined pattern over the rules finds candidates; the first rule that fits at a place wins. A
word that is not surely a date ("I may go", "march on", "one second") is none.
"""

import math
import re
import string
from collections.abc import Iterator
from datetime import date
from functools import partial
from itertools import islice
from typing import NamedTuple

from engram.plaintext.text.date_rules import RULES, Asked, unnamed
from engram.plaintext.text.periods import day_of, seconds_of, time_text

__all__ = ["Dated", "find_dates", "question_period", "question_periods", "time_text"]


class Dated(NamedTuple):
    """A date in a text: characters ``start`` to ``end``, and the period meant, half open.

    ``begin`` and ``until`` are seconds since 1970, UTC; ``text`` is the words of the date.
    """

    start: int
    end: int
    begin: float
    until: float
    text: str


_HINT = re.compile(
    r"\d{4}|\b(?:ago|yesterday|today|tonight|tomorrow|last|next|past|coming|upcoming|previous"
    r"|other day|weekend|from now|in \w+ (?:day|week|month|year|decade)s?"
    r"|this (?:week|month|year|morning|afternoon|evening|march|april|june|august)"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day|spring|summer|autumn|fall|winter"
    r"|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b"
)
"""Nothing that no rule needs: a text without any of these holds no date."""
_MOST = 512  # a text with more dates is a table, and nobody asks for all of them
_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_ANY = re.compile(
    r"(?:\b|(?<=[\u3040-\u9fff]))(?:"
    + "|".join(f"(?P<{name}>{unnamed(rule.pattern)})" for name, rule in RULES.items())
    + ")"
)
_PATTERNS = {name: re.compile(rule.pattern) for name, rule in RULES.items()}
_COMING = re.compile(
    r"(?P<past>\b(?:was|were|had) (?:going|planning|about|supposed|hoping) to)\b"
    r"|(?P<ahead>\b(?:will|won't|shall|going to|gonna|plan(?:s|ning)?|hop(?:e|es|ing) to|want to"
    r"|wants to|intend|about to|upcoming|looking forward|can't wait|due|scheduled|coming up|let's"
    r"|excited|stoked|thrilled|pumped|ready|(?:am|is|are|'m|'re|'s) \w+ing)\b|['’]ll\b"
    r"|['’](?:m|re|s) \w+ing\b)"
    r"|(?P<was>\b(?:was|were|had|did|didn't|went|got|met|saw|took|made|came|bought|won|ran|gave"
    r"|told|left|found|began|became|(?!need|indeed|speed|feed|seed|weed|breed|bleed)\w{2,}ed)\b)",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?\n]")


def _is_coming(text: str, start: int, end: int) -> bool:
    """Whether the sentence around a date speaks of the future; the nearest verb before decides."""
    lowest = max(0, start - 160)
    before = _SENTENCE_END.split(text[lowest:start])[-1]
    cues = [found.lastgroup for found in _COMING.finditer(before)]
    if cues:
        return cues[-1] == "ahead"
    after = _COMING.search(_SENTENCE_END.split(text[end : end + 80])[0])
    return after is not None and after.lastgroup == "ahead"


_CLOCK = r"(?P<h>\d{1,2})(?::(?P<min>[0-5]\d))?(?:\s?(?P<half>am|pm|a\.m\.|p\.m\.))?"
_CLOCK_BEFORE = re.compile(rf"\b{_CLOCK},? (?:on )?$", re.IGNORECASE)
_CLOCK_AFTER = re.compile(
    rf"(?:,? at |T|, | ){_CLOCK}(?::[0-5]\d(?:\.\d+)?)?(?P<zone>Z|[+-]\d\d:?\d\d)?(?!\w)",
    re.IGNORECASE,
)


def find_dates(text: str, said_at: float | None) -> list[Dated]:
    """The first 512 dates of a text, in order, without overlap.

    Args:
        text: any text; English dates, ISO dates and Chinese or Japanese written dates are read.
        said_at: seconds since 1970, UTC. Where it is None, relative dates are left out.
    """
    lowered = _lowered(text)
    if not _HINT.search(lowered):
        return []
    return list(islice(_dates(text, lowered, day_of(said_at)), _MOST))


def _lowered(text: str) -> str:
    """Lower case of the same length, so that places in it are places in the text."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text.translate(_ASCII_LOWER)


def _dates(text: str, lowered: str, today: date | None) -> Iterator[Dated]:
    for found in _ANY.finditer(lowered):
        assert found.lastgroup, "every branch has a name"
        rule = RULES[found.lastgroup]
        if rule.relative and today is None:
            continue
        # The lookarounds of a rule see the whole text, so it is matched in place.
        inner = _PATTERNS[found.lastgroup].match(lowered, found.start())
        assert inner, "the combined pattern holds the same rule"
        coming = partial(_is_coming, text, found.start(), found.end())
        try:
            days = rule.resolve(Asked(inner, text, today, coming))
        except (ValueError, OverflowError):  # 31 February, or beyond the calendar
            continue
        if days is not None:
            begin, until = seconds_of(days[0]), seconds_of(days[1])
            group = "span" if "span" in inner.re.groupindex else 0
            start, end = inner.span(group)
            yield _timed(text, Dated(start, end, begin, until, text[start:end]))


def _timed(text: str, found: Dated) -> Dated:
    """A day with the time of day beside it: "3 pm yesterday", "yesterday at 15:30"."""
    if found.until - found.begin != 86_400.0:
        return found
    lowest = max(0, found.start - 16)
    before = _CLOCK_BEFORE.search(text[lowest : found.start])
    clock = before or _CLOCK_AFTER.match(text, found.end)
    moment = _moment(clock) if clock else None
    if clock is None or moment is None:
        return found
    start = lowest + before.start() if before else found.start
    end = found.end if before else clock.end()
    seconds, length = moment
    begin = found.begin + seconds - (0 if before else _zone(clock["zone"]))
    return Dated(start, end, begin, begin + length, text[start:end])


def _moment(clock: re.Match[str]) -> tuple[int, int] | None:
    """Seconds after midnight and how many are meant, or None where it is no time of day."""
    hour, minute, half = int(clock["h"]), clock["min"], clock["half"]
    if (minute is None and half is None) or hour > (12 if half else 23):
        return None
    if half:
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    return hour * 3600 + int(minute or 0) * 60, 60 if minute else 3600


def _zone(written: str | None) -> int:
    """Seconds east of Greenwich."""
    if written is None or written in "zZ":
        return 0
    seconds = int(written[1:3]) * 3600 + int(written[-2:]) * 60
    return -seconds if written[0] == "-" else seconds


_BETWEEN = re.compile(r"\b(?:between|from)\b", re.IGNORECASE)
_SIDE = re.compile(r"\b(?P<side>before|until|till|prior to|after|since) (?:the )?$", re.IGNORECASE)


def question_period(query: str, now: float) -> tuple[float, float] | None:
    """The period that a question is about, half open, in seconds since 1970, UTC.

    A date with a year beats a relative one, which is then counted from it. "before 2020" begins
    at minus infinity; "after 2020" and "since 2020" never end.
    """
    fixed = find_dates(query, None)
    found = find_dates(query, fixed[0].until - 1 if fixed else now)
    if not found:
        return None
    if len(found) > 1 and _BETWEEN.search(query):
        return min(when.begin for when in found), max(when.until for when in found)
    first = min(fixed or found, key=lambda when: when.until - when.begin)
    side = _SIDE.search(query[: first.start])
    if side is None:
        return first.begin, first.until
    word = side["side"].lower()
    if word in {"after", "since"}:
        return (first.until if word == "after" else first.begin), math.inf
    return -math.inf, first.begin


_YEARLESS = re.compile(
    r"(?!(?:last|next|this|past|coming)\b)[^\d]*(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"(?!.*\d{4})",
    re.IGNORECASE,
)
_YEARS_BACK = 5
_YEAR_LENGTH = 365.2425 * 86_400.0


def question_periods(query: str, now: float) -> list[tuple[float, float]]:
    """The periods that a question may be about, likeliest first.

    A month without a year, "in June", may be that of any of the last five years.
    """
    found = find_dates(query, now)
    first = question_period(query, now) if found else None
    if first is None:
        return []
    if not all(_YEARLESS.match(when.text) for when in found):
        return [first]
    earlier = (question_period(query, now - back * _YEAR_LENGTH) for back in range(1, _YEARS_BACK))
    return list(dict.fromkeys(each for each in (first, *earlier) if each is not None))
