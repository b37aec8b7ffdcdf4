"""What follows from two facts is concluded when the second is stored, and not when it is asked.

Source: Shang et al. 2024, AI-native Memory, arXiv:2406.18312, section 3: models find single facts
    in a long context and fail where they must join them, so conclusions are worked out beforehand.
Differs: two facts are joined where one ends with what the other is about; no model draws other
    conclusions. A conclusion names both facts, rests on both messages, is erased with either, and
    is laid down when one of its facts ends.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engram.plaintext.derived import derived
from engram.plaintext.roles import EditPlan, Record, State, View
from engram.plaintext.text.entities import naming
from engram.plaintext.text.persons import starts_with
from engram.plaintext.text.relations import RELATIONS
from engram.plaintext.text.standing import key_of, laid_down, raised
from engram.plaintext.text.words import same_text

KIND = "conclusion"
_METHOD = "conclusions"
_FACTS = ("fact", "preference")
_ASKED = tuple(row.name for row in RELATIONS if not row.name.endswith(":"))
_PHRASES: Mapping[str, str] = {
    "born_in": "The place where {head} was born",
    "comes_from": "The place that {head} comes from",
    "has_child": "{head}'s child",
    "lives_in": "The place where {head} lives",
    "partner": "{head}'s partner",
    "studies_at": "The place where {head} studies",
    "visited": "A place that {head} visited",
    "works_at": "The place where {head} works",
}
"""Relation -> what its tail is to its head."""


@dataclass(frozen=True, slots=True)
class Conclusions:
    """Makes ``conclusion`` records, each of two facts.

    Attributes:
        most: facts that one fact is joined with, on either side.
        reach: messages that are looked at for facts which lead to another.
    """

    most: int = 8
    reach: int = 32

    def enrich(self, fresh: Sequence[Record], now: float, view: View) -> EditPlan:
        """Return what follows from new facts and known ones, and what follows no longer."""
        told = [fact for record in fresh for fact in _facts(view.resting_on(record.id))]
        wanted = [
            _conclusion(first, second, view)
            for fact in told
            if fact.state is State.ACTIVE
            for first, second in self._joined(fact, view)
        ]
        fallen = {each.id: each for fact in told for each in _fallen(fact, view)}
        edits = (*raised(wanted, view), *laid_down(fallen.values()))
        return EditPlan(edits, _METHOD, "what follows from two facts")

    def _joined(self, fact: Record, view: View) -> Iterator[tuple[Record, Record]]:
        """The fact with each that goes on from it, and each that leads to it with the fact."""
        tail, head = str(fact.fields["tail"]), str(fact.fields["head"])
        if tail[:1].isupper():
            following = (
                each for relation in _ASKED for each in view.facts(tail, relation) if _holds(each)
            )
            yield from ((fact, each) for each in [*following][: self.most])
        leading = [
            each
            for record in _naming(head, view, self.reach)
            for each in _facts(view.resting_on(record.id))
            if _holds(each) and same_text(str(each.fields["tail"])) == same_text(head)
        ]
        yield from ((each, fact) for each in leading[: self.most])


def _facts(records: Iterable[Record]) -> Iterator[Record]:
    return (each for each in records if each.kind in _FACTS and each.fields.get("tail"))


def _holds(fact: Record) -> bool:
    return fact.kind in _FACTS and fact.state is State.ACTIVE and bool(fact.fields.get("tail"))


def _naming(name: str, view: View, most: int) -> list[Record]:
    """The newest messages that say a name."""
    rows = naming(name, view)
    return view.records(rows[np.isin(rows, np.flatnonzero(view.columns.of_kind("raw")))][-most:])


def _conclusion(first: Record, second: Record, view: View) -> Record:
    raws = view.current(source.record for fact in (first, second) for source in fact.sources[:1])
    heads = [starts_with(fact.text, str(fact.fields["head"])) for fact in (first, second)]
    phrase = _PHRASES.get(str(first.fields["relation"]), "")
    rest = second.text[len(heads[1]) :]
    if all(heads) and phrase and rest.startswith(" "):
        text = f"{phrase.format(head=heads[0])}, {first.fields['tail']},{rest}."
    else:
        text = f"{first.text}, and {second.text}."
    told = {"first": first.text, "second": second.text, "answer": second.fields["tail"]}
    speakers = {str(raw.fields.get("speaker") or "") for raw in raws.values()}
    if len(speakers) == 1 and (speaker := speakers.pop()):
        told["speaker"] = speaker
    parts, sources = (first, second), list(raws.values())
    key = key_of(text, parts, sources)
    made = derived(sources, KIND, text, _METHOD, key=key, fields=told)
    return replace(made, parents=tuple(part.id for part in parts))


def _fallen(fact: Record, view: View) -> Iterator[Record]:
    """Conclusions drawn from facts of the same slot that have ended."""
    slot = view.facts(str(fact.fields["head"]), str(fact.fields["relation"]))
    ended = {each.id: each for each in slot if each.state is not State.ACTIVE}
    sources = {source.record for each in ended.values() for source in each.sources}
    for source in sorted(sources):
        for each in view.resting_on(source):
            if each.kind == KIND and not ended.keys().isdisjoint(each.parents):
                yield each
