"""Where a text gives a secret away: a password, a key, a token, a code or the number of a card.

Some secrets are known by their shape, some by the words before or after them, some only by looking
like nothing that a person would say. In doubt it is a secret: whoever owns it can have it revealed.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple


class Secret(NamedTuple):
    """Characters ``start`` to ``end`` of a text; what it is, and how much harm it can do.

    ``sensitivity`` is ``low``, ``medium`` or ``high``.
    """

    start: int
    end: int
    entry_type: str
    sensitivity: str


_SHAPES = (
    ("private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*KEY-----|\Z)"),
    (
        "token",
        r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|\b(?:gh[opsru]_|github_pat_|glpat-|hf_|xox[abeprs]-)"
        r"[\w-]{10,}|(?<=\bBearer )[\w.~+/=-]{8,}",
    ),
    (
        "key",
        r"\b(?:sk|pk|rk)[-_](?:[a-z]+[-_])*[A-Za-z0-9_-]{12,}|\bAKIA[0-9A-Z]{12,}"
        r"|\bAIza[\w-]{30,}|\bAGE-SECRET-KEY-1[0-9A-Z]{20,}",
    ),
    ("password", r"(?<=://)[^\s/:@]+:(?P<value>[^\s/@]+)(?=@)"),
)
_BY_SHAPE = tuple((kind, re.compile(pattern)) for kind, pattern in _SHAPES)
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])")

_CUES = (
    ("phrase", r"(?:seed|recovery|mnemonic|backup|pass) ?phrase"),
    ("card", r"cvv2?|cvc|security code"),
    (
        "code",
        r"(?:[\w-]+ )?(?:access|door|alarm|gate|entry|lock|unlock|safe|locker|garage|recovery"
        r"|backup|one[- ]time|verification|2fa|two[- ]factor|voicemail|sim|puk|bike)"
        r" (?:code|pin|combination|combo)s?|pin(?: code| number)?|passcode|otp|combination",
    ),
    (
        "key",
        r"(?:api|access|secret|private|licen[cs]e|product|encryption|signing|ssh|wi-?fi|network"
        r"|master|storage|account)[ _-]?keys?|secret[_ ]access[_ ]key",
    ),
    (
        "token",
        r"(?:(?:api|access|auth|bearer|refresh|session|deploy|bot|personal access)[ _-]?)?tokens?"
        r"|client[ _-]secret|(?:webhook|shared) secret",
    ),
    (
        "password",
        r"pass ?words?|passwd|pwd|pass(?= ?[:=])|log ?in credentials|credentials|wi-?fi pass"
        r"|security answer|social security number|ssn",
    ),
)
_CUE = re.compile(
    r"(?<![A-Za-z])(?:"
    + "|".join(f"(?P<{kind}>{words})" for kind, words in _CUES)
    + r")(?![A-Za-z]|[ -](?:manager|polic|reset|field|prompt|generator|hash|rotation|holder"
    r"|limit))",
    re.IGNORECASE,
)
_SEALED = re.compile(r"\[sealed [^\]\n]*\]")
_NEXT = re.compile(r"(?:\s*[,/]|\s+(?:and|or|then))\s+(?P<value>(?P<quoted>(?!))|[^\s,;]+)")
_SAID = re.compile(
    r"(?P<about>(?:[ ,]+(?!is\b|are\b|was\b)[\w'’.@/-]+){0,8}?)"
    r"(?P<link>\s*[:=]+>?\s*|\s*(?:->|→)\s*|,?\s+(?:is|are|was|will be|has been|got|now)"
    r"(?: now| still| currently| just)?(?: (?:changed|set|reset|updated) to| going to be)?:?\s+"
    r"|\s+(?:to|as)\s+|,?\s+|\s+\(\s*)"
    r"(?P<value>[\"'“‘`](?P<quoted>[^\"'”’`\n]{3,80})[\"'”’`]|[^\s,;]+)",
)
_BEFORE = re.compile(
    r"(?P<value>[\"'“‘`](?P<quoted>[^\"'”’`\n]{3,80})[\"'”’`]|[^\s,;\"'“‘`]+)[\"'”’`]?,?\s+"
    r"(?:(?:is|was|will be|opens|unlocks|gets you into|as)\s+(?:(?:my|the|our|your|a|his|her"
    r"|their|its|new|old|current)\s+){0,3}(?:[\w'’-]+\s+){0,3}?)\Z",
)
_WORDS = re.compile(r"[a-z]+(?:[ ]+[a-z]+){2,23}")
_LINK = re.compile(r"[^.:=\n]{0,40}?(?::|=|\bis)\s+")
_COLON = re.compile(r"\s*[:=]\s*")
_PLAIN = re.compile(r"[A-Za-z][a-z]*(?:[-'’][A-Za-z]?[a-z]+)*")
_ABOUT = frozenset(
    """weak strong wrong right safe secret expired same too not no good bad correct incorrect easy
    hard long short different old new important required empty missing broken working invalid valid
    there here gone lost stolen leaked compromised stored saved kept hidden written changed reset
    known unknown fine okay ok unique case-sensitive temporary permanent protected public private
    something nothing anything everything what where why when your my his her their the that this
    it always never still now also just only already about due pending annoying complicated hashed
    encrypted rejected accepted limited revoked disabled enabled needed ready used unused manager
    managers policy reset rotation field prompt screen limit limits count please yesterday today
    tomorrow and or but for from with without to of on in at by as is was are be""".split()
)
_LOOSE = re.compile(r"(?<![\w/.@:=&?#%+-])[A-Za-z0-9_+/=.~!@#$%^&*-]{16,}(?![\w/])")
_NO_SECRET = re.compile(
    r"(?:https?|ftp|file)://|www\.|[\w.+-]+@[\w-]+\.[\w.]+\Z|[0-9a-f]{8}-[0-9a-f]{4}-"
    r"|[0-9a-f]{16,}\Z|[./~]|[\w-]+(?:[./][\w-]+)+\Z|\[",
    re.IGNORECASE,
)
_SENSITIVITY = {
    "phrase": "high", "card": "high", "code": "medium", "key": "high", "token": "high",
    "password": "high", "private key": "high", "random text": "medium",
}  # fmt: skip
_LEAST_BITS = 3.4  # bits a character; running text has less variety in so few characters
_SHORTEST = 4  # characters; a shorter secret may be part of any word
_TRAIL = ".,;:?)]}"


def secrets(text: str) -> list[Secret]:
    """The secrets of a text, in order, without overlap."""
    text = _SEALED.sub(lambda found: "[" * len(found.group()), text)
    found: list[Secret] = []
    for each in (*_shaped(text), *_cards(text), *_named(text), *_loose(text)):
        if all(each.end <= other.start or other.end <= each.start for other in found):
            found.append(each)
    return sorted((*found, *_again(text, found)))


def _again(text: str, found: list[Secret]) -> Iterator[Secret]:
    """Where a secret that was found stands once more, with nothing around that tells."""
    taken = {at for each in found for at in range(each.start, each.end)}
    for each in found:
        value = text[each.start : each.end]
        at = text.find(value) if len(value) >= _SHORTEST else -1
        while at >= 0:
            span = range(at, at + len(value))
            if taken.isdisjoint(span):
                taken.update(span)
                yield each._replace(start=at, end=at + len(value))
            at = text.find(value, at + len(value))


def _secret(start: int, end: int, entry_type: str) -> Secret:
    return Secret(start, end, entry_type, _SENSITIVITY[entry_type])


def _shaped(text: str) -> Iterator[Secret]:
    for kind, pattern in _BY_SHAPE:
        group = "value" if "value" in pattern.groupindex else 0
        for found in pattern.finditer(text):
            yield _secret(*found.span(group), kind)


def _cards(text: str) -> Iterator[Secret]:
    for found in _CARD.finditer(text):
        digits = [int(sign) for sign in found.group() if sign.isdigit()]
        if _checks(digits) and len(set(digits)) > 1:
            yield _secret(*found.span(), "card")


def _checks(digits: list[int]) -> bool:
    """Whether the last digit is the one that Luhn's rule asks for."""
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _named(text: str) -> Iterator[Secret]:
    """What stands behind or before a word for a secret."""
    for cue in _CUE.finditer(text):
        kind = str(cue.lastgroup)
        if kind in {"phrase", "password"} and (words := _phrase(text, cue.end(), kind)):
            yield _secret(*words, kind)
            continue
        said = _behind(text, cue.end(), kind) or _ahead(text, cue.start())
        while said:
            yield _secret(*said, kind)
            another = _NEXT.match(text, said[1])
            following = _trimmed(text, another) if another else (0, 0)
            said = following if _is_odd(text[slice(*following)]) else None


def _phrase(text: str, at: int, kind: str) -> tuple[int, int] | None:
    """Several words in lower case; of a password only where a colon stands before them."""
    link = (_LINK if kind == "phrase" else _COLON).match(text, at)
    words = _WORDS.match(text, link.end()) if link else None
    return words.span() if words and words.group().count(" ") > 2 else None


def _behind(text: str, at: int, kind: str) -> tuple[int, int] | None:
    """The nearest value behind a cue; words about the secret may stand between."""
    line_end = text.find("\n", at)
    end = len(text) if line_end < 0 else line_end
    start = at
    for _ in range(9):
        said = _SAID.match(text, start, end)
        if said is None or re.search(r"[.!?]\s", text[at : said.start("value")]):
            return None
        span = _trimmed(text, said)
        firm = bool(re.search(r"[:=>→]|\b(?:is|are|was|be|to|as)\b", said["link"]))
        if _is_value(text, span, kind, firm=firm, quoted=said["quoted"] is not None):
            return span
        start = said.end("value")
    return None


def _ahead(text: str, at: int) -> tuple[int, int] | None:
    """The value in "hunter2 is my password"."""
    said = _BEFORE.search(text[max(0, at - 120) : at])
    if said is None:
        return None
    span = _trimmed(text, said, max(0, at - 120))
    quoted = said["quoted"] is not None
    return span if quoted or _is_odd(text[slice(*span)]) else None


def _trimmed(text: str, said: re.Match[str], offset: int = 0) -> tuple[int, int]:
    start, end = said.span("quoted" if said["quoted"] is not None else "value")
    start, end = start + offset, end + offset
    while said["quoted"] is None and end > start and text[end - 1] in _TRAIL:
        end -= 1
    return start, end


def _is_value(text: str, span: tuple[int, int], kind: str, *, firm: bool, quoted: bool) -> bool:
    value = text[slice(*span)]
    if len(value) < 3 or value.startswith("[") or value.lower() in _ABOUT:
        return False
    if quoted or kind in {"code", "card"}:
        return quoted or (any(sign.isdigit() for sign in value) and not _is_clock(value))
    if _is_odd(value):
        return True
    rest = text[span[1] :].lstrip(_TRAIL + "\"'”’`")
    last = not rest.strip() or text[span[1] : span[1] + 1] in {".", "!", ";", ",", "\n"}
    return firm and last and len(value) > 4 and not value.lower().endswith(("ed", "ing", "ly"))


def _is_odd(value: str) -> bool:
    """Whether it looks like no word: digits, signs or capitals in its midst."""
    if len(value) < 4 or _PLAIN.fullmatch(value) or _is_clock(value) or value[:1] in "([{<":
        return False
    if re.fullmatch(r"\d{1,3}(?:[.,%]\d*)?%?|(?:19|20)\d\d|[A-Z]{2,6}s?|\d+(?:st|nd|rd|th)", value):
        return False
    return not _NO_SECRET.match(value)


def _is_clock(value: str) -> bool:
    return bool(re.fullmatch(r"\d{1,2}[:.]\d\d(?:am|pm)?|\d{1,2}(?:am|pm|st|nd|rd|th)", value))


def _loose(text: str) -> Iterator[Secret]:
    """What no person would say: long, of all sorts of signs, and of great variety."""
    for found in _LOOSE.finditer(text):
        value = found.group().rstrip(_TRAIL)
        sorts = (str.islower, str.isupper, str.isdigit)
        mixed = all(any(is_sort(sign) for sign in value) for is_sort in sorts)
        if mixed and len(value) >= 16 and not _NO_SECRET.match(value) and _bits(value):
            yield _secret(found.start(), found.start() + len(value), "random text")


def _bits(value: str) -> bool:
    counts = Counter(value).values()
    entropy = -sum(n / len(value) * math.log2(n / len(value)) for n in counts)
    return entropy >= _LEAST_BITS and not re.search(r"[A-Z]?[a-z]{6,}", value)
