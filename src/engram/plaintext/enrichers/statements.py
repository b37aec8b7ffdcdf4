"""Every lasting thing that is said is added as a short statement; nothing is reworded or deleted.

Source: Chhikara et al. 2025, Mem0, arXiv:2504.19413, section 2.1, for what is drawn from a pair of
    messages and from how much context; version 3 of the mem0 repository (2026), for adding alone.
Differs: the running summary is what is remembered of the conversation and near the new messages. A
    fact must be made of words that were shown, and is tied to all that it borrows them from. Equal
    texts are held once. A slot that can hold one thing holds the newest, so that two values never
    both stand; the older stays as history. Without a model, facts are triples read by rules.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from engram.plaintext.advice import Advisor, Question, choices, fields, numbered
from engram.plaintext.derived import derived
from engram.plaintext.roles import EditPlan, Record, Source, View
from engram.plaintext.text.drafts import Drafts, earlier
from engram.plaintext.text.slots import is_person, placed, rivals, said_at, slot_of, told
from engram.plaintext.text.wording import grounded, lasts, lenders, merged, ties
from engram.plaintext.text.words import same_text
from engram.ports import Embedder

KIND = "statement"
_FACT = {"type": "string", "minLength": 1, "maxLength": 300}
_INSTRUCTIONS = (
    "Write down what the new messages tell that will matter later: preferences, personal details, "
    "plans, services and activities, health, work, and other lasting things. text: one short "
    "sentence that can be understood alone, with the name of whom it is about instead of a "
    "pronoun, in the language of the message. message: the number of the new message that says "
    "it. Leave out small talk, questions, and what is known already. An empty list is often right."
)


@dataclass(frozen=True, slots=True)
class Statements:
    """Draws statements from messages, two by two.

    Attributes:
        recent: messages of the conversation that a model sees before the new ones, and statements.
        similar: nearest statements that it sees, and among which an equal one is looked for.
        embedder: finds the nearest; without one, shared words do.
        advisor: draws the facts, where there is one.
    """

    recent: int = 10
    similar: int = 10
    embedder: Embedder | None = None
    advisor: Advisor | None = None

    def enrich(self, fresh: Sequence[Record], now: float, view: View) -> EditPlan:
        """Return the new statements, and those whose slot they take."""
        drafts = Drafts(view, KIND, self.embedder)
        for pair in _pairs(fresh):
            for each, borrowed in self._facts(pair, view, drafts):
                fact = drafts.unsettled(each)
                if fact is not None:
                    drafts.lay(*self._settled(fact, drafts, now), *ties(fact, borrowed))
        return EditPlan(drafts.edits(), "statements")

    def _settled(self, fact: Record, drafts: Drafts, now: float) -> list[Record]:
        """The after-images: it was said before, or takes its place in the history of its slot."""
        for known, _ in drafts.near(fact, self.similar):
            if same_text(known.text) == same_text(fact.text) and lasts(known, fact):
                return [merged(fact, known)]
        return placed(fact, rivals(fact, drafts.filling(fact)), now)

    def _facts(
        self, pair: Sequence[Record], view: View, drafts: Drafts
    ) -> list[tuple[Record, Sequence[Record]]]:
        """What a pair of messages says, and from whom each fact borrows words."""
        drawn = self._drawn(pair, view, drafts) if self.advisor else None
        return [(fact, ()) for said in pair for fact in _read(said)] if drawn is None else drawn

    def _drawn(
        self, pair: Sequence[Record], view: View, drafts: Drafts
    ) -> list[tuple[Record, Sequence[Record]]] | None:
        """What the model finds; None where it gives nothing usable."""
        both = replace(pair[0], text=" ".join(said.text for said in pair))
        known = earlier(view, pair[0], KIND, self.recent)
        known += [each for each, _ in drafts.near(both, self.similar)]
        known = list({each.id: each for each in known}.values())
        before = earlier(view, pair[0], "raw", self.recent)
        shown = (
            f"Known already:\n{numbered(each.text for each in known)}\n\n"
            f"Said before:\n{numbered(map(_line, before))}\n\n"
            f"New messages:\n{numbered(map(_line, pair))}"
        )
        one = fields({"text": _FACT, "message": choices(len(pair))["items"]})
        shape = fields({"facts": {"type": "array", "items": one, "maxItems": 10}})
        answer = self.advisor and self.advisor.ask(Question("facts", _INSTRUCTIONS, shown, shape))
        if not answer:
            return None
        found = [
            (" ".join(each["text"].split()), pair[each["message"]]) for each in answer["facts"]
        ]
        return [
            (_fact(said, text), lenders(text, said, [*pair, *before, *known]))
            for text, said in found
            if is_person(said) and grounded(text, shown)
        ]


def _pairs(fresh: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Messages of one conversation that stand together, two by two."""
    for _, talk in groupby(fresh, key=lambda record: record.scope):
        said = list(talk)
        yield from (said[at : at + 2] for at in range(0, len(said), 2))


def _line(record: Record) -> str:
    return f"{record.fields.get('speaker') or record.fields.get('role')}: {record.text}"


def _fact(said: Record, text: str) -> Record:
    begun = said_at(said)
    return derived([said], KIND, text, "statements", fields=slot_of(text), valid_from=begun)


def _read(said: Record) -> Iterator[Record]:
    for each in told(said):
        begun = said_at(said) if each.since is None else each.since
        fact = derived([said], KIND, each.text, "statements", fields=each.slot, valid_from=begun)
        yield replace(fact, sources=(Source(said.id, each.start, each.end),))
