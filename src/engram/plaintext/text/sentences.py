"""Where one sentence ends and the next begins.

One pass over the places where a sentence may end, so the time is linear whatever the text.
"""

import re
from typing import NamedTuple

_CLOSERS = "\"'”’»)\\]』」）】"
_EMOJI = "\u2600-\u27bf\U0001f000-\U0001faff"
_ENDING = re.compile(
    rf"(?P<full>[。！？｡]+[{_CLOSERS}]*)"
    rf"|(?P<mark>[.!?…‽؟۔।]+(?P<close>[{_CLOSERS}]*))"
    r"|(?P<line>\n\s*)"
    rf"|(?P<emoji>[{_EMOJI}][{_EMOJI}\ufe0f\u200d]*)"
)
_TRAILING = re.compile(rf"[^\S\n]*[{_EMOJI}\ufe0f\u200d]+")
_REACH = 24  # characters; no abbreviation is longer

_NEVER_LAST_WORDS = """
mr mrs ms mx dr prof st sr fr rev hon gen col sgt capt lt gov sen rep pres e.g i.e cf vs viz
approx fig figs eq no nos vol pp ed eds mt ft jan feb mar apr jun jul aug sep sept oct nov dec mon
tue tues wed thu thur thurs fri sat sun
"""
_NEVER_LAST = frozenset(_NEVER_LAST_WORDS.split())
_SELDOM_LAST_WORDS = "etc a.m p.m am pm inc ltd co corp jr u.s u.k u.n d.c ph.d b.a m.a"
_SELDOM_LAST = frozenset(_SELDOM_LAST_WORDS.split())
_ALSO_WORDS = frozenset(
    ("no", "mar", "sat", "sun", "am", "pm", "ed", "co", "fig", "mon", "mt", "ft")
)
"""These are whole words too: short for something only before a number or in capitals."""


class Span(NamedTuple):
    """Characters ``start`` to ``end`` of a text, half open."""

    start: int
    end: int


def _shortened(text: str, dot: int, following: str) -> bool:
    """Whether the single full stop at ``dot`` ends an abbreviation or a list number."""
    if not text[max(0, dot - 1) : dot].isalnum():
        return False
    word = text[max(0, dot - _REACH) : dot].split()[-1].lstrip("([\"'“‘")
    if word.isdigit() and len(word) <= 3:
        return text[max(0, dot - len(word) - 1) : dot - len(word)] in {"", "\n"}
    if len(word) == 1 and word.isupper():
        return word != "I"
    plain = word.lower()
    if plain in _SELDOM_LAST:
        return not following.isupper() and plain not in _ALSO_WORDS
    if plain not in _NEVER_LAST:
        return False
    return plain not in _ALSO_WORDS or following.isdigit()


def _next_char(text: str, at: int) -> str:
    while at < len(text) and text[at] in " \t\"'“‘(":
        at += 1
    return text[at : at + 1]


def _ends(text: str, found: re.Match[str]) -> bool:
    """Whether the sentence ends at this mark."""
    end = found.end()
    if found["full"]:
        return True
    if end < len(text) and not text[end].isspace() and not found["line"]:
        return bool(found["mark"]) and bool(_TRAILING.match(text, end))
    following = _next_char(text, end)
    if found["line"]:
        return found.group().count("\n") > 1 or not following.islower()
    if found["emoji"]:
        return following.isupper()
    if found["close"] or found.group() in {"...", "…", ".."}:
        return not following.islower()
    return found.group() != "." or not _shortened(text, found.start(), following)


def sentences(text: str) -> list[Span]:
    """The sentences of a text, in order, without surrounding white space.

    Together they cover every character that is not white space. A line break ends a sentence
    unless the next line goes on in lower case; emoji stay with the sentence that they follow.
    """
    spans: list[Span] = []
    start = 0
    plain = text.isascii()  # then no emoji can follow
    for found in _ENDING.finditer(text):
        if found.start() < start or not _ends(text, found):
            continue
        end = found.end()
        if not plain and not found["line"] and (more := _TRAILING.match(text, end)):
            end = more.end()
        _keep(spans, text, start, end)
        start = end
    _keep(spans, text, start, len(text))
    return spans


def _keep(spans: list[Span], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    body = piece.strip()
    if body:
        begin = start + len(piece) - len(piece.lstrip())
        spans.append(Span(begin, begin + len(body)))
