"""Filing: which of six stores a message belongs in, and what each of them keeps of it.

Core is what people say of themselves, episodic what happened on a day, semantic what something is,
procedural how something is done, resource documents and links; the vault is for secrets. Rules read
patterns of words and lists. In doubt a message is filed twice rather than not at all.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from engram.plaintext.text.dates import Dated, find_dates
from engram.plaintext.text.secrets import secrets
from engram.plaintext.text.sentences import sentences
from engram.plaintext.text.times import iso

STORES = ("core", "episodic", "semantic", "procedural", "resource")
"""The stores that a message is filed in once it is stored; the vault takes its part before."""

_LONGEST = 20_000  # characters that are read
_DOCUMENT = 1_500  # characters from which a message is a document
_SUMMARY = 300  # characters of a summary


class Item(NamedTuple):
    """What one store keeps of a message: characters ``start`` to ``end`` say it.

    ``name`` is what it is about, for stores in which a newer item takes the place of an older.
    """

    store: str
    text: str
    fields: Mapping[str, Any]
    start: int
    end: int
    name: str = ""


class _Sentence(NamedTuple):
    text: str
    start: int
    end: int


def stores_of(text: str, said_at: float | None) -> frozenset[str]:
    """The stores that a message belongs in, by the rules; ``vault`` where it holds a secret."""
    found = {item.store for item in items(text, said_at)}
    return frozenset(found | ({"vault"} if secrets(text) else set()))


def items(text: str, said_at: float | None, *, person: bool = True) -> list[Item]:
    """What the stores keep of a message.

    Args:
        text: of the message.
        said_at: seconds since 1970, UTC, from which relative dates count; None leaves them out.
        person: whether a person said it, who may speak of themselves.
    """
    head = text[:_LONGEST]
    spans = [_Sentence(head[s.start : s.end], s.start, s.end) for s in sentences(head)]
    steps = procedure(head)
    found = [steps] if steps else []
    found += [each for sentence in spans if (each := resource(sentence))]
    if len(text) >= _DOCUMENT and not any(each.store == "resource" for each in found):
        found.append(document(text))
    if steps is None:
        dates = find_dates(head, said_at)
        for sentence in spans:
            found += _told(sentence, dates, person=person)
    return found


def _told(sentence: _Sentence, dates: list[Dated], *, person: bool) -> list[Item]:
    if sentence.text.rstrip("\"'”’) ").endswith(("?", "？")):
        return []
    mine = core(sentence) if person else None
    what = definition(sentence) if mine is None else None
    within = [each for each in dates if sentence.start <= each.start < sentence.end]
    event = episode(sentence, within) if not (mine and _LASTING.search(sentence.text)) else None
    if what is not None and not _HAPPENED.search(sentence.text):
        event = None
    return [each for each in (mine, what, event) if each is not None]


# --- core

_I = r"(?:^|[,;:.!] |\b(?:and|but|so|because|that|well|oh|btw|by the way|fyi|also|hi|hey)[,!]? )"
_OFTEN = r"(?:also |always |never |really |usually |mostly |only |mainly |still |just |now )*"
_SELF = re.compile(
    _I
    + r"(?:(?:i am|i['’]m) "
    + _OFTEN
    + r"(?:an? (?!(?:bit|little|lot|few|mess|moment|second|minute|while)\b)|from |originally "
    r"|allergic|intolerant|vegetarian|vegan|married|single|divorced|engaged|left-handed|colou?r"
    r"|retired|self-employed|unemployed|based|afraid of|scared of|fluent|bilingual|diabetic"
    r"|asthmatic|dyslexic|\d{1,3}(?: years old)?[ .,!]|\d{1,3}$|the (?:oldest|youngest|eldest"
    r"|mother|father)|into |passionate|obsessed with|good at|bad at|terrible at|fond of|not a )"
    r"|my name(?:['’]s| is)|call me |people call me|i go by |my pronouns"
    r"|i " + _OFTEN + r"(?:live|reside|work (?:at|as|for|in|from|with|part|nights)|stud(?:y|ied)"
    r"|speak|play|prefer|like|love|adore|enjoy|hate|dislike|can['’]?t stand|cannot stand"
    r"|can['’]?t eat|do(?: not|n['’]t) (?:eat|drink|like|smoke|drive|own|speak|enjoy|have (?:any"
    r"|a) )|eat|drink|drive an?|own|collect|grew up|was born|come from|have (?:an?|one|two|three"
    r"|four|five|no|\d) (?:\w+ )?(?:dog|cat|kid|child|son|daughter|sister|brother|sibling|twin|pet"
    r"|allerg|degree|phd|parrot|horse|rabbit|wife|husband)\w*|wear|identify|believe in|suffer from"
    r"|practi[cs]e|run (?:a|my|every)|cycle to|teach|wake up|go (?:running|swimming|climbing))"
    r"(?! (?:it|that|this|your|the idea|how|what|them|you|to (?:see|hear|know)|about that)\b)"
    r"|i(?:['’]ve| have) (?:always|been an?|lived|worked|never)\b"
    r"|my (?:favou?rite|wife|husband|partner|girlfriend|boyfriend|birthday|hobb(?:y|ies)|job"
    r"|hometown|native language|mother tongue|profession|height|blood type|shoe size|nickname"
    r"|zodiac|star sign|kids|children|daughter|son|sisters?|brothers?|mother|father|mum|mom|dad"
    r"|parents|dog|cat|biggest (?:fear|weakness|strength)|dream|goal|diet|religion|address"
    r"|nationality|time ?zone|pet peeve|[a-z]+ size)"
    r"(?:s?['’]?s? \w+){0,2}? (?:is|are|was|has|have|live|work|were)\b)",
    re.IGNORECASE,
)
_PERSONA = re.compile(
    r"^(?:(?:please|and|also|from now on|in future|remember)[,:]? )*"
    r"(?:you are (?:an?|my|the) |your name is |your (?:role|job|tone) is |always (?:answer|reply"
    r"|respond|address|use|write)|never (?:answer|reply|respond|address|use emoji)"
    r"|(?:answer|reply|respond|talk|speak) (?:to me )?(?:in|with|only|briefly)\b"
    r"|be (?:brief|concise|polite|formal|honest)|keep (?:your )?(?:answers|replies)|call yourself)",
    re.IGNORECASE,
)
_LASTING = re.compile(
    r"\b(?:born|birthday|since|grew up|graduated|anniversary|years old|every|always|usually"
    r"|been an?|lived|each|on (?:mon|tues|wednes|thurs|fri|satur|sun)days"
    r"|in the (?:morning|evening)s?|at (?:six|seven|five|four) )\b",
    re.IGNORECASE,
)
_PASSING = re.compile(
    r"\b(?:today|tonight|yesterday|tomorrow|this (?:morning|evening|afternoon|week)"
    r"|last (?:night|week|month)|right now|at the moment)\b|\b(?:a|one|two|three) \w+ ago\b",
    re.IGNORECASE,
)


def core(sentence: _Sentence) -> Item | None:
    """What somebody lastingly is, has, likes or does; or how the assistant should be."""
    said = sentence.text
    if _PERSONA.search(said):
        return _item("core", sentence, {"label": "persona", "value": said})
    found = _SELF.search(said)
    passing = _PASSING.search(said) and not _LASTING.search(said)
    if found is None or passing:
        return None
    return _item("core", sentence, {"label": "human", "value": said})


# --- episodic

_PAST = (
    r"(?:went|met|saw|took|made|came|bought|won|ran|gave|told|left|found|began|became|got|had|did"
    r"|ate|flew|drove|broke|fell|lost|sold|spoke|taught|wrote|read|heard|sang|swam|slept|built"
    r"|caught|chose|cut|hit|held|kept|led|paid|put|sent|spent|stood|threw|woke|wore|was|were"
    r"|(?!need|indeed|speed|feed|seed|weed|breed|bleed|bed|red|tired|bored|excited|interested)"
    r"\w{2,}ed)"
)
_HAPPENED = re.compile(
    rf"\b(?:i|we|he|she|they|it|you|[A-Z]\w+|my \w+|our \w+|the \w+|a \w+)(?: and (?:i|\w+))?"
    rf"(?:['’](?:ve|s|d|ll)|(?: (?:have|has|had|will|just|finally|also|already|both|all|almost"
    rf"|only|accidentally|suddenly|nearly)))*"
    rf" (?:{_PAST}|been|going to|visit|meet|start|move|fly|travel|attend|leave|arrive)\b"
    r"|\b(?:i|we|he|she|they)['’]ll \w+|\b(?:will|going to|gonna|shall|plan(?:s|ning)? to) \w+"
    r"|\b(?:am|are|is|['’]m|['’]re|['’]s) (?:\w+ing|due|scheduled|booked|planned)\b",
    re.IGNORECASE,
)
_MINE = re.compile(
    rf"(?:^|[,;] |\b(?:and|but|so) )(?:i|we)(?: (?:just|finally|also|both|already))? "
    rf"(?!was (?:born|an?)|had to|used|wanted|loved|liked|hoped|needed|grew|were){_PAST}\b",
    re.IGNORECASE,
)
_OCCASION = re.compile(
    r"\b(?:meeting|appointment|flight|party|wedding|dinner|lunch|breakfast|concert|exam|interview"
    r"|deadline|trip|birthday|conference|workshop|game|match|show|funeral|surgery|call|date|visit"
    r"|festival|ceremony|reunion|race|marathon|lesson|class|picnic|train|checkup|check-up|release"
    r"|launch|review|hearing|move|holiday|vacation|delivery|graduation|recital|rehearsal)s?\b",
    re.IGNORECASE,
)


def episode(sentence: _Sentence, dates: list[Dated]) -> Item | None:
    """What happened or will happen: a date with a verb or an occasion, or what we did."""
    said = sentence.text
    dated = dates and (_HAPPENED.search(said) or _OCCASION.search(said))
    if not dated and not _MINE.search(said):
        return None
    occasion = _OCCASION.search(said)
    fields = {
        "event_type": occasion.group().lower().rstrip("s") if occasion else "activity",
        "summary": _cut(said),
        "details": said,
        "occurred_at": iso(dates[0].begin) if dates else None,
    }
    return _item("episodic", sentence, fields)


# --- semantic

_NOT_CONCEPTS = (
    r"(?:i|you|he|she|it|we|they|this|that|these|those|there|here|who|what|which|where|when|why"
    r"|how|my|your|his|her|our|their|one|someone|somebody|something|everything|nothing|everyone"
    r"|today|tomorrow|tonight|yesterday|all|some|both|yes|no|not|life|if|as|so|and|but|or|because"
    r"|thanks|good|nice|great|wow|oh|hey|just|maybe|next|last|also|plus|then|now|please)"
)
_NAME = (
    rf"(?!{_NOT_CONCEPTS}\b)(?P<name>[\"“'‘]?[\w][\w.+#'’/-]*(?: (?!(?:is|are|was|were|has|have|had"
    r"|will|means|i|we|he|she|they|you|my|your|our|his|her|their)\b)[\w.+#'’/()-]+){0,5}[\"”'’]?)"
)
_MEANS = (
    r"means|refers to|stands for|is (?:defined|known|described) as|denotes|is called|are called"
    r"|is short for|is another (?:word|name) for|is (?:the|a) (?:term|word|name|abbreviation"
    r"|acronym) (?:for|that|of)|describes|is when|consists of|is where"
)
_GENERAL = (
    r"(?:is|are|was|were) (?:basically |essentially |simply |really |usually |both |also )?"
    r"(?:an? (?!(?:bit|little|lot|few|mess|good idea|bad idea|great|nice|bad|good|shame|pity|must"
    r"|joke|nightmare|disaster|pain|relief|treat|blast|delight)\b)|any |the (?!(?:best|same|worst"
    r"|only|way|problem|one)\b)(?=\w+(?: \w+){0,3} (?:of|that|which|by|for|in|where|to|between)\b)"
    r"|one of the |what |(?:[\w-]+ ){0,3}[\w-]+s (?:that|which|who|used|made|where|with) )"
)
_DEFINES = re.compile(
    r"^(?:(?:so|well|fyi|by the way|remember|note that|in [\w ]{2,30}|for the record|basically"
    r"|definition)[,:]? )*(?:the (?:term|word|acronym|abbreviation|concept of) )?(?:an? |the )?"
    rf"{_NAME}(?:,? (?:or|also called|also known as|short for|in [\w ]{{2,20}})[^,]{{1,40}},)?"
    rf",? (?:(?P<firm>{_MEANS})|{_GENERAL})(?P<what>.{{8,}})",
    re.IGNORECASE | re.DOTALL,
)
_GLOSS = re.compile(
    r"^(?P<name>[A-Z][\w+#-]*(?: [\w-]+){0,3})(?: ?[:=–—] | - )(?:an? |the )(?P<what>[a-z].{12,})"
    r"|^(?:by|we call|when we say) [\"“'‘]?(?P<term>[\w-]+(?: [\w-]+){0,3})[\"”'’]?,? we mean"
    r" (?P<meant>.{8,})",
    re.DOTALL | re.IGNORECASE,
)


def definition(sentence: _Sentence) -> Item | None:
    """What something is or means, whoever says it and whenever."""
    said = sentence.text
    found = _DEFINES.match(said) or _GLOSS.match(said)
    if found is None or _PASSING.search(said):
        return None
    groups = found.groupdict()
    name = (groups.get("name") or groups.get("term") or "").strip("\"“”'‘’ ")
    fields = {"name": name, "summary": _cut(said), "details": said}
    return _item("semantic", sentence, fields, name)


# --- procedural

_STEP = re.compile(
    r"^[ \t]*(?:(?P<number>\d{1,2}[.):]|step \d{1,2}[.:)]?|\(\d{1,2}\))|[-*•–])"
    r"[ \t]+(?P<step>\S.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_DO_WORDS = """
add allow apply arrange ask attach bake beat blend boil break bring brush build call carry change
check chop choose clean clear click clone close combine commit configure connect cook cool copy
cover create cut deploy dig disconnect dissolve download drag drain draw drill drop dry edit empty
enable enter export feed fill find flip fold follow freeze fry get glue go grab grease grind hang
heat hold import insert install keep knead launch lay leave let lift lock log loosen lower make
mark marinate measure melt merge mix move navigate open pack paint paste peel pick pin place plant
plug pop pour preheat press print pull push put put raise read reboot remove rename repeat replace
reset restart rinse roll rotate rub run sand save scan scoop screw scroll seal season select send
set shake sharpen shut sieve sign simmer slice slide soak spray spread sprinkle start stir stop
store strain submit switch take tap tape tear test thread tie tighten toast trim turn twist type
unlock unplug unscrew untie update upload use verify wait warm wash water weigh whisk wipe wrap
write
"""
_DO = rf"(?:{'|'.join(_DO_WORDS.split())})"
_ORDER = (
    r"(?:first(?:ly)?|first of all|then|next|after that|afterwards|finally|lastly|second(?:ly)?)"
)
_THEN_DO = re.compile(
    rf"\b{_ORDER},? (?:you (?:\w+ )?)?(?:gently |slowly |carefully )?{_DO}\b", re.I
)
_HOW = re.compile(
    rf"\b(?:here['’]?s how|how to \w+|steps? (?:to|for)|instructions (?:for|to)|recipe for"
    rf"|the (?:way|trick|procedure|process|secret) (?:to|is to|for) |workflow (?:for|is)|checklist)"
    rf"|^(?:to|in order to) \w+[^,.]{{2,80}}, (?:you (?:need|have|should|must|can|just|first)|"
    rf"(?:first |just |simply |always )?{_DO}\b)"
    rf"|^(?:when(?:ever)?|if|before|after|once|every time)\b[^,.]{{3,80}}, (?:always |first |just "
    rf"|make sure (?:to|you) |you (?:should|must|need to|have to) )?{_DO}\b"
    rf"|\b(?:make sure to|you (?:need|have) to|you should) (?:first |always )?{_DO}\b[^.]*\b(?:then"
    rf"|before|and then|until|after)\b"
    rf"|^(?:always )?{_DO}\b[^.]{{3,}}(?:,| and) (?:then )?{_DO}\b[^.]{{3,}}",
    re.IGNORECASE,
)
_CODE = re.compile(r"^\s*(?:```|\$ |#!/)", re.MULTILINE)


def procedure(text: str) -> Item | None:
    """How something is done: a list of steps, an order of things to do, or a rule for a case."""
    listed = list(_STEP.finditer(text))
    numbered = sum(each["number"] is not None for each in listed)
    head = text[: listed[0].start()].strip() if listed else ""
    doing = sum(bool(re.match(rf"{_DO}\b", each["step"], re.I)) for each in listed)
    if len(listed) > 1 and (numbered > 1 or doing * 2 >= len(listed) or _HOW.search(head)):
        steps = [each["step"].strip() for each in listed]
        return _steps(head or steps[0], steps, text, "workflow")
    spans = [text[s.start : s.end] for s in sentences(text)]
    ordered = len(_THEN_DO.findall(text))
    if ordered > 1 or any(_HOW.search(each) for each in spans if not each.endswith("?")):
        kind = "script" if _CODE.search(text) else "guide"
        return _steps(spans[0], _split(text) if ordered else spans, text, kind)
    return None


def _split(text: str) -> list[str]:
    parts = re.split(rf"(?:[.;,]\s+|\s+)(?=(?:and )?{_ORDER}\b)", text, flags=re.IGNORECASE)
    return [part.strip(" .,;") for part in parts if part.strip(" .,;")]


def _steps(summary: str, steps: list[str], text: str, kind: str) -> Item:
    name = _cut(" ".join(summary.split()).rstrip(":"))
    fields = {"entry_type": kind, "summary": name, "steps": steps}
    said = text if len(text) <= _DOCUMENT else "\n".join([name, *steps])[:_DOCUMENT]
    return Item("procedural", said, fields, 0, len(text), name)


# --- resource

_LINK = re.compile(
    r"\b(?:https?://|www\.)[^\s<>\"')\]]+|\b(?:doi:|arxiv:)\s?[\w./-]+", re.IGNORECASE
)
_FILE = re.compile(
    r"[\w][\w./-]*\.(?P<ending>pdf|docx?|xlsx?|pptx?|odt|md|txt|csv|ipynb|png|jpe?g|svg|mp[34]|zip"
    r"|epub|tex|key|pages|html?|json|ya?ml|sql|py)\b",
    re.IGNORECASE,
)
_WORK = re.compile(
    r"\b(?P<type>paper|article|book|report|document|doc|spreadsheet|slides|slide deck|deck|video"
    r"|podcast|manual|handbook|template|wiki page|wiki|repository|repo|notebook|blog post|tutorial"
    r"|guide|contract|invoice|brochure|novel|essay|thesis|white ?paper|course|newsletter|minutes)"
    r"(?: is)? (?:titled|called|named|entitled|at|on the (?:shared|drive)|in the (?:shared|drive"
    r"|folder)|[\"“‘'][A-Z])|\b(?:attached|enclosed|attaching|uploaded|shared|sending you)\b.{0,40}"
    r"\b(?P<sent>pdf|file|document|report|spreadsheet|slides|deck|photo|contract|invoice|notes"
    r"|minutes|draft|agenda|manual|recording|presentation)\b",
    re.IGNORECASE,
)


def resource(sentence: _Sentence) -> Item | None:
    """A document, or where one is: an address, a file, a work by its title."""
    said = sentence.text
    link, file, work = _LINK.search(said), _FILE.search(said), _WORK.search(said)
    if not (link or file or work):
        return None
    where = link.group().rstrip(".,;:!?") if link else file.group() if file else ""
    kind = "link" if link else ""
    kind = kind or (file["ending"].lower() if file else "")
    kind = kind or (str(work["type"] or work["sent"]).lower() if work else "document")
    quoted = re.search(r"[\"“‘']([^\"”’']{3,120})[\"”’']", said)
    title = quoted[1] if quoted else where or _cut(said)
    fields = {"title": title, "summary": _cut(said), "resource_type": kind, "where": where}
    return _item("resource", sentence, fields, where or title)


def document(text: str) -> Item:
    """A long text by its first line; the whole is in the message."""
    line = " ".join(text.strip().split("\n", 1)[0].lstrip("# ").split())
    summary = _cut(" ".join(text.split()))
    fields = {"title": _cut(line), "summary": summary, "resource_type": "document", "where": ""}
    return Item("resource", summary, fields, 0, len(text), _cut(line))


def whole(store: str, text: str) -> Item:
    """All of a message as an item of a store for which no rule reads it."""
    return Item(store, text, {"summary": _cut(text)}, 0, len(text))


def _item(store: str, sentence: _Sentence, fields: Mapping[str, Any], name: str = "") -> Item:
    return Item(store, sentence.text, fields, sentence.start, sentence.end, name)


def _cut(text: str) -> str:
    return text if len(text) <= _SUMMARY else text[: _SUMMARY - 1].rstrip() + "…"
