# ruff: noqa: E501  # a pattern broken over lines is harder to read than a long one
"""The relations that engram reads out of text without a model: one table.

A row says how people state a relation, how they ask for it, and how to write it down. Patterns
are written with a few words in angle brackets, such as ``<S>`` for who it is about; ``_PARTS``
says what they stand for. Precision comes first: what is not clearly stated is not read, for the
text itself is kept and found anyway.
"""

import re
from typing import NamedTuple

from engram.plaintext.text.gazetteer import PLACES, WORKERS


class Relation(NamedTuple):
    """One relation.

    Attributes:
        name: as stored; one ending in ":" is completed by what was named, "favourite:colour".
        functional: holds one tail at a time, so that a newer replaces the older.
        cues: words of which every statement of it holds one; "#" is any number in digits.
        says: patterns of statements, with the groups ``tail``, and ``what`` where completed.
        asks: patterns of questions for it.
        phrase: how it is written down, with ``{head}``, ``{tail}`` and ``{what}``.
        plans: patterns of statements about the future; they need a date to be believed.
        kind: ``fact`` or ``preference``.
    """

    name: str
    functional: bool
    cues: str
    says: tuple[str, ...]
    asks: tuple[str, ...]
    phrase: str
    plans: tuple[str, ...] = ()
    kind: str = "fact"


KIN = (
    r"(?:(?:best |older |younger |elder |little |big |twin |ex-?)?(?:sister|brother|mother|father|mom"
    r"|mum|dad|son|daughter|wife|husband|partner|girlfriend|boyfriend|cousin|aunt|uncle|niece|nephew"
    r"|roommate|flatmate|grandma|grandmother|grandpa|grandfather|boss|friend|neighbou?r|colleague))"
)
_SPOUSE = r"(?:wife|husband|partner|girlfriend|boyfriend|fiancée?|fiance|spouse)"
_CAP = r"[^\W\d_a-z][\w'’&-]{0,24}"
_RUN = rf"{_CAP}(?: (?:(?:of|de|la|del|da) )?{_CAP}){{0,3}}"
_ENDS = (
    r"(?=\s{0,3}(?:[.,!;:)…\n]|$)|\s{1,3}(?:but|because|so|when|since|which|that|who|as|with|while|if"
    r"|for|to|at|in|on|now|these|after|before|where|than|over|too|very|right|anyway|though|lately"
    r"|and (?:i|we|my|it|he|she|you|they|the|also|am|was|that|this|want|would|hate|love|like|enjoy"
    r"|have|always|often)\b)\b)"
)
_WORDS = r"[\w'’&+#-]{1,24}(?: [\w'’&+#-]{1,24})"
_VAGUE = (
    r"(?!(?:it|its|it's|that|this|these|those|the|a|an|you|your|how|what|when|where|them|him|her|his"
    r"|their|everything|all|being|having|seeing|hearing|my|our|one|both|some|any|so|and|such|more"
    r"|most|too|very|just|lots|not|to(?=\W*$|[.,!;)])|to (?:just|help|get|go|make|talk|think|say|see|hear|admit|bother|know|be|believe|have|do)"
    r"|i|we|he|she|they|no|nothing|every|each|new)\b)"
)
_FIRMS = (
    r"(?:hospital|bank|school|university|company|startup|firm|clinic|restaurant|shop|store|lab|cafe"
    r"|bakery|library|museum|hotel|studio|agency|factory|pharmacy|bookstore|shelter)"
)
_APPS = (
    r"(?:Tinder|Facebook|Instagram|Twitter|Discord|Slack|Reddit|TikTok|LinkedIn|WhatsApp|Telegram"
    r"|Snapchat|Zoom|YouTube|Bumble|Strava|Duolingo|Mastodon|Bluesky)\b"
)
_PETS = r"(?:cat|dog|kitten|puppy|rabbit|hamster|parrot|turtle|horse|goldfish|guinea pig|snake|pet)"
_COUNTED = (
    r"(?:kids|children|sons|daughters|brothers|sisters|siblings|cousins|grandchildren|cats|dogs|pets"
    r"|kittens|puppies|rabbits|hamsters|parrots|turtles|horses|chickens|goldfish|cars|bikes|houses"
    r"|guitars|tattoos|roommates)"
)
_NUM = r"(?:\d{1,3}|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_SPORTS = (
    r"(?:guitar|piano|violin|drums|cello|flute|bass|saxophone|clarinet|trumpet|ukulele|harp|tennis"
    r"|football|soccer|basketball|chess|golf|volleyball|hockey|badminton|cricket|rugby|baseball"
    r"|squash|handball|video games)"
)
_MONTHS = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december"
    r"|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)"
)
_TONGUES = (
    r"(?:English|German|French|Spanish|Italian|Portuguese|Norwegian|Swedish|Danish|Finnish|Dutch"
    r"|Russian|Ukrainian|Polish|Czech|Greek|Turkish|Arabic|Hebrew|Hindi|Urdu|Bengali|Tamil|Chinese"
    r"|Mandarin|Cantonese|Japanese|Korean|Vietnamese|Thai|Swahili|Farsi|Persian|Hungarian|Romanian"
    r"|Catalan|Icelandic|Irish|Welsh|Latin|Esperanto)"
)
_LONG = "|".join(sorted(place for place in PLACES if " " in place))
_PARTS = {
    "<S>": rf"(?:(?P<self>[Ii]|[Ww]e)|[Mm]y (?P<kin>{KIN})(?:,? (?P<named>{_CAP}),?)?|(?P<who>{_CAP}(?: {_CAP})?))",
    "<MY>": rf"(?:(?P<self>[Mm]y)|[Mm]y (?P<kin>{KIN})['’]s|(?P<who>{_CAP})['’]s)",
    "<AM>": r"(?:['’](?:m|re|s)| am| are| is)(?: now| currently| still| also| actually| originally){0,2}",
    "<HAVE>": r"(?:['’](?:ve|s)| have| has)?(?: now| just| recently| finally| also| currently| still"
    r"| actually| already| both| really| absolutely| totally){0,2}",
    "<PLACE>": rf"(?:the )?(?P<tail>{_RUN}|(?:{_LONG})\b|[a-z]{{3,14}}\b)",
    "<ORG>": rf"(?P<tail>{_RUN}|(?:an?|the) (?:[a-z]{{1,16}} ){{0,2}}{_FIRMS}\b)",
    "<NAME>": rf"(?P<tail>{_CAP}(?: {_CAP}){{0,2}})",
    "<THING>": rf"{_VAGUE}(?P<tail>{_WORDS}{{0,4}}?){_ENDS}",
    "<IS>": rf"(?P<tail>(?!(?:this|that|when|how|what|the one|not|one|to be|a|it|my|so|in)\b){_WORDS}{{0,4}}?){_ENDS}",
    "<LIST>": rf"(?P<list>{_WORDS}{{0,3}}(?:(?:, and |, | and | or ){_WORDS}{{0,2}}){{0,4}})(?=[.!;\n]|$| but)",
    "<STOP>": r"(?=\s{0,3}(?:[.,!;\n]|$|(?:and|now|but|so|with|at|in|from|by|to|for|who|too|last|this|named|called|yesterday|today)\b))",
}  # fmt: skip
_WORKER = "|".join(sorted(WORKERS, key=len, reverse=True))

RELATIONS: tuple[Relation, ...] = (
    Relation(
        "lives_in", True, "live lives living lived based residing moved relocated home reside",
        (
            r"<S><HAVE> (?:live|lives|reside|resides) in <PLACE>",
            r"<S><AM> (?:living|based|residing|settled) in <PLACE>",
            r"<S>(?:['’](?:ve|s)| have| has) (?:lived|been living) in <PLACE>(?= (?:since|for))",
            rf"<S><HAVE> (?:moved|relocated)(?: back)?(?: (?:here )?from {_RUN})? to <PLACE>",
            r"<S><HAVE> (?:bought|rent|rented) (?:a|an) (?:house|flat|apartment) in <PLACE>",
            r"(?P<self>[Mm]y) (?:new )?home is (?:now )?(?:in )?<PLACE>",
            r"<S> (?:now )?calls? <PLACE> (?:my )?home",
        ),
        (
            r"\bwhere\b.{0,60}\b(?:live|lives|living|based|reside|residing|moved?(?: to)?)\b",
            r"\b(?:what|which) (?:city|town|country|place)\b.{0,40}\b(?:live|lives|living)\b",
            r"\bcurrent (?:city|home|address)\b",
        ),
        "{head} lives in {tail}",
        (
            r"<S><AM> (?:moving|relocating)(?: back)? to <PLACE>",
            r"<S>(?: will|['’]ll|(?:['’]m|['’]re| am| are| is) (?:going to|gonna)) (?:move|relocate)"
            r" to <PLACE>",
        ),
    ),
    Relation(
        "works_at", True, "work works working employed started joined job position role left",
        (
            r"<S><HAVE> (?:work|works) (?:at|for) <ORG>",
            r"<S><AM> (?:working|employed|interning) (?:at|for|by) <ORG>",
            r"<S>(?:['’](?:ve|s)| have| has) (?:worked|been working) (?:at|for) <ORG>(?= (?:since|for))",
            r"<S><HAVE> (?:started|began)(?: a new job| my new job| working| work)? (?:at|for) <ORG>",
            rf"<S><HAVE> joined (?!{_APPS})<ORG>(?! (?:group|club|class|team|gym|church|choir|server|channel))",
            r"<S><HAVE> (?:got|landed|accepted|found) (?:a|the|my) (?:[a-z]{1,12} )?(?:job|position|role)"
            r" (?:at|with) <ORG>",
            rf"<S><HAVE> left {_RUN} (?:for|to join) <ORG>",
        ),
        (
            r"\bwhere\b.{0,60}\bwork(?:s|ing)?\b",
            r"\b(?:who|what company|which company)\b.{0,60}\bwork(?:s|ing)? (?:for|at)\b",
            r"\bemployer\b",
        ),
        "{head} works at {tail}",
        (r"<S><AM> (?:starting(?: work)?|joining) (?:at )?<ORG>",),
    ),
    Relation(
        "job", True, "am i'm is he's i’m work works working became job",
        (
            rf"<S><AM> an? (?:[a-z-]{{2,14}} ){{0,2}}?(?P<tail>(?:{_WORKER}))\b(?!['’-])<STOP>",
            rf"<S><HAVE> became an? (?P<tail>(?:[a-z-]{{2,14}} ){{0,1}}?(?:{_WORKER}))\b(?!['’-])",
            r"<S><HAVE> works? as an? (?P<tail>[a-z-]{3,20}(?: [a-z-]{3,20})?)<STOP>",
            r"<S><AM> working as an? (?P<tail>[a-z-]{3,20}(?: [a-z-]{3,20})?)<STOP>",
        ),
        (r"\bfor (?:a|my|her|his|their) living\b", r"\b(?:job|occupation|profession)\b(?! interview)"),
        "{head} is a {tail}",
    ),
    Relation(
        "partner", True, "wife husband partner girlfriend boyfriend fiance fiancée married spouse engaged",
        (
            rf"(?P<self>[Mm]y) {_SPOUSE}(?: is (?:called|named)|['’]s name is|,)? <NAME>",
            r"<S>(?:<AM>| got| am| have been| has been)? (?:married|engaged) to <NAME>",
            r"<S><HAVE> married <NAME>",
        ),
        (r"\bwho\b.{0,40}\b(?:married|engaged) to\b", rf"\b(?:who|name)\b.{{0,40}}\b{_SPOUSE}\b"),
        "{head}'s partner is {tail}",
    ),
    Relation(
        "status", True, "single engaged married divorced widowed",
        (
            r"<S><AM> (?:happily |newly |recently |just )?(?P<tail>single|engaged|married|divorced|widowed)"
            r"(?=\s{0,3}(?:[.,!;\n]|$|(?:now|again|and|to)\b))",
            r"<S><HAVE> got (?P<tail>engaged|married|divorced)\b",
        ),
        (r"\b(?:relationship|marital) status\b", r"\b(?:is|am|are) .{1,30} (?:married|single|divorced)\b"),
        "{head} is {tail}",
    ),
    Relation(
        "favourite:", True, "favorite favourite",
        (
            r"<MY> (?:all-time |absolute |new |current )?favou?rite (?P<what>[a-z-]{3,16}(?: [a-z]{3,16})?)"
            r"(?: is|['’]s| has always been) <IS>",
            r"(?P<tail>[A-Z][\w-]{2,20}) is (?P<self>my) favou?rite (?P<what>[a-z-]{3,16})(?=[.!,]|$)",
        ),
        (r"\bfavou?rite (?P<what>[a-z-]{3,16})(?=[?.,]|$| of\b)",
         r"\bfavou?rite (?P<what>(?!(?:of|thing|part)\b)[a-z-]{3,16}(?: [a-z]{3,16})?)"),
        "{head}'s favourite {what} is {tail}",
        kind="preference",
    ),
    Relation(
        "age", True, "#",
        (
            r"<S><AM> (?P<tail>\d{1,3})(?: years? old| yrs old)<STOP>",
            r"<S><AM> (?P<tail>\d{2})(?=[.!]|$|, (?:and|but|so)\b| now\b| and (?:i|live|work)\b)",
            r"<S><HAVE> turned (?P<tail>\d{1,3})<STOP>",
        ),
        (r"\bhow old\b", r"\bwhat age\b|\b(?:my|his|her|their) age\b"),
        "{head} is {tail} years old",
    ),
    Relation(
        "birthday", True, "birthday born",
        (
            rf"<MY> birthday(?: is|['’]s) (?:on )?(?:the )?(?P<tail>(?i:\d{{1,2}}(?:st|nd|rd|th)?(?: of)?"
            rf" {_MONTHS}|{_MONTHS} \d{{1,2}}(?:st|nd|rd|th)?))\b",
            rf"<S> was born on (?:the )?(?P<tail>(?i:\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTHS}|{_MONTHS}"
            r" \d{1,2}(?:st|nd|rd|th)?)(?:,? \d{4})?)\b",
        ),
        (r"\bbirthday\b", r"\bwhen was\b.{0,40}\bborn\b"),
        "{head}'s birthday is {tail}",
    ),
    Relation(
        "born_in", True, "born", (r"<S> was born in <PLACE>",),
        (r"\bwhere was\b.{0,40}\bborn\b", r"\bbirthplace\b"), "{head} was born in {tail}",
    ),
    Relation(
        "comes_from", True, "from", (r"<S>(?:<AM>| come| comes) from <PLACE><STOP>",),
        (r"\bwhere\b.{0,40}\bfrom\b(?! [a-z])", r"\bhome (?:country|town)\b|\bhometown\b"),
        "{head} comes from {tail}",
    ),
    Relation(
        "studies_at", True, "study studies studying",
        (r"<S><HAVE> (?:study|studies) at <ORG>", r"<S><AM> studying at <ORG>"),
        (r"\b(?:where|which (?:university|school|college))\b.{0,40}\bstud(?:y|ies|ying)\b",),
        "{head} studies at {tail}",
    ),
    Relation(
        "name", True, "name", (r"(?P<self>[Mm]y) (?:full )?name(?: is|['’]s) <NAME>",),
        (r"\b(?:what is|what's) my name\b", r"\bwho am i\b"), "{head}'s name is {tail}",
    ),
    Relation(
        "count:", True, "# two three four five six seven eight nine ten eleven twelve",
        (rf"<S><HAVE>(?: have| has)?(?: got)? (?P<tail>{_NUM}) (?:[a-z]{{3,12}} )?(?P<what>{_COUNTED})\b",),
        (rf"\bhow many (?P<what>{_COUNTED})\b",), "{head} has {tail} {what}",
    ),
    Relation(
        "drives", True, "drive drives", (rf"<S><HAVE> drives? an? (?P<tail>(?:[a-z]{{3,8}} )?{_RUN})<STOP>",),
        (r"\b(?:what|which) (?:kind of |type of )?car\b", r"\bwhat\b.{0,30}\bdrives?\b"),
        "{head} drives a {tail}",
    ),
    Relation(
        "phone", True, "number",
        (r"<MY> (?:new )?(?:phone |mobile |cell )?number is (?:now )?(?P<tail>\+?\d[\d ()-]{5,18}\d)",),
        (r"\b(?:phone|mobile|cell) number\b",), "{head}'s phone number is {tail}",
    ),
    Relation(
        "email", True, "email e-mail",
        (r"<MY> (?:new )?e-?mail(?: address)? is (?:now )?(?P<tail>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,24}){1,4})",),
        (r"\be-?mail(?: address)?\b",), "{head}'s e-mail address is {tail}",
    ),
    Relation(
        "diet", True, "vegetarian vegan pescatarian",
        (r"<S><AM> (?:a |an )?(?:strict )?(?P<tail>vegetarian|vegan|pescatarian)<STOP>",
         r"<S><HAVE> (?:went|became|gone|turned) (?:a )?(?P<tail>vegetarian|vegan|pescatarian)\b"),
        (r"\bdiet\b", r"\b(?:vegetarian|vegan|pescatarian)\b"), "{head} is {tail}", kind="preference",
    ),
    Relation(
        "has_pet", False, "cat cat's dog dog's kitten puppy rabbit hamster parrot turtle horse goldfish pig snake pet",
        (
            rf"<S><HAVE>(?: have| has| got| adopted)(?: got)? an? (?:[a-z]{{3,12}} ){{0,1}}?"
            rf"(?P<tail>{_PETS})\b<STOP>",
            rf"(?P<self>[Mm]y) (?P<what>{_PETS})(?: is (?:called|named)|['’]s name is) <NAME>",
        ),
        (r"\b(?:what|which|any) (?:kind of )?pets?\b",
         rf"\bname of .{{0,30}}\b{_PETS}\b|\b{_PETS}'s name\b|\b{_PETS} called\b"),
        "{head} has a {tail}",
    ),
    Relation(
        "has_child", False, "son daughter child",
        (r"(?P<self>[Mm]y) (?:older |younger |little |eldest )?(?:son|daughter)"
         r"(?: is (?:called|named)|['’]s name is|,)? <NAME>",),
        (r"\bnames? of .{0,30}\b(?:child|children|kids?|sons?|daughters?)\b",), "{head} has a child called {tail}",
    ),
    Relation(
        "allergic_to", False, "allergic",
        (r"<S><AM>(?: very| severely| highly| mildly| really| deathly| extremely| so)? allergic to <LIST>",), (r"\ballerg(?:y|ies|ic)\b",),
        "{head} is allergic to {tail}", kind="preference",
    ),
    Relation(
        "speaks", False, "speak speaks",
        (rf"<S><HAVE> speaks? (?:fluent |some |both |a little )?(?P<list>{_TONGUES}(?:(?:, and |, | and ){_TONGUES}){{0,5}})\b",),
        (r"\b(?:which|what|how many) languages?\b",), "{head} speaks {tail}",
    ),
    Relation(
        "visited", False, "visited went travelled traveled flew been trip",
        (r"<S><HAVE> (?:visited|(?:went|travell?ed|flew|been|took a trip) to) <PLACE>",),
        (r"\b(?:which|what) (?:countries|cities|places|country|city)\b.{0,40}\b(?:visit|been|travel|go)",
         r"\bwhere\b.{0,40}\b(?:travel|visit|vacation|holiday)"),
        "{head} visited {tail}",
    ),
    Relation(
        "plays", False, "play plays", (rf"<S><HAVE> plays? (?:the )?(?P<tail>{_SPORTS})\b",),
        (r"\b(?:what|which) (?:musical )?(?:instrument|sport)s?\b",), "{head} plays {tail}",
    ),
    Relation(
        "owns", False, "own owns", (rf"<S><HAVE> owns? an? (?P<tail>{_WORDS}{{0,2}}?){_ENDS}",),
        (r"\bwhat\b.{0,30}\bowns?\b",), "{head} owns a {tail}",
    ),
    Relation(
        "prefers", False, "prefer prefers", (r"<S><HAVE> prefers? <THING>",),
        (r"\bprefers?\b", r"\bpreference\b"), "{head} prefers {tail}", kind="preference",
    ),
    Relation(
        "dislikes", False, "hate hates dislike dislikes can't don't doesn't",
        (r"<S><HAVE> (?:hate|hates|dislike|dislikes|can['’]t stand|don['’]t like|doesn['’]t like) <THING>",),
        (r"\b(?:dislikes?|hates?)\b", r"\b(?:not|n't) (?:like|enjoy)\b"), "{head} dislikes {tail}",
        kind="preference",
    ),
    Relation(
        "likes", False, "love loves like likes enjoy enjoys adore adores fan",
        (r"<S><HAVE> (?:love|loves|like|likes|enjoy|enjoys|adore|adores) <THING>",),
        (r"\bwhat (?:do|does|did)\b.{0,40}\b(?:like|love|enjoy)\b", r"\bhobb(?:y|ies)\b"),
        "{head} likes {tail}", kind="preference",
    ),
)  # fmt: skip
"""Where two rows fit a question, the earlier is meant."""


def statement_pattern(written: str) -> re.Pattern[str]:
    """A pattern of the table with its words in angle brackets filled in."""
    for part, meaning in _PARTS.items():
        written = written.replace(part, meaning)
    return re.compile(written)


_ASKS = tuple((row.name, re.compile(ask)) for row in RELATIONS for ask in row.asks)
_SINGULAR = {
    "children": "child",
    "kids": "child",
    "kid": "child",
    "puppies": "puppy",
    "movies": "movie",
    "series": "series",
}


def attribute(words: str) -> str:
    """What a count or a favourite is of: singular, British spelling, lower case."""
    word = words.lower().replace("color", "colour").replace("flavor", "flavour")
    if word in _SINGULAR:
        return _SINGULAR[word]
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def asked(query: str) -> str | None:
    """The relation that a question asks for, as facts name it, or None."""
    folded = query.lower().replace("\u2019", "'")[:400]
    for name, pattern in _ASKS:
        if found := pattern.search(folded):
            return name + attribute(found["what"]) if name.endswith(":") else name
    return None


class Correction(NamedTuple):
    """Somebody takes something back: ``new`` holds instead of ``old`` ("" where not said).

    ``start`` and ``end`` are the characters of the correction in the text.
    """

    new: str
    old: str
    start: int
    end: int


_VALUE = rf"(?:{_RUN}(?: \d{{1,4}})?|\d[\w:.,/-]{{0,12}}(?: {_CAP})?(?: \d{{4}})?)"
_CORRECTIONS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?i:(?:it|that|he|she|i)(?:['’](?:s|m)| is| was| am)) (?:in |on |at )?(?P<new>{_VALUE}),? not (?:in |on |at )?(?P<old>{_VALUE})",
        rf"\b(?i:not) (?:in |on |at )?(?P<old>{_VALUE}),? (?:but|it['’]s|it is|it was) (?:in |on |at )?(?P<new>{_VALUE})",
        rf"\b(?i:i meant)(?: to say)? (?:in |on |at )?(?P<new>{_VALUE})(?:,? not (?:in |on |at )?(?P<old>{_VALUE}))?",
        rf"\b(?i:sorry|oops|no|wait|actually)\b[,.!:… -]{{1,4}}(?i:i (?:meant|mean)(?: to say)?) (?:in |on |at )?(?P<new>{_VALUE})",
        rf"\b(?i:correction):? (?:it['’]s |it is )?(?P<new>{_VALUE})",
        rf"\b(?i:no|actually|sorry|oops|wait)[,.! -]{{1,3}}(?i:it['’]?s|it is|it was|that was) (?:in |on |at )?(?P<new>{_VALUE})(?=[.,!]|$)",
    )
)  # fmt: skip
_CORRECTS = re.compile(
    r"\b(?:not|mean|meant|correction|actually|sorry|oops|wait|no)\b", re.IGNORECASE
)


def correction(text: str) -> Correction | None:
    """What the text puts right, or None: "actually it's Oslo, not Bergen", "I meant 14 May"."""
    if not _CORRECTS.search(text):
        return None
    for pattern in _CORRECTIONS:
        if found := pattern.search(text):
            parts = found.groupdict()
            new, old = parts["new"], parts.get("old") or ""
            return Correction(new.rstrip(",."), old.rstrip(",."), *found.span())
    return None
