"""Names of people, places and organisations, by capital letters and the words around them.

A run of capitalised words is a name, except where a capital means nothing: at the start of a
sentence, in "I", in days and months. What kind of name it is, the words beside it tell, then a
small gazetteer; what neither tells is ``other``. Scripts without capitals give no names.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from engram.plaintext.text.gazetteer import PEOPLE, PLACES

Kind: TypeAlias = Literal["person", "place", "organisation", "other"]


class Name(NamedTuple):
    """A name at characters ``start`` to ``end`` of a text, without a possessive ending."""

    text: str
    kind: Kind
    start: int
    end: int


_WORD = re.compile(r"[^\W_]+(?:[-'’&][^\W_]+)*")
_LONGEST = 5  # words of a name; a longer run is a heading or shouting
_JOINS = frozenset({" ", " of ", " de ", " del ", " da ", " van ", " von ", " der ", " & ", ". "})
_TITLES = frozenset(("mr", "mrs", "ms", "mx", "dr", "prof", "professor", "sir", "aunt", "uncle"))

_NEVER_WORDS = """
i i'm i've i'd i'll i’m i’ve i’d i’ll ok okay monday tuesday wednesday thursday friday saturday
sunday january february march april may june july august september october november december am pm
tv ai usb lol omg wow hey hi hello yes no thanks thank congrats mom dad mum internet english
german french spanish italian chinese japanese russian american european
"""
_NEVER = frozenset(_NEVER_WORDS.split())
_STARTERS_WORDS = """
the a an this that these those it it's he she they we you who what when where why how which my
your his her our their its and but or so if then because since while although though as at by for
from in into of on off out over to up with without about after before during until is are was were
be been am do does did don't doesn't didn't have has had can could will would should may might
must not there here now today yesterday tomorrow just also really very all any both each every
some most many much more less let let's please sure great good nice cool awesome amazing well glad
sorry oh ah yeah yep nope yup haha maybe actually sounds got getting going looking being having
everyone everybody nobody someone nothing something everything one two three first second last
next another other such even still yet never always sometimes once dear love congratulations
absolutely definitely exactly totally happy speaking keep take make see look come go get give tell
say said want need know think feel try call thank's that's what's he's she's they're we're you're
there's here's i'm who's how's where's isn't aren't wasn't weren't won't can't couldn't wouldn't
shouldn't hasn't haven't hadn't
"""
_STARTERS = frozenset(_STARTERS_WORDS.split())
NOT_NAMES = _NEVER | _STARTERS
"""Words that no name consists of, lower case."""

_ORGANISATION = re.compile(
    r"\b(?:Inc|Ltd|LLC|GmbH|AG|Corp|Co|Corporation|Company|University|College|School|Hospital|Bank"
    r"|Foundation|Institute|Group|Labs?|Studios?|Agency|Association|Club|Church|Museum)$"
)
_PLACE = re.compile(
    r"\b(?:Street|Avenue|Road|Lake|River|Park|Beach|Island|Islands|City|Mountains?|Valley|Bay"
    r"|Square|County|Canyon|Forest|Airport|Castle|Bridge)$|^(?:Mount|Lake|Fort|Port) "
)
_KIN = (
    r"friend|buddy|colleague|coworker|boss|neighbou?r|sister|brother|mother|father|mom|mum|dad|son"
    r"|daughter|wife|husband|partner|girlfriend|boyfriend|cousin|aunt|uncle|niece|nephew|roommate"
    r"|grandma|grandpa|teacher|coach|kids?|named|called"
)
_BEFORE_PERSON = re.compile(rf"\b(?:(?:{_KIN}),?|with|hey|hi|hello|dear|thanks,?) $", re.I)
_BEFORE_PLACE = re.compile(
    r"\b(?:in|moved to|move to|moving to|flew to|trip to|travel(?:l?ed|l?ing)? to|from"
    r"|visit(?:ed|ing)?"
    r"|liv(?:e|es|ed|ing) (?:in|near)|based in|went to|go to|going to|near) (?:the )?$",
    re.I,
)
_BEFORE_FIRM = re.compile(
    r"\b(?:work(?:s|ed|ing)? (?:at|for)|jobs? (?:at|with)|joined|join|studi(?:es|ed) at|hired by"
    r"|company called|intern(?:ed|ship)? at|at) (?:the )?$",
    re.I,
)
_AFTER_PERSON = re.compile(
    r"(?:['’]s (?:birthday|house|family|mom|dad)| (?:said|told|says|asked))\b"
)
_REACH = 28  # characters; how far a cue reaches back


def _kind(text: str, start: int, end: int) -> Kind:
    """What a name names. The gazetteer outranks the words before it, which are often vague."""
    name = text[start:end]
    plain = name.lower()
    first = plain.partition(" ")[0]
    before = text[max(0, start - _REACH) : start]
    if _ORGANISATION.search(name):
        return "organisation"
    if plain in PLACES or _PLACE.search(name):
        return "place"
    titled = first.rstrip(".") in _TITLES or _previous_word(before) in _TITLES
    if titled or first in PEOPLE or _BEFORE_PERSON.search(before) or _AFTER_PERSON.match(text, end):
        return "person"
    if _BEFORE_FIRM.search(before):
        return "organisation"
    return "place" if _BEFORE_PLACE.search(before) else "other"


def _previous_word(before: str) -> str:
    return before.rstrip(". ").rpartition(" ")[2].lower()


def _opens_sentence(text: str, start: int) -> bool:
    before = text[max(0, start - 12) : start].rstrip(" \t\"'“‘(*-")
    if before.endswith(".") and _previous_word(before) in _TITLES:
        return False
    return not before or before[-1] in ".!?…:\n。！？" or not before[-1].isascii()


def _runs(text: str) -> Iterator[list[re.Match[str]]]:
    """Capitalised words that stand together."""
    run: list[re.Match[str]] = []
    for word in _WORD.finditer(text):
        if not word.group()[0].isupper() or _plain(word) in _NEVER:
            continue
        if run and (len(run) == _LONGEST or not _joined(text, run[-1], word)):
            yield run
            run = []
        run.append(word)
    if run:
        yield run


def _joined(text: str, left: re.Match[str], right: re.Match[str]) -> bool:
    if right.start() - left.end() > 5 or left.group().endswith(("'s", "’s")):
        return False
    between = text[left.end() : right.start()]
    initial = len(left.group()) == 1 or left.group().lower() in _TITLES
    return between in _JOINS and (between != ". " or initial)


def _plain(word: re.Match[str]) -> str:
    return word.group().lower().removesuffix("'s").removesuffix("’s")


def _trusted(text: str, run: list[re.Match[str]], surely: set[str]) -> list[re.Match[str]]:
    """The run without a first word that has its capital from the sentence only."""
    if not _opens_sentence(text, run[0].start()):
        return run
    plain = _plain(run[0])
    if plain in _STARTERS or run[0].group().lower() in _STARTERS:
        return run[1:]
    if len(run) == 2 and plain not in PEOPLE and _plain(run[1]) in PEOPLE:
        return run[1:]  # "Bye Joanna"
    known = plain in PEOPLE or plain in PLACES or plain in _TITLES or plain in surely
    return run if known or len(run) > 1 else []


def names(text: str) -> list[Name]:
    """The names in a text, in order. Text in capitals throughout gives none."""
    if text.isupper():
        return []
    runs = list(_runs(text))
    surely = {_plain(run[0]) for run in runs if not _opens_sentence(text, run[0].start())}
    found = []
    for run in runs:
        if kept := _trusted(text, run, surely):
            start, end = kept[0].start(), kept[-1].end()
            end -= 2 * kept[-1].group().endswith(("'s", "’s"))
            found.append(Name(text[start:end], _kind(text, start, end), start, end))
    return found
