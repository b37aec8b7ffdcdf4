"""The ways in which English writes a date: one table, a pattern and its meaning a row."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple, TypeAlias

from engram.plaintext.text.periods import (
    SEASONS,
    Days,
    about,
    day,
    months,
    unit,
    weekday,
    weekend,
    years,
)


class Asked(NamedTuple):
    """What a rule may look at: its match, the day it was said, whether it lies ahead.

    ``found`` is a match in the lower-cased text, ``text`` the text as it was written.
    """

    found: re.Match[str]
    text: str
    today: date | None
    coming: Callable[[], bool]

    @property
    def said(self) -> date:
        """The day it was said; only for rules that need one, which are not asked without."""
        assert self.today is not None, "relative rules are skipped when nobody knows when"
        return self.today


Resolve: TypeAlias = Callable[[Asked], Days | None]


class Rule(NamedTuple):
    """One way to write a date. Relative rules need to know when it was said."""

    pattern: str
    resolve: Resolve
    relative: bool = True


_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_MONTH_KEYS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SURE_MONTH = r"(?:january|february|july|september|october|november|december)\b"
_WEEKDAY = r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b"
_WEEKDAY_KEYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SEASON = r"(?:spring|summer|autumn|fall|winter)\b"
_NUMBER = (
    r"(?:\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen"
    r"|twenty|thirty|(?:a )?couple(?: of)?|(?:a )?few|several)"
)
_NUMBERS = {
    "a": (1, 1), "an": (1, 1), "one": (1, 1), "two": (2, 2), "three": (3, 3), "four": (4, 4),
    "five": (5, 5), "six": (6, 6), "seven": (7, 7), "eight": (8, 8), "nine": (9, 9),
    "ten": (10, 10), "eleven": (11, 11), "twelve": (12, 12), "fifteen": (15, 15),
    "twenty": (20, 20), "thirty": (30, 30), "couple": (2, 2), "couple of": (2, 2), "few": (2, 5),
    "several": (3, 7),
}  # fmt: skip
_UNIT = r"(?:day|week|weekend|month|year|decade)"
_YEAR = r"(?:19|20)\d\d"
_TAIL = rf"(?:,? (?P<y>{_YEAR})\b)?"
_NOT_A_DAY = r"(?!\s?(?:[%$€£]|(?:people|dollars|euros|pounds|km|miles|times)\b))"
_DAY_MONTH = rf"(?:the )?(?P<d>\d{{1,2}})(?P<th>st|nd|rd|th)?(?: of)? (?P<m>{_MONTH}){_TAIL}"
_MONTH_DAY = (
    rf"(?P<m>{_MONTH}) (?:the )?(?P<d>\d{{1,2}})(?P<th>st|nd|rd|th)?\b(?!:){_NOT_A_DAY}{_TAIL}"
)


def unnamed(pattern: str) -> str:
    """The pattern without names of groups, to be part of a larger one."""
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)


def _month_number(name: str) -> int:
    return _MONTH_KEYS.index(name[:3]) + 1


def _amount(words: str) -> tuple[int, int]:
    """Least and greatest number that the words can mean."""
    if words.isdigit():
        return int(words), int(words)
    return _NUMBERS[words if words in _NUMBERS else words.removeprefix("a ")]


def _iso(asked: Asked) -> Days | None:
    year, month, of_month = (int(asked.found[key]) for key in "ymd")
    return day(date(year, month, of_month))


def _dotted(asked: Asked) -> Days | None:
    of_month, month, year = map(int, asked.found.groups())
    return day(date(year, month, of_month))


def _slashed(asked: Asked) -> Days | None:
    first, second, year = map(int, asked.found.groups())
    if first != second and max(first, second) <= 12:
        return None  # 05/07 is May in one country and July in another
    return day(date(year, min(first, second), max(first, second)))


def _han(asked: Asked) -> Days | None:
    year, month, of_month = asked.found.groups()
    if month is None:
        return years(int(year))
    if of_month is None:
        return months(int(year), date(int(year), int(month), 1).month)
    return day(date(int(year), int(month), int(of_month)))


def _of_month(asked: Asked) -> Days | None:
    """A day and a month, with or without a year."""
    found = asked.found
    month, number = _month_number(found["m"]), int(found["d"])
    if found["y"]:
        return day(date(int(found["y"]), month, number))
    # "I may 2 ..." and "march 5 miles" are verbs
    verb = asked.text[found.start("m")].islower() and found["m"] in {"may", "march", "mar"}
    if asked.today is None or (verb and not found["th"] and not _after_preposition(found)):
        return None
    return day(_nearest(asked, lambda year: date(year, month, number)))


def _after_preposition(found: re.Match[str]) -> bool:
    before = found.string[max(0, found.start() - 8) : found.start()]
    return before.endswith(("on ", "by ", "until ", "since ", "before ", "after ", "from "))


def _nearest(asked: Asked, of_year: Callable[[int], date]) -> date:
    """The first such day from today on, or the last up to today, within eight years."""
    step = 1 if asked.coming() else -1
    for year in range(asked.said.year - step, asked.said.year + 9 * step, step):
        try:
            found = of_year(year)
        except ValueError:  # 29 February of a common year
            continue
        if (found - asked.said).days * step >= 0:
            return found
    raise ValueError("no such day")


def _of_year(asked: Asked) -> Days | None:
    return months(int(asked.found["y"]), _month_number(asked.found["m"]))


def _bare_month(asked: Asked) -> Days | None:
    month, today = _month_number(asked.found["m"]), asked.said
    ahead = (month - today.month) % 12
    return months(today.year, today.month + (ahead if asked.coming() or not ahead else ahead - 12))


def _bare_year(asked: Asked) -> Days | None:
    return years(int(asked.found["span"]))


def _decade(asked: Asked) -> Days | None:
    return years(int(asked.found["span"][:4]), 10)


def _season_year(asked: Asked) -> Days | None:
    return months(int(asked.found["y"]), SEASONS[asked.found["s"]], 3)


def _season(name: str, today: date, ahead: int) -> Days:
    """The season of this year (0), the last one over before today (-1), or the next to begin."""
    month = SEASONS[name]
    around = [months(year, month, 3) for year in range(today.year - 2, today.year + 3)]
    if ahead < 0:
        return next(found for found in reversed(around) if found[1] <= today)
    if ahead > 0:
        return next(found for found in around if found[0] > today)
    return around[2]


def _bare_season(asked: Asked) -> Days | None:
    name, today = asked.found["s"], asked.said
    found = _season(name, today, 0)
    if asked.coming():
        return found if found[1] > today else _season(name, today, 1)
    return found if found[0] <= today else _season(name, today, -1)


_WORDS = {
    "day before yesterday": -2, "yesterday": -1, "last night": -1, "today": 0, "tonight": 0,
    "tomorrow": 1, "day after tomorrow": 2,
}  # fmt: skip


def _day_word(asked: Asked) -> Days | None:
    words = asked.found["word"]
    return day(asked.said + timedelta(days=_WORDS.get(words, 0)))


def _other_day(asked: Asked) -> Days | None:
    return asked.said - timedelta(days=7), asked.said


def _ago(asked: Asked) -> Days | None:
    few, many = _amount(asked.found["n"])
    name = asked.found["unit"]
    if name in {"second", "minute", "hour", "night"}:
        return day(asked.said - timedelta(days=few if name == "night" else 0))
    return about(name, asked.said, -many)[0], about(name, asked.said, -few)[1]


def _ahead(asked: Asked) -> Days | None:
    if not asked.found["now"] and not asked.coming():
        return None  # "learned it in two weeks" is how long it took
    few, many = _amount(asked.found["n"])
    name = asked.found["unit"]
    return about(name, asked.said, few)[0], about(name, asked.said, many)[1]


def _stretch(asked: Asked) -> Days | None:
    """The past three weeks, the next few days: up to or from today."""
    many = _amount(asked.found["n"] or "one")[1]
    name, today = asked.found["unit"], asked.said
    if name == "weekend":
        return None
    days = {"day": 1, "week": 7, "month": 30, "year": 365, "decade": 3652}[name] * many
    if asked.found["which"] in {"last", "past"}:
        return today - timedelta(days=days), today + timedelta(days=1)
    return today, today + timedelta(days=days + 1)


def _beyond(asked: Asked) -> Days | None:
    """The week before last, the month after next, the Friday before last."""
    ahead = -2 if asked.found["which"].startswith("before") else 2
    name = asked.found["unit"]
    if name[:3] in _WEEKDAY_KEYS:
        step = ahead // 2
        first = weekday(_WEEKDAY_KEYS.index(name[:3]), asked.said, step)[0]
        return day(first + timedelta(days=7 * step))
    if name == "weekend" and ahead < 0 and asked.said.weekday() == 6:
        return weekend(asked.said, -2)
    return unit(name, asked.said, ahead)


_WHICH = {"last": -1, "past": -1, "previous": -1, "next": 1, "coming": 1, "upcoming": 1}


def _which(asked: Asked) -> Days | None:
    """Last, this or next week, weekend, month, year, weekday, named month or season."""
    ahead = _WHICH.get(asked.found["which"].split()[-1], 0)
    name, today = asked.found["unit"].rstrip("."), asked.said
    if name in {"day", "week", "month", "year", "decade"}:
        return unit(name, today, ahead)
    if name == "weekend":
        if not ahead:
            ahead = -1 if today.weekday() < 5 and not asked.coming() else 0
        elif asked.found["which"] in {"coming", "this coming", "upcoming"}:
            ahead = 0
        return weekend(today, ahead)
    if name in SEASONS:
        return _season(name, today, ahead)
    if name[:3] in _WEEKDAY_KEYS and name.endswith("day"):
        return weekday(_WEEKDAY_KEYS.index(name[:3]), today, ahead)
    return _which_month(_month_number(name), today, ahead)


def _which_month(month: int, today: date, ahead: int) -> Days:
    distance = month - today.month
    if ahead < 0 and distance >= 0:
        distance -= 12
    if ahead > 0 and distance <= 0:
        distance += 12
    return months(today.year, today.month + distance)


def _bare_weekday(asked: Asked) -> Days | None:
    index = _WEEKDAY_KEYS.index(asked.found["w"][:3])
    return weekday(index, asked.said, 1 if asked.coming() else -1)


def _bare_weekend(asked: Asked) -> Days | None:
    today = asked.said
    return weekend(today, 0 if asked.coming() or today.weekday() >= 5 else -1)


def _anchored(asked: Asked) -> Days | None:
    """The week before 9 June, two days after May 7th, the Friday before 15 July."""
    inner = _DAY_RULE.match(asked.found["anchor"])
    assert inner, "the pattern of the row holds the same rules"
    assert inner.lastgroup, "every branch has a name"
    rule = _DAYS[inner.lastgroup]
    found = re.compile(rule.pattern).match(asked.found["anchor"])
    assert found, "as above"
    days = rule.resolve(Asked(found, asked.found["anchor"], asked.today, asked.coming))
    if days is None:
        return None
    anchor, name = days[0], asked.found["unit"]
    sign = {"of": 0, "after": 1, "following": 1}.get(asked.found["side"], -1)
    few, many = _amount(asked.found["n"] or "one")
    if name[:3] in _WEEKDAY_KEYS:
        return weekday(_WEEKDAY_KEYS.index(name[:3]), anchor, sign or 0)
    if name == "weekend":
        return weekend(anchor, -1 if sign < 0 else 1 if sign > 0 and anchor.weekday() >= 5 else 0)
    if not sign:
        return unit(name, anchor)
    if name == "week" and not asked.found["n"]:
        return day(anchor - timedelta(days=7), 7) if sign < 0 else day(anchor + timedelta(1), 7)
    low, high = sorted((sign * few, sign * many))
    return about(name, anchor, low)[0], about(name, anchor, high)[1]


_DAYS = {
    "iso": Rule(r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)(?!\d)", _iso, relative=False),
    "day_month": Rule(_DAY_MONTH, _of_month, relative=False),
    "month_day": Rule(_MONTH_DAY, _of_month, relative=False),
}
_ANCHOR = "|".join(unnamed(rule.pattern) for rule in _DAYS.values())
_DAY_RULE = re.compile(
    "|".join(f"(?P<{name}>{unnamed(rule.pattern)})" for name, rule in _DAYS.items())
)
_SURE_CUE = (
    r"(?:in|between|since|until|till|during|throughout|early|late|mid|(?:end|start|beginning) of)"
)
_YEAR_CUE = (
    r"(?:in|since|of|during|by|from|to|until|till|before|after|around|year|early|late|mid|circa)"
)

RULES = {
    "anchored": Rule(
        rf"(?:(?:the|last) )?(?:(?P<n>{_NUMBER}) )?(?P<unit>{_UNIT}|{_WEEKDAY})s? "
        rf"(?P<side>before|after|of|following|prior to) (?P<anchor>{_ANCHOR})",
        _anchored,
        relative=False,
    ),
    **_DAYS,
    "dotted": Rule(r"(\d{1,2})\.(\d{1,2})\.(\d{4})\b", _dotted, relative=False),
    "slashed": Rule(r"(\d{1,2})/(\d{1,2})/(\d{4})\b", _slashed, relative=False),
    "year_first": Rule(r"(?P<y>\d{4})[/.](?P<m>\d{1,2})[/.](?P<d>\d{1,2})\b", _iso, relative=False),
    "han": Rule(r"(\d{4})年(?:(\d{1,2})月(?:(\d{1,2})日)?)?", _han, relative=False),
    "of_year": Rule(rf"(?P<m>{_MONTH}),?(?: of)? (?P<y>{_YEAR})\b", _of_year, relative=False),
    "season_year": Rule(
        rf"(?P<s>{_SEASON})(?: of)? (?P<y>{_YEAR})\b", _season_year, relative=False
    ),
    "decade": Rule(r"(?P<span>(?:19|20)\d0s)\b", _decade, relative=False),
    "ago": Rule(rf"(?P<n>{_NUMBER}) (?P<unit>second|minute|hour|night|{_UNIT})s? ago\b", _ago),
    "beyond": Rule(
        rf"the (?P<unit>week|weekend|month|year|{_WEEKDAY}) "
        r"(?P<which>before last|after next)\b",
        _beyond,
    ),
    "day_word": Rule(
        r"(?:the )?(?P<word>day before yesterday|day after tomorrow|yesterday|today|tonight"
        r"|tomorrow|last night|this (?:morning|afternoon|evening))\b",
        _day_word,
    ),
    "other_day": Rule(r"the other day\b", _other_day),
    "stretch": Rule(
        rf"the (?P<which>last|past|next|coming) (?:(?P<n>{_NUMBER}) )?"
        rf"(?P<unit>{_UNIT})s?\b(?! of\b)",
        _stretch,
    ),
    "which": Rule(
        r"(?:the )?(?P<which>last|this past|past|previous|this coming|this|next|coming|upcoming) "
        rf"(?P<unit>week|weekend|month|year|decade|{_WEEKDAY}|{_SEASON}|{_SURE_MONTH}"
        rf"|(?:march|april|june|august)\b|(?<!this )may\b)\b(?! of\b)",
        _which,
    ),
    "ahead": Rule(
        rf"(?P<n>(?<=\bin ){_NUMBER}|{_NUMBER}(?= \w+ from (?:now|today)\b)) "
        rf"(?P<unit>{_UNIT})s?\b(?P<now> from (?:now|today))?",
        _ahead,
    ),
    "year": Rule(
        rf"{_YEAR_CUE}[ -](?:the )?(?P<span>{_YEAR})\b(?![-/.]\d){_NOT_A_DAY}",
        _bare_year,
        relative=False,
    ),
    "month": Rule(rf"{_SURE_CUE}[ -](?P<span>(?P<m>{_MONTH}))(?! \d)", _bare_month),
    "sure_month": Rule(rf"(?P<m>{_SURE_MONTH})", _bare_month),
    "weekend": Rule(r"(?:on |over |at |during )?the weekend\b(?! of\b)", _bare_weekend),
    "season": Rule(rf"(?:in|during|over|this) (?:the )?(?P<s>{_SEASON})", _bare_season),
    "weekday": Rule(
        rf"(?:on )?(?<!every )(?<!each )(?<!black )(?<!good )(?P<w>{_WEEKDAY})"
        r"(?! (?:mornings|afternoons|evenings|nights)\b)",
        _bare_weekday,
    ),
}
"""In the order in which they are tried at one place: the longer reading first."""
