"""What a text states about its speaker and about others, by the table of relations.

A pattern alone would read "if I lived in Oslo" as a home. So a match must stand at the start of a
clause, and its sentence must not ask, suppose, deny, quote or joke. A doubt means no statement.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from engram.plaintext.text.dates import Dated, find_dates
from engram.plaintext.text.gazetteer import PLACES
from engram.plaintext.text.names import NOT_NAMES
from engram.plaintext.text.relations import RELATIONS, Relation, attribute, statement_pattern
from engram.plaintext.text.sentences import Span, sentences


class Statement(NamedTuple):
    """One statement, at characters ``start`` to ``end`` of a text.

    Attributes:
        relation: the row that it fits.
        name: of the relation, completed: "favourite:colour".
        subject: "" for the speaker, "my sister" for theirs, else a name as written.
        tail: as written, without article.
        what: what completes the name, as written; else "".
        since: when it began, seconds since 1970 UTC, where the sentence says so.
    """

    relation: Relation
    name: str
    subject: str
    tail: str
    what: str
    start: int
    end: int
    since: float | None = None


class _Row(NamedTuple):
    relation: Relation
    pattern: re.Pattern[str]
    planned: bool


def _rows() -> dict[str, list[_Row]]:
    """The patterns to try for each cue."""
    table: dict[str, list[_Row]] = {}
    for relation in RELATIONS:
        rows = [_Row(relation, statement_pattern(says), False) for says in relation.says]
        rows += [_Row(relation, statement_pattern(plan), True) for plan in relation.plans]
        for cue in (*relation.cues.split(), *_PLAN_CUES * bool(relation.plans)):
            table.setdefault(cue, []).extend(rows)
    return table


_PLAN_CUES = ("moving", "move", "relocating", "relocate", "starting", "joining")
_TABLE = _rows()
_TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_NOT_SAID = re.compile(
    r"\b(?:if|whether|wish|would|could|might|maybe|perhaps|probably|imagine|pretend\w*|suppos\w+"
    r"|hop(?:e|ing)|dream\w*|thinking|consider\w*|unless|until|when|whenever|once|used to|never|not"
    r"|no longer|almost|nearly|says?|said|told|tells|thinks?|claims?|claimed|heard|according|wants?"
    r"|should|let's|guess|bet|assume\w*|rumou?r|apparently|asked|why|how|who|what|where|story"
    r"|character|novel)\b|n['’]t\b|['’]d\b",
    re.IGNORECASE,
)
_TAKEN_BACK = re.compile(
    r"\b(?:any ?more|no longer|not really|in my dreams|in the game|in minecraft|as a (?:kid|child)"
    r"|back then|at the time|when (?:i|we|he|she) (?:was|were)|then|moved|came back|returned"
    r"|but now|until|temporarily|for (?:a|the|two|three|a few) (?:day|week|weekend|month|bit|while"
    r"|few)\w*"
    r"|would|in a past life|or maybe|or was it|or at least|(?:i|we) was)\b",
    re.IGNORECASE,
)
_JOKES = r"(?:just kidding|kidding|jk|j/k|not really|joking|i wish|gotcha|psych|april fools)\b"
_JOKE = re.compile(rf"\b{_JOKES}", re.IGNORECASE)
_THEN_JOKE = re.compile(rf"\W*(?:(?:haha\w*|ha|lol|nah|no|i'm|ok)\W+)*{_JOKES}", re.IGNORECASE)
_OPENERS_WORDS = """
and but so because since now as well yes yeah oh ok okay then also actually currently today
recently finally hey hi anyway plus btw that by the way honestly personally yep
"""
_OPENERS = frozenset(_OPENERS_WORDS.split())
_DIGITS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
_NOT_PLACES_WORDS = """
linux python windows mac marketing sales engineering product chrome firefox slack management rust
java excel android ios gmail english react zoom teams netflix instagram facebook tiktok god jesus
heaven hell fear hope peace harmony church school college therapy
"""
_NOT_PLACES = frozenset(_NOT_PLACES_WORDS.split())
_NEEDS_PLACE = frozenset({"visited", "comes_from"})
_PLACED = _NEEDS_PLACE | {"lives_in", "born_in"}
_PLURAL = re.compile(
    r",? (?:also |really |still |just |both )*(?:live|work|like|love|enjoy|hate|prefer|play|speak"
    r"|drive|own|study|have|reside|adore|dislike|am|are)\b"
)
_SAYS_LITTLE = re.compile(
    r"\b(?:them|this|that|it|you|our|your|those|these|us|me)\b|^(?:going|getting|talking"
    r"|spending time|escaping|curling up|getting lost|watching|finding|making|doing|taking|coming"
    r"|looking|trying|forever|stories|learning|working|to)$|^to (?:get|see|look|try|take)\b"
    r"|^(?:getting|taking)\b"
)
_GAP = re.compile(
    r"[ ,]{0,2}(?:(?:back|early|late|just|around|about|there|here|together|ever) )?"
    r"(?:(?:in|on|at|since|from|during|around|last) )?(?:the )?"
)
_ADJECTIVES = re.compile(
    r"\b(?:good|great|terrible|bad|decent|huge|big|amateur|lousy|born|better|natural|former|retired"
    r"|real|total|wannabe|future|aspiring|slow|fast|awful|poor|strong|team)\b"
)


def statements(text: str, said_at: float | None) -> list[Statement]:
    """What a text states, in the order of the table, each once.

    Args:
        text: what one person said.
        said_at: seconds since 1970, UTC; None leaves relative dates, and with them plans, unread.
    """
    if _TABLE.keys().isdisjoint(_cues(text)):
        return []
    found: dict[tuple[str, str, str], Statement] = {}
    spans = sentences(text)
    for place, span in enumerate(spans):
        following = text[slice(*spans[place + 1])][:80] if place + 1 < len(spans) else ""
        for statement in _in_sentence(text, span, following, said_at):
            found.setdefault((statement.name, statement.subject, statement.tail.lower()), statement)
    return list(found.values())


def _in_sentence(
    text: str, span: Span, following: str, said_at: float | None
) -> Iterator[Statement]:
    sentence = text[span.start : span.end]
    rows = _candidates(sentence)
    if not rows or sentence.rstrip("\"'”’) ").endswith(("?", "？")) or sentence.startswith(">"):
        return
    if _JOKE.search(sentence) or _THEN_JOKE.match(following):
        return
    for row in rows:
        for found in row.pattern.finditer(sentence):
            if _stands(sentence, found) and not _quoted(text, span.start + found.start()):
                yield from _read(row, found, sentence, span.start, said_at)


def _candidates(sentence: str) -> list[_Row]:
    if len(sentence) > _LONGEST:
        return []
    rows = {id(row): row for cue in _cues(sentence) for row in _TABLE.get(cue, ())}
    return list(rows.values())


def _cues(text: str) -> list[str]:
    words = _TOKEN.findall(text.lower().replace("’", "'"))
    return ["#" if word.isdigit() else word for word in words]


_LONGEST = 600  # characters; nobody states a fact in a longer sentence, and pasted data is longer


def _stands(sentence: str, found: re.Match[str]) -> bool:
    """Whether the match is the start of a clause that asserts something."""
    before = sentence[: found.start()]
    if _NOT_SAID.search(before) or _TAKEN_BACK.search(sentence, found.end()):
        return False
    before = before.rstrip(" \"'“‘(*")
    if not before or not before[-1].isalnum():
        return True
    if before.rpartition(" ")[2].lower() in _OPENERS:
        return True
    dates = find_dates(before, 0.0)
    return bool(dates) and dates[-1].end == len(before)


def _quoted(text: str, at: int) -> bool:
    before = text[max(0, at - 2000) : at]
    return before.count('"') % 2 == 1 or before.count("“") > before.count("”")


def _read(
    row: _Row, found: re.Match[str], sentence: str, offset: int, said_at: float | None
) -> Iterator[Statement]:
    subject = _subject(found)
    if subject is None:
        return
    parts = found.groupdict()
    what = parts.get("what") or ""
    relation = row.relation
    name = relation.name + attribute(what) if relation.name.endswith(":") else relation.name
    since = _since(sentence, found, said_at)
    if row.planned and (since is None or said_at is None or since <= said_at):
        return
    for tail in _tails(relation, found):
        start, end = offset + found.start(), offset + found.end()
        yield Statement(relation, name, subject, tail, what, start, end, since)


def _subject(found: re.Match[str]) -> str | None:
    """Who it is about, or None where that is not clear."""
    parts = found.groupdict()
    if parts.get("self"):
        return ""
    group = next(name for name in ("named", "who", "kin") if parts.get(name))
    if _PLURAL.match(found.string, found.end(group)):
        return None  # "Themes like sisterhood" is no person
    if group == "kin":
        return f"my {parts['kin'].lower()}"
    named = str(parts[group])
    plain = named.lower().replace("’", "'")
    if any(word in NOT_NAMES for word in plain.split()) or plain in PLACES:
        return None
    return named if len(plain) > 1 and not named.isupper() and "'" not in plain else None


def _tails(relation: Relation, found: re.Match[str]) -> list[str]:
    parts = found.groupdict()
    if listed := parts.get("list"):
        return [
            tail for piece in re.split(r", and |, | and | or ", listed) if (tail := _bare(piece))
        ]
    tail = _bare(parts["tail"])
    plain = tail.lower()
    if relation.name in _PLACED and not _is_place(relation.name, tail):
        return []
    if relation.name in {"job", "works_at"} and _ADJECTIVES.search(found.group()):
        return []
    if relation.kind == "preference" and _SAYS_LITTLE.search(plain):
        return []
    if relation.name in {"partner", "has_child", "name"} and plain.split()[0] in NOT_NAMES:
        return []
    if relation.name == "works_at" and plain.split()[0] in NOT_NAMES:
        return []
    if relation.name == "has_pet" and parts.get("what"):
        return [f"{parts['what']} called {tail}"]
    return [str(_DIGITS.get(plain, tail))] if tail else []


def _is_place(relation: str, tail: str) -> bool:
    """Whether the tail is a known place, or at least a capitalised word that may be one."""
    plain = tail.lower()
    if plain in PLACES:
        return True
    if relation in _NEEDS_PLACE or tail.islower():
        return False
    return not any(word in _NOT_PLACES or word in NOT_NAMES for word in plain.split())


def _bare(tail: str) -> str:
    tail = tail.strip(" .,'’")
    return re.sub(r"^(?:an?|the|my) (?=\w)", "", tail) if tail[:4].islower() else tail


def _since(sentence: str, found: re.Match[str], said_at: float | None) -> float | None:
    """When it began: a date right after the statement, or right before it."""
    for dated in find_dates(sentence, said_at):
        if _touches(sentence, found, dated):
            return dated.begin
    return None


def _touches(sentence: str, found: re.Match[str], dated: Dated) -> bool:
    if dated.end <= found.start():
        return not sentence[dated.end : found.start()].strip(" ,")
    return dated.start >= found.end() - 1 and bool(
        _GAP.fullmatch(sentence, found.end(), max(found.end(), dated.start))
    )
