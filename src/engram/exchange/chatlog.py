"""Chat logs as text: WhatsApp, Signal, IRC, transcripts; lines such as ``[stamp] Name: text``.

The first lines of a file decide which of three styles it is: with dates, with clock times only, or
with neither. Local times, which is what these logs hold, are read as UTC.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias

from engram.errors import InvalidInput
from engram.exchange.files import Opening, Part, each_part, glimpse
from engram.exchange.roles import Found, Incoming, Problem
from engram.exchange.stamps import CLOCK, DATE, ZONE, Order, clock, order_of, written
from engram.exchange.values import by_day, known_role, message, moment
from engram.plaintext.roles import Message

Style: TypeAlias = Literal["dated", "clocked", "bare"]

_FILES = re.compile(r"\.(?:txt|log)$", re.IGNORECASE)
_SUFFIXES = frozenset({".txt", ".log", ""})
_NOTES = frozenset({".md", ".markdown"})
_LOOK = 40  # lines that decide the style
_MARKS = "\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"  # of direction; WhatsApp puts them about
_NOTICE = r"-!-|\*\*\*|-->|<--|--\s"
_NAMED = re.compile(
    rf"(?!{_NOTICE})(?:<(?P<nick>[^<>]{{1,80}})>\s?|\*\s(?P<actor>\S{{1,40}})\s"
    r"|(?P<tabbed>\S{1,40})\t|(?P<name>[^\t:]{1,80}):(?:\s|$))(?P<text>.*)"
)
_LINES: dict[Style, re.Pattern[str]] = {
    "dated": re.compile(
        rf"[{_MARKS}\s]*\[?{DATE}(?:,?\s+(?:(?:klo|um|at|à)\s+)?|T){CLOCK}{ZONE}\]?"
        r"(?:\s+[-–—]\s+|:?\s+)(?P<rest>.*)"
    ),
    "clocked": re.compile(rf"\[?{CLOCK}(?:\]\s+|\s+(?=[<*-]))(?P<rest>.*)"),
    # Possessive: a long line without a colon would else be cut into words in every way.
    "bare": re.compile(r"(?P<rest>(?=[^\W\d_])(?:[\w.'-]++ ?+){1,4}:\s.*)"),
}
_DAY_IN_NAME = re.compile(r"(?<!\d)(\d{4})-?(\d\d)-?(\d\d)(?!\d)")
_DAY_BEGINS = re.compile(
    r"--- (?:Log opened|Day changed) \w{3} (?P<day>\w{3} \d\d) (?:[\d:]+ )?(?P<year>\d{4})"
)
_OMITTED = re.compile(r"<Media omitted>|\(file attached\)", re.IGNORECASE)
_EDITED = re.compile(r"\s?\u200e<[^<>]{1,60}>$")


@dataclass(slots=True)
class _Turn:
    """A message as its lines come in; without ``name`` it is a notice of the app."""

    line: int
    stamp: dict[str, str | None]
    name: str | None
    lines: list[str] = field(default_factory=list)
    day: datetime | None = None


@dataclass(frozen=True, slots=True)
class Chatlog:
    """Each day of a chat is one conversation; who speaks is a name, and everybody is a user.

    Attributes:
        dates: order of day, month and year; None finds it out from the log, and says in the
            metadata where it had to guess.
    """

    name: ClassVar[str] = "chatlog"
    opening: Opening = Opening()
    dates: Order | None = None

    def sniff(self, path: Path, head: bytes) -> bool:
        """Lines with dates, or names at the beginning of at least two lines; notes are no logs."""
        lines = glimpse(head).splitlines()[:_LOOK]
        style = _style(lines)
        suffixes = {Path(name).suffix.lower() for name in self.opening.names(path)}
        if style == "bare":
            # Settings, headers and code look like names too, so all of it must be called text.
            names = sum(_LINES[style].match(line) is not None for line in lines)
            return names > 1 and suffixes <= _SUFFIXES
        return style is not None and suffixes.isdisjoint(_NOTES)

    def read(self, path: Path) -> Iterator[Found]:
        """Yield the days of every log; a line is held at a time, and each log is read twice."""
        yield from each_part(self.opening.parts(path, _FILES), self._log)

    def _log(self, part: Part) -> Iterator[Found]:
        style = _style([line for _, line in islice(self.opening.lines(part), _LOOK)])
        if style is None:
            raise InvalidInput(
                f"a chat log must have lines such as '[2024-05-08 13:56] Ada: Hi' or 'Ada: Hi', "
                f"{str(part)!r} has none at its top; name the right format"
            )
        order, guessed = self._order(part, style)
        chat = part.path.stem if part.stem in ("_chat", "chat") else part.stem
        notes = {
            "imported_from": self.name,
            "chat": chat,
            "date_order": f"{order}, guessed" if guessed else None,
        }
        draft = Incoming((), run=f"{self.name} {chat}", source=str(part))
        return by_day(draft, _messages(_turns(self.opening, part, style), order, notes, part))

    def _order(self, part: Part, style: Style) -> tuple[Order, bool]:
        if self.dates is not None or style != "dated":
            return self.dates or "ymd", False
        found = (_LINES[style].match(line) for _, line in self.opening.lines(part))
        return order_of(stamp.groupdict() for stamp in found if stamp)


def _style(lines: list[str]) -> Style | None:
    """The style with most to say among those that these lines match."""
    matching = (
        style
        for style, pattern in _LINES.items()
        for line in lines
        if (found := pattern.match(line)) and _NAMED.match(found["rest"])
    )
    return next(matching, None)


def _turns(opening: Opening, part: Part, style: Style) -> Iterator[_Turn]:
    """Each stamped line with the lines below it that have no stamp."""
    turn: _Turn | None = None
    day = _day_in(part)
    for number, line in opening.lines(part):
        if begins := _DAY_BEGINS.match(line):
            day = _day_begun(begins)
            continue
        found = _LINES[style].match(line)
        if found is None:
            if turn is not None:
                turn.lines.append(line)
            continue
        if turn is not None:
            yield turn
        turn = _turn(number, found, day)
    if turn is not None:
        yield turn


def _turn(number: int, found: re.Match[str], day: datetime | None) -> _Turn:
    stamp: dict[str, str | None] = found.groupdict()
    rest = _NAMED.match(stamp.pop("rest") or "")
    if rest is None:
        return _Turn(number, stamp, None, day=day)
    name = rest["nick"] or rest["actor"] or rest["tabbed"] or rest["name"] or ""
    return _Turn(number, stamp, _bare(name), [rest["text"]], day)


def _bare(name: str) -> str:
    """Without marks of direction, and without the rank that IRC puts before a nick."""
    return re.sub(rf"[{_MARKS}]", "", name).strip().lstrip("@+%&~ ")


def _messages(
    turns: Iterator[_Turn], order: Order, notes: dict[str, Any], part: Part
) -> Iterator[Message | Problem]:
    for turn in turns:
        text = _text(turn)
        if turn.name is None or text is None:
            continue
        role = known_role(turn.name)
        try:
            yield from message(
                text,
                role or "user",
                name=None if role else turn.name,
                at=_at(turn, order),
                metadata={**notes, "line": turn.line},
            )
        except InvalidInput as fault:
            yield Problem(f"{part}, line {turn.line}", str(fault))


def _text(turn: _Turn) -> str | None:
    """What was said, or None for what WhatsApp wrote itself: that begins with a mark."""
    text = "\n".join(turn.lines).strip()
    if text.startswith("\u200e") or _OMITTED.fullmatch(text):
        return None
    return _EDITED.sub("", text)


def _at(turn: _Turn, order: Order) -> float | None:
    if "a" in turn.stamp:
        return moment(written(turn.stamp, order))
    if "hour" in turn.stamp and turn.day is not None:
        return moment(turn.day.timestamp() + clock(turn.stamp).total_seconds())
    return None


def _day_in(part: Part) -> datetime | None:
    """IRC clients write one file a day, and its name says which."""
    found = _DAY_IN_NAME.search(part.stem)
    return _day(f"{found[1]} {found[2]} {found[3]}", "%Y %m %d") if found else None


def _day_begun(found: re.Match[str]) -> datetime | None:
    return _day(f"{found['day']} {found['year']}", "%b %d %Y")


def _day(text: str, pattern: str) -> datetime | None:
    try:
        return datetime.strptime(text, pattern).replace(tzinfo=UTC)
    except ValueError:
        return None
