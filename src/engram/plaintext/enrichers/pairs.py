"""What was said becomes pairs of a question and its answer, which are found by the question.

Source: Chen et al. 2023, QA-Memory, arXiv:2204.04581, section 3.1: a memory of question-answer
    pairs, keyed by the question; a pair is kept where a reader answers it the same again.
Differs: no trained reader and no trained generator: pairs come from statements, definitions,
    headings and lists of questions, by rules, and from a model where there is one. An answer is
    always words of its source. A newer answer ends the older where only one can hold, and a pair
    that is told again in one scope is held once, resting on both.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from engram.plaintext.advice import Advisor, Question, fields, numbered
from engram.plaintext.derived import derived
from engram.plaintext.roles import EditPlan, Record, Source, State, View
from engram.plaintext.text.drafts import Drafts
from engram.plaintext.text.questions import LONGEST, Pair, pairs
from engram.plaintext.text.reading import answers
from engram.plaintext.text.slots import agrees, is_person, is_withdrawn, placed, rivals, said_at
from engram.plaintext.text.wording import exact
from engram.plaintext.text.words import same_text, terms

KIND = "qa"
_TEXT = {"type": "string", "minLength": 1, "maxLength": LONGEST}
_ASKED = (
    "Write questions that these numbered messages answer and that somebody may ask later, each "
    "with the number of its message and its answer. A question must be clear to someone who has "
    "not read the message: name people and things. The answer must be words copied from the "
    "message, as few as answer the question, and must not stand in the question."
)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Makes ``qa`` records; their fields ``question`` and ``answer`` are their text.

    Attributes:
        most: pairs of one message.
        advisor: asks more than the rules do; what it asks passes the same filter.
    """

    most: int = 16
    advisor: Advisor | None = None

    def enrich(self, fresh: Sequence[Record], now: float, view: View) -> EditPlan:
        """Return the new pairs, and what they change of the pairs with the same question."""
        drafts = Drafts(view, KIND, None)
        said = [record for record in fresh if is_person(record)]
        advised = self._advised(said)
        for record in said:
            for pair in [*pairs(record), *advised.get(record.id, ())][: self.most]:
                drafts.lay(*_settled(_record(record, pair), drafts))
        return EditPlan(drafts.edits(), "pairs", "questions with their answers")

    def _advised(self, said: Sequence[Record]) -> Mapping[str, list[Pair]]:
        """Id of the message -> pairs that a model made of it, as far as they hold."""
        if self.advisor is None or not said:
            return {}
        of = {"type": "integer", "minimum": 0, "maximum": len(said) - 1}
        one = fields({"of": of, "question": _TEXT, "answer": _TEXT})
        schema = fields({"pairs": {"type": "array", "items": one}})
        shown = [f"{_who(record)}: {record.text}" for record in said]
        answer = self.advisor.ask(Question("pairs", _ASKED, numbered(shown), schema, 4096))
        found: dict[str, list[Pair]] = {}
        for each in answer["pairs"] if answer else ():
            record, question = said[each["of"]], " ".join(each["question"].split())
            told = each["answer"].strip()
            if _holds(question, told, record):
                start = record.text.index(told)
                pair = Pair(question, told, start, start + len(told))
                found.setdefault(record.id, []).append(pair)
        return found


def _who(record: Record) -> str:
    return str(record.fields.get("speaker") or "The user")


def _holds(question: str, answer: str, record: Record) -> bool:
    """Whether a model's question names nothing that was not shown, and is answered so again."""
    shown = set(terms(f"{_who(record)} {record.text}").stems)
    return exact(question) <= shown and answers(question, answer, record.text)


def _record(source: Record, pair: Pair) -> Record:
    question = same_text(pair.question)
    slot = {"head": question, "relation": "question", "tail": pair.answer}
    speaker = source.fields.get("speaker")
    record = derived(
        [source],
        KIND,
        f"{pair.question} {pair.answer}",
        "pairs",
        key=f"{question} {same_text(pair.answer)}",
        fields={
            "question": pair.question,
            "answer": pair.answer,
            **slot,
            "functional": pair.single,
            **({"speaker": speaker} if speaker else {}),
        },
        valid_from=said_at(source) if pair.since is None else pair.since,
    )
    return replace(record, sources=(Source(source.id, pair.start, pair.end),))


def _settled(pair: Record, drafts: Drafts) -> Iterable[Record]:
    """The after-images: it is there, was told before, or takes its place among other answers."""
    (source,) = pair.sources
    slot = drafts.filling(pair)
    same = [each for each in slot if agrees(each, pair) and not is_withdrawn(each)]
    if any(source.record == known.record for each in same for known in each.sources):
        return []
    for known in same:
        if _can_hold(known, pair):
            sources, parents = (*known.sources, source), (*known.parents, source.record)
            return [replace(known, sources=sources, parents=parents)]
    new = drafts.unsettled(pair)
    return [] if new is None else placed(new, rivals(new, slot))


def _can_hold(known: Record, pair: Record) -> bool:
    """Whether one record can stand for both: who may see it, and how long, is the same."""
    open_ = known.state is State.ACTIVE and not known.frozen
    return open_ and (known.scope, known.expires_at) == (pair.scope, pair.expires_at)
