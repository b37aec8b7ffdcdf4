"""Words: the one analysis that indexes and queries share.

Latin and other spaced scripts give Snowball stems of case-folded words. Scripts written without
spaces give single characters and pairs, so that a two-character Chinese or Japanese word is found
(a trigram index cannot find it). Accents are folded, so that "cafe" finds "café".
"""

import re
import threading
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import Stemmer

WORDS_VERSION = "2-snowball-english-pairs"
"""Kept in the store; a store of another version has its word index rebuilt when it is opened."""

# Han, kana, Hangul jamo excluded (Hangul is spaced); Thai, Lao, Myanmar and Khmer are not spaced.
_UNSPACED = (
    "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\U00020000-\U0003ffff"
)
_TOKEN = re.compile(rf"[{_UNSPACED}]+|\d+|[^\W\d_{_UNSPACED}]+(?:['\u2019][^\W\d_]+)?")
_WORD = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
_JOINED = re.compile(r"(?<=[a-z])(?=[A-Z])")
_IS_UNSPACED = re.compile(rf"[{_UNSPACED}]")
_LONGEST = 64  # characters; longer runs are data, not words, and would bloat the index
_local = threading.local()

GRAMMAR = frozenset(
    """
    a about after again all also am an and any are as at be because been before being both but by
    can could d did do does doing done down during each ever few for from further had has have
    having he her here hers herself him himself his how i if in into is it its itself just kind let
    ll m many may me might mine more most much must my myself no nor not of off on only or other
    our ours ourselves out over own please re s same shall she should so some such t tell than that
    the their theirs them themselves then there these they this those through to too type under
    until up us ve very was we were what when where which while who whom whose why will with
    without would you your yours yourself don didn doesn isn wasn aren weren won wouldn couldn
    """.split()
)
"""English words that shape a sentence and say nothing about its subject."""


IRREGULAR = {
    form: base
    for base, *forms in (
        line.split()
        for line in """
        go went gone|do did done|make made|take took taken|get got gotten|see saw seen|give gave
        given|buy bought|bring brought|think thought|teach taught|catch caught|feel felt|leave left
        |lose lost|find found|meet met|tell told|say said|hear heard|keep kept|sleep slept|win won
        |run ran|begin began begun|write wrote written|drive drove driven|ride rode ridden|eat ate
        eaten|drink drank drunk|speak spoke spoken|break broke broken|choose chose chosen|fly flew
        flown|grow grew grown|know knew known|wear wore worn|sing sang sung|swim swam swum|send sent
        |spend spent|build built|pay paid|sell sold|stand stood|understand understood|become became
        |come came|fall fell fallen|draw drew drawn|throw threw thrown|hold held|sit sat|child
        children|man men|woman women|person people|foot feet|wife wives|mouse mice|good
        better best|bad worse worst|fight fought|forget forgot forgotten|steal stole stolen|wake
        woke woken|hide hid hidden|lead led|tear tore torn|hang hung
        """.split("|")
    )
    for form in forms
}
"""English forms that a stemmer cannot bring back to their base."""


class Terms(NamedTuple):
    """The index terms of a text, in order, with repeats.

    ``stems`` are all; ``content`` those that are not mere grammar; ``pairs`` join neighbours in
    ``content``, so that a phrase weighs more than its scattered words.
    """

    stems: list[str]
    content: list[str]
    pairs: list[str]


def terms(text: str, *, query: bool = False) -> Terms:
    """Analyse a text.

    Args:
        text: any text.
        query: leave out the single characters of unspaced scripts where pairs exist; a query
            for a word should not match every text that shares one character with it.
    """
    stems: list[str] = []
    content: list[str] = []
    for match in _TOKEN.finditer(_fold(_JOINED.sub(" ", text))):
        run = match.group()
        if _IS_UNSPACED.match(run):
            found = _characters(run, query=query)
            stems += found
            content += found
            continue
        word = run[:_LONGEST].replace("\u2019", "'").partition("'")[0]
        stem = _stem(word)
        stems.append(stem)
        if word not in GRAMMAR:
            content.append(stem)
    return Terms(stems, content, [f"{a}_{b}" for a, b in pairwise(content)])


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    stemmer = getattr(_local, "stemmer", None)
    if stemmer is None:  # a stemmer object must not be shared between threads
        stemmer = _local.stemmer = Stemmer.Stemmer("english")
    return str(stemmer.stemWord(IRREGULAR.get(word, word)))


def _fold(text: str) -> str:
    text = text.casefold()
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize(
        "NFC", "".join(c for c in decomposed if not unicodedata.combining(c) or c in _KANA_MARKS)
    )


_KANA_MARKS = "\u3099\u309a"  # these change the consonant; they are no accents


def _characters(run: str, *, query: bool) -> list[str]:
    if len(run) == 1:
        return [run]
    pairs = [run[i : i + 2] for i in range(len(run) - 1)]
    return pairs if query else [*run, *pairs]


def same_text(text: str) -> str:
    """The text without differences that no reader would call a difference: case, spaces, marks."""
    return " ".join(_WORD.findall(_fold(text)))
