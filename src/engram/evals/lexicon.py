"""The closed vocabulary of the long prompts: a few hundred words, each of them one token.

A model small enough to be trained in minutes reads nothing else. Digits and marks are tokens of
their own, and case does not count, so that a text has one reading.
"""

import re
from collections.abc import Iterable

SPECIAL = ("[PAD]", "[START]", "[END]", "[UNK]")
DIGITS = tuple("0123456789")
MARKS = tuple(".,:;?!=-")

KEYS = tuple(
    """anchor apple arrow barrel basket beacon blanket bottle bridge broom bucket button cabin
    candle canoe carpet castle chimney compass cradle curtain dagger drum engine feather fiddle
    flute fountain garden goblet hammer harbour helmet kettle key kite ladder lantern mirror needle
    oar oven paddle pebble pillow plough pocket pulley ribbon saddle scarf shovel sickle spindle
    stove tablet tent thimble throne tower trumpet tunnel wagon whistle""".split()
)
"""What is asked for: 64 things."""

VALUES = tuple(
    """agate amber ash basalt beech birch brass bronze cedar chalk clay cobalt copper coral cork
    cotton crystal denim ebony elm emerald felt fir flint garnet glass gold granite hazel hemp iron
    ivory jade jasper lace larch lead leather linen maple marble nickel oak onyx opal paper pearl
    pewter pine quartz ruby sand satin silk silver slate steel straw teak tin topaz velvet walnut
    wool""".split()
)
"""What is answered: 64 materials."""

FILLER = tuple(
    """again ahead along always around away back barely below beside beyond bright brisk calm
    clear close cold crisp dark deep dim distant dry dull early easy even far fast few fine first
    gentle grey high large late left light little long loud low mild narrow near never often old
    open pale past plain quick quiet rare right rough round short slow soft still sweet""".split()
)
"""What means nothing: 64 words that only follow each other."""

FIRST_NAMES = tuple(
    """ada bela cleo dov edda finn greta hugo ines joris kaya lars mona nils olga pavel""".split()
)
LAST_NAMES = tuple(
    """alder brook crane dale ember frost grove heath kestrel lark marsh nettle pike reed thorn
    wren""".split()
)
TOWNS = tuple(
    """arbor belmont calder dunmore elsing farley gorham hadley ilford jarrow kelso lydney melrose
    norwick oakham penrith""".split()
)
TRADES = tuple(
    """baker carpenter clerk cook dyer farmer glazier guard mason miller painter pilot potter sailor
    tailor weaver""".split()
)

_FRAME = tuple(
    """a about above access after all and answer appear are as asked assigned at below
    between birds     blue born by code codes common contains document documents does
    each every fall find     follow following follows for frequent from given grass
    green has he her here hidden his     in into is it its later list made magic many
    mentioned more most number numbered numbers     of on once one ones only order other
    others out pass question remember repeated river say     says she sister sky some
    something special stands sun tell text than that the them there     these they thing
    things this three to today town up used value var variable variables was     we were
    what where which who winds with word words work works world written yellow you""".split()
)

WORDS = tuple(
    dict.fromkeys(
        (
            *SPECIAL,
            *DIGITS,
            *MARKS,
            *KEYS,
            *VALUES,
            *FILLER,
            *FIRST_NAMES,
            *LAST_NAMES,
            *TOWNS,
            *TRADES,
            *_FRAME,
        )
    )
)
"""All words; the place of a word is its id."""

TOKEN = r"\[[A-Z]+\]|[a-z]+|[0-9]|[^a-z0-9\s]"
"""What is one token, once the text is in lower case: a special word, a word, a digit or a mark."""

PAD, START, END, UNKNOWN = range(4)

_ID = {word: number for number, word in enumerate(WORDS)}
_TOKEN = re.compile(TOKEN)


def pieces(text: str) -> list[str]:
    """The tokens of a text, in lower case but for the special ones."""
    lowered = re.sub(r"\[[A-Z]+\]|[A-Z]+", _lower, text)
    return _TOKEN.findall(lowered)


def ids(text: str) -> list[int]:
    """The ids of a text; a word that is not in the vocabulary is ``UNKNOWN``."""
    return [_ID.get(piece, UNKNOWN) for piece in pieces(text)]


def number(word: str) -> int:
    """The id of one word of the vocabulary, as it is written there."""
    return _ID[word]


def count(text: str) -> int:
    """How many tokens a text has."""
    return len(pieces(text))


def told(tokens: Iterable[int]) -> str:
    """The words of some ids, with a space between; ``ids`` gives the same back."""
    return " ".join(WORDS[each] for each in tokens)


def _lower(found: re.Match[str]) -> str:
    return found[0] if found[0] in SPECIAL else found[0].lower()
