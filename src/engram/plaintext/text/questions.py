"""Questions that a text answers by what it states, defines and lists, each with its answer."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from engram.plaintext.roles import Record
from engram.plaintext.text.names import NOT_NAMES, names
from engram.plaintext.text.reading import answers, laid_out
from engram.plaintext.text.sentences import sentences
from engram.plaintext.text.slots import Told, told
from engram.plaintext.text.words import same_text


class Pair(NamedTuple):
    """A question and its answer, which is characters ``start`` to ``end`` of a text.

    Attributes:
        question: as somebody would ask it.
        answer: as it stands in the text.
        start, end: of the answer.
        single: whether a newer answer ends it.
        since: when it began to hold, where that was said; seconds.
    """

    question: str
    answer: str
    start: int
    end: int
    single: bool = False
    since: float | None = None


QUESTIONS: Mapping[str, str] = {
    "age": "How old is {head}?",
    "allergic_to": "What is {head} allergic to?",
    "birthday": "When is {head}'s birthday?",
    "born_in": "Where was {head} born?",
    "comes_from": "Where does {head} come from?",
    "count:": "How many {what} does {head} have?",
    "diet": "What is {head}'s diet?",
    "dislikes": "What does {head} dislike?",
    "drives": "What car does {head} drive?",
    "email": "What is {head}'s e-mail address?",
    "favourite:": "What is {head}'s favourite {what}?",
    "has_child": "What is the name of {head}'s child?",
    "has_pet": "What pet does {head} have?",
    "job": "What is {head}'s job?",
    "likes": "What does {head} like?",
    "lives_in": "Where does {head} live?",
    "name": "What is {head}'s name?",
    "owns": "What does {head} own?",
    "partner": "Who is {head}'s partner?",
    "phone": "What is {head}'s phone number?",
    "plays": "What does {head} play?",
    "prefers": "What does {head} prefer?",
    "speaks": "Which language does {head} speak?",
    "status": "What is {head}'s marital status?",
    "studies_at": "Where does {head} study?",
    "visited": "Which place did {head} visit?",
    "works_at": "Where does {head} work?",
}
"""Relation of the table of statements -> what it answers."""

LONGEST = 300
"""Characters of an answer; a longer one is a text of its own."""

_NAME = r"[A-Z][\w&'’-]*(?: (?:of |the |de |van |von )?[A-Z][\w&'’-]*){0,4}"
_REST = r"(?P<answer>[^\s,;.!?][^;.!?]*[^\s,;.!?]|\w)(?=[.;!]|$)"
_OF = rf"The (?P<what>[a-z][a-z '-]{{1,40}}?) of (?P<name>(?:the )?{_NAME}) (?:is|was) {_REST}"
_BEING = rf"(?P<name>{_NAME}) (?:is|was) (?P<answer>(?:an?|the|one of) [^;.!?]{{3,}}?)(?=[.;!]|$)"
_MEANING = (
    rf"(?P<name>(?:[Aa]n? [a-z-]+(?: [a-z-]+)?|{_NAME}) )(?:means|refers to|stands for) {_REST}"
)
_DEFINED = tuple(
    (re.compile(pattern), question, single)
    for pattern, question, single in (
        (
            _OF,
            "What is the {what} of {name}?",
            True,
        ),
        (
            rf"(?P<name>{_NAME})['’]s (?P<what>[a-z][a-z -]{{1,40}}?) is {_REST}",
            "What is {name}'s {what}?",
            True,
        ),
        (
            _BEING,
            "{who} is {name}?",
            False,
        ),
        (
            _MEANING,
            "What does {name} mean?",
            False,
        ),
        (
            r"(?P<name>An? [a-z-]+(?: [a-z-]+){0,2}) is (?P<answer>an? [^;.!?]{3,}?)(?=[.;!]|$)",
            "What is {name}?",
            False,
        ),
    )
)


def pairs(record: Record) -> list[Pair]:
    """The pairs of a message, each once, in its order; every answer is read there again."""
    text = record.text
    found = [*_stated(record), *_defined(text), *_listed(text)]
    first: dict[tuple[str, str], Pair] = {}
    for pair in sorted(found, key=lambda each: (each.start, not each.single)):
        if 0 < len(pair.answer) <= LONGEST:
            first.setdefault((same_text(pair.question), same_text(pair.answer)), pair)
    return list(first.values())


def asked_of(said: Told) -> str:
    """The question that a statement answers; "" where there is none for it."""
    name, _, what = str(said.slot["relation"]).partition(":")
    if what and name == "count":  # the name of the relation has lost the plural
        what = said.text.partition(f" {said.tail} ")[2]
    head = "the user" if said.head == "The user" else said.head
    head = head.replace("The user's", "the user's")
    return QUESTIONS.get(name + ":" * bool(what), "").format(head=head, what=what)


def _stated(record: Record) -> Iterator[Pair]:
    for said in told(record):
        passage = record.text[said.start : said.end]
        at, question = passage.rfind(said.tail), asked_of(said)
        if at >= 0 and question and answers(question, said.tail, passage):
            start = said.start + at
            single = bool(said.slot["functional"])
            yield Pair(question, said.tail, start, start + len(said.tail), single, said.since)


def _defined(text: str) -> Iterable[Pair]:
    for span in sentences(text):
        sentence = text[span.start : span.end]
        for pattern, question, single in _DEFINED:
            found = pattern.match(sentence)
            if found and _named(found["name"]):
                about = {"who": _who(sentence, found.end("name"))} | found.groupdict()
                asked = question.format(**{key: _within(part) for key, part in about.items()})
                start, end = found.span("answer")
                if answers(asked, found["answer"], sentence):
                    yield Pair(asked, found["answer"], span.start + start, span.start + end, single)
                    break


def _listed(text: str) -> Iterator[Pair]:
    for laid in laid_out(text):
        answer = text[laid.start : laid.end]
        if answers(laid.question, answer, text):
            yield Pair(laid.question, answer, laid.start, laid.end, laid.asked)


def _named(name: str) -> bool:
    """Not a pronoun, a day or the like in capitals because it opens the sentence."""
    first = name.split()[0].lower()
    return first in {"a", "an", "the"} or first not in NOT_NAMES


def _within(part: str) -> str:
    """A part of a question, with the article as it is inside a sentence."""
    return re.sub(r"^(An?|The) ", lambda found: found[0].lower(), part.strip())


def _who(sentence: str, end: int) -> str:
    person = any(each.kind == "person" and each.end == end for each in names(sentence))
    return "Who" if person else "What"
