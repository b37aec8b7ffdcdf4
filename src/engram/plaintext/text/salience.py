"""What a text is about: the words that tell it from others, and the sentences that say it best."""

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from engram.plaintext.roles import Mask, Rows, View
from engram.plaintext.text.graphs import pagerank
from engram.plaintext.text.names import names
from engram.plaintext.text.words import terms

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_TIMES = frozenset(
    terms(
        """monday tuesday wednesday thursday friday saturday sunday january february march april
        june july august september october november december today tonight yesterday tomorrow
        morning afternoon evening night day week weekend month year hour minute time ago"""
    ).stems
)
_CHATTER = frozenset(
    terms(
        """hey hi hello wow yeah yes ok okay thanks thank glad great good nice cool awesome amazing
        sure sound know think thing feel like love want look make go get take come see say lot
        really definitely pretty always never maybe way one sorry welcome haha bye"""
    ).stems
)
DAMPING = 0.85
FEW = 10  # texts that are added to what was counted
NAMED = 2.0  # how much more than another word a part of a name says
LONGEST = 400  # sentences that are compared with one another; the rest of a long text is left


def rarity_in(view: View, among: Mask, texts: Rows | None = None) -> Callable[[str], float]:
    """What an index term is worth among some rows of a view: the fewer texts have it, the more.

    Of few texts little can be learned, so it is as if there were some more that do not have it.

    Args:
        view: holds the rows.
        among: (N,) rows that count.
        texts: (N,) number of the text that each row is part of; None where each is one.
    """
    part_of = np.arange(len(among)) if texts is None else texts
    count = len(np.unique(part_of[among]))

    @cache
    def rarity(term: str) -> float:
        where, _ = view.postings([term])[term]
        holding = len(np.unique(part_of[where[among[where]]]))
        return math.log((count + FEW) / (holding + 0.5))

    return rarity


class Keyword(NamedTuple):
    """A word as it stands in the text, and its index term."""

    word: str
    term: str


def keywords(
    text: str,
    rarity: Callable[[str], float],
    most: int,
    without: Collection[str] = (),
) -> list[Keyword]:
    """The words of a text with the most information, most first. Names say more than other words.

    Args:
        text: any text.
        rarity: what one occurrence of a term is worth; 0 or less leaves it out.
        most: words to return.
        without: terms to leave out, such as the names of those who speak. Numbers, times and
            words of mere politeness are left out anyway.
    """
    first: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for match in _WORD.finditer(text):
        word = re.sub(r"['’]s$", "", match.group())
        found = terms(word, query=True).content
        for term in found:
            first.setdefault(term, word if len(found) == 1 else term)
            counts[term] += 1
    named = {term for name in names(text) for term in terms(name.text).stems}
    worth = {
        term: (1 + math.log(count)) * rarity(term) * (NAMED if term in named else 1)
        for term, count in counts.items()
        if len(term) > 1 and term not in _TIMES | _CHATTER and term not in without
    }
    kept = [term for term, value in worth.items() if value > 0]
    return [Keyword(first[term], term) for term in sorted(kept, key=lambda t: -worth[t])[:most]]


def central(texts: Sequence[str], most: int) -> list[int]:
    """The numbers of the sentences that have most in common with all others, in their order.

    Ties go to the earlier, so that of texts with nothing in common the first are taken.

    Args:
        texts: sentences.
        most: how many to choose.
    """
    sets = [frozenset(terms(text).content) for text in texts[:LONGEST]]
    near = np.zeros((len(sets), len(sets)), dtype=np.float32)
    for a, ours in enumerate(sets):
        for b in range(a):
            common = len(ours & sets[b])
            if common and len(ours) > 1 and len(sets[b]) > 1:
                near[a, b] = near[b, a] = common / (math.log(len(ours)) + math.log(len(sets[b])))
    out, into = np.nonzero(near)
    begin = np.array([float(len(each) > 0) for each in sets], dtype=np.float32)
    share = pagerank((out, into), begin, DAMPING, near[out, into])
    best = np.argsort(-share.round(6), kind="stable")[:most]
    return sorted(best.tolist())
