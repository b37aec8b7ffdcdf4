"""Whether a text reaches back: to what was said before, or to what it takes as known.

A text without any such cue may be about the world at large. Cues are many and cheap: one that is
seen for nothing costs a search, one that is missed costs the answer.
"""

import re
from collections.abc import Mapping

from engram.plaintext.text.names import names
from engram.plaintext.text.relations import KIN

_CUES: Mapping[str, str] = {
    "own": r"\b(?:i|me|my|mine|myself|we|us|our|ours|i['’](?:m|ve|d|ll)|we['’](?:re|ve|d|ll))\b",
    "earlier": r"\b(?:remember|recall|remind|forgot|forget|mentioned|discussed|talked|said|told"
    r"|earlier|previous(?:ly)?|before|again|already|so far|last (?:time|night|week|month|year"
    r"|session|chat)|the other day|back then|still|yet|ago|since|recent(?:ly)?|lately)\b",
    "told": r"\b(?:you|we|i|he|she|they) (?:just |also |have |had |already |once ){0,2}(?:say|tell"
    r"|mention|suggest|recommend|promise|write|give|show)\w*\b|\bdid (?:you|i|we)\b",
    "pronoun": r"\b(?:he|she|they|him|her|his|hers|them|their|theirs|it|its|it['’]s|that|this|those"
    r"|these|there|then|he['’]s|she['’]s|they['’](?:re|ve))\b",
    "going on": r"^\W*(?:and|but|so|or|also|what about|how about|why not|which one|who else"
    r"|what else|where else|anything else)\b|\b(?:the same|the (?:first|second|last|other) one"
    r"|another one|more of|as usual|as always)\b",
    "past": r"\b(?:was|were|did|had|went|became|got|made|took|gave|saw|came|met|bought|left)\b",
    "kin": rf"\b{KIN}s?\b",
}
_COMPILED = tuple((name, re.compile(cue, re.IGNORECASE)) for name, cue in _CUES.items())
_REQUEST = re.compile(
    r"\b(?:give|tell|show|write|find|make|teach) me\b"
    r"|\bhow (?:do|can|should|would|could) (?:i|we)\b"
    r"|\b(?:can|could|would|will) you\b|\bi(?: would|['’]d) like (?:you )?to\b|\bi need\b",
    re.IGNORECASE,
)
"""What politeness says about oneself says nothing about the past."""


def reaches_back(text: str) -> str:
    """The first cue that the text reaches back, such as ``past`` or ``pronoun``; "" for none."""
    plain = _REQUEST.sub(" ", text)
    for name, cue in _COMPILED:
        if cue.search(plain):
            return name
    return "person" if any(name.kind == "person" for name in names(text)) else ""
