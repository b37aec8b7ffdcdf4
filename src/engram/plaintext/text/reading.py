"""Reading: the words of a passage that answer a question, found without a model.

Good enough to notice an answer that was made up: a pair of question and answer is kept only where
reading the passage again gives that answer.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from engram.plaintext.text.sentences import sentences
from engram.plaintext.text.words import GRAMMAR, same_text, terms

AGREE = 0.5
"""Share of words in common (F1) from which on two answers are one."""

_TOKEN = re.compile(r"[^\W_]+(?:[.'’@-][^\W_]+)*|[^\w\s]")
_ASKS = r"(?:\*\*)?(?:Q|Question)(?:\*\*)?\s?[:.](?:\*\*)?[ \t]*"
_ANSWERS = r"(?:(?:\*\*)?(?:A|Answer)(?:\*\*)?\s?[:.](?:\*\*)?[ \t]*)?"
_LINE = re.compile(
    rf"^[ \t]*(?:#{{1,6}}[ \t]+(?:{_ASKS})?|{_ASKS}|\*\*(?=[^*\n]+\?\*\*))(?P<line>[^\n]+?)"
    rf"[ \t*#]*\n\s*(?!#|{_ASKS}){_ANSWERS}(?P<body>[^\s#][^\n]*)",
    re.MULTILINE,
)
_TITLE = re.compile(r"[\W_]*[^\W_]+(?:[^\S\n]+\S+){0,5}")  # a longer line is no title


class Laid(NamedTuple):
    """A question that stands over its answer, which is characters ``start`` to ``end``.

    ``asked`` is False where it is made of a title.
    """

    question: str
    start: int
    end: int
    asked: bool


def laid_out(text: str) -> Iterator[Laid]:
    """What headings, bold lines and lines with a Q ask, and the first line below that answers.

    A title asks what that is.
    """
    for found in _LINE.finditer(text):
        line, start = found["line"].strip(" *"), found.start("body")
        if line.endswith("?"):
            yield Laid(line, start, found.end("body"), asked=True)
        elif _TITLE.fullmatch(line) and found[0].lstrip().startswith("#"):
            first = sentences(found["body"])
            if first:
                yield Laid(f"What is {line}?", start, start + first[0].end, asked=False)


def read(question: str, passage: str) -> str:
    """The words of a passage that answer a question; "" where nothing is left to answer it.

    What stands below the question answers it. Else it is the run of words nearest to those that
    the question shares with its best sentence, rather behind them than before.
    """
    asked = same_text(question)
    for laid in laid_out(passage):
        if same_text(laid.question) == asked:
            return passage[laid.start : laid.end]
    wanted = set(terms(question).content)
    spans = [passage[span.start : span.end] for span in sentences(passage)]
    best = max(spans, key=lambda each: len(wanted & set(terms(each).content)), default="")
    runs = _runs(best, wanted)
    return min(runs, default=(0, False, 0, ""))[-1]


def answers(question: str, answer: str, passage: str) -> bool:
    """Whether the answer stands in the passage, and reading the passage gives it again.

    A question that says its own answer asks nothing.
    """
    told, asked = set(terms(answer).content), terms(question)
    if not told or not asked.content or told <= set(asked.stems) or answer not in passage:
        return False
    again = set(terms(read(question, passage)).content)
    return 2 * len(told & again) >= AGREE * (len(told) + len(again))


def _runs(sentence: str, wanted: set[str]) -> list[tuple[int, bool, int, str]]:
    """(words between it and what was asked, whether it stands before, place, text) of each run."""
    tokens = list(_TOKEN.finditer(sentence))
    known = [bool(wanted & set(terms(each.group()).content)) for each in tokens]
    places = [at for at, each in enumerate(known) if each]
    found, run = [], list[int]()
    for at in range(len(tokens) + 1):
        if at < len(tokens) and not known[at] and _tells(tokens[at].group()):
            run.append(at)
        elif run and (at == len(tokens) or known[at] or _parts(tokens, at)):
            after = [run[0] - each for each in places if each < run[0]]
            before = [each - run[-1] for each in places if each > run[-1]]
            near = min([*after, *before], default=0)
            text = sentence[tokens[run[0]].start() : tokens[run[-1]].end()]
            found.append((near, near not in after and bool(places), run[0], text))
            run = []
    return found


def _tells(token: str) -> bool:
    return token[0].isalnum() and token.lower() not in GRAMMAR


def _parts(tokens: Sequence[re.Match[str]], at: int) -> bool:
    """Whether one run of words ends here; a list goes on behind its commas."""
    token = tokens[at].group()
    if token == ",":
        return at + 1 == len(tokens) or not _tells(tokens[at + 1].group())
    return token in {";", ":", ".", "!", "?", "(", ")", "but", "so"}
