"""After an exchange, what follows from it is kept as thoughts: a relation between two things each.

Source: Liu et al. 2023, Think-in-Memory, arXiv:2311.08719, sections 3.1 and 3.3: inductive thoughts
    are stored, contradicting ones forgotten, those that say the same merged, bucket by bucket.
Differs: contradictions seldom share a bucket, so thoughts are organised by what they are about,
    head and relation, across buckets. The newer of two that cannot both hold ends the older, which
    is kept with its interval; of two that say the same the first stands for both. Every thought
    names the message that it was made of. Without a model they are read by patterns.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engram.plaintext.advice import Advisor, Question, fields, numbered
from engram.plaintext.derived import derived
from engram.plaintext.roles import Edit, EditPlan, Record, State, View
from engram.plaintext.text.slots import begin, is_person, is_withdrawn, said_at, told
from engram.plaintext.text.wording import grounded
from engram.plaintext.text.words import same_text

_TEXT = {"type": "string"}
_MARK = "thought:"  # thoughts share no slot with the facts that are read when a message is stored
_ASKED = (
    "Read these numbered messages of a conversation. Write down the lasting thoughts that follow "
    "from them: relations between two things, such as a person and a place. For each give the "
    "number of its message, head, relation and tail in a few words, the thought as one sentence "
    "with names in place of pronouns, and whether the relation can hold only one tail at a time."
)


@dataclass(frozen=True, slots=True)
class Thoughts:
    """Inserts thoughts, and merges and forgets within each slot.

    Attributes:
        most: thoughts of one message.
        advisor: draws the thoughts; None for the patterns.
    """

    most: int = 8
    advisor: Advisor | None = None

    def enrich(self, fresh: Sequence[Record], now: float, view: View) -> EditPlan:
        """Return the new thoughts, and what they change in the slots that they fill."""
        said = [record for record in fresh if is_person(record)]
        slots: dict[tuple[str, str], dict[str, Record]] = defaultdict(dict)
        for thought in self._advised(said) or self._read(said):
            slots[str(thought.fields["head"]), str(thought.fields["relation"])][thought.id] = (
                thought
            )
        edits: list[Edit] = []
        for (head, relation), new in slots.items():
            held = {each.id: each for each in view.facts(head, relation)}
            edits += _changes(held, new)
        return EditPlan(tuple(edits), "thoughts", "inserted, merged and forgotten by slot")

    def _read(self, said: Sequence[Record]) -> list[Record]:
        """What the messages plainly state."""
        return [
            _thought(record, {**each.slot, "text": each.text}, each.since)
            for record in said
            for each in told(record)[: self.most]
        ]

    def _advised(self, said: Sequence[Record]) -> list[Record]:
        """What a model concludes, as far as the words of the message bear it out."""
        if self.advisor is None or not said:
            return []
        of = {"type": "integer", "minimum": 0, "maximum": len(said) - 1}
        parts = dict.fromkeys(("head", "relation", "tail", "text"), _TEXT)
        one = fields({"of": of, **parts, "functional": {"type": "boolean"}})
        asked = fields({"thoughts": {"type": "array", "items": one}})
        shown = [f"{_who(record)}: {record.text}" for record in said]
        answer = self.advisor.ask(Question("thoughts", _ASKED, numbered(shown), asked, 4096))
        found: dict[int, list[Record]] = defaultdict(list)
        for each in answer["thoughts"] if answer else ():
            whole = all(str(each[part]).strip() for part in parts)
            if whole and grounded(each["text"], shown[each["of"]]):
                found[each["of"]].append(_thought(said[each["of"]], each))
        return [thought for thoughts in found.values() for thought in thoughts[: self.most]]


def _who(record: Record) -> str:
    return str(record.fields.get("speaker") or "The user")


def _thought(source: Record, slot: Mapping[str, Any], since: float | None = None) -> Record:
    head, relation = str(slot["head"]).lower(), _MARK + same_text(str(slot["relation"]))
    filled = {"head": head, "relation": relation, "tail": slot["tail"]}
    return derived(
        [source],
        "thought",
        " ".join(str(slot["text"]).split()),
        "thoughts",
        key=f"{head} {relation} {same_text(str(slot['tail']))}",
        fields=filled | {"functional": bool(slot["functional"])},
        valid_from=said_at(source) if since is None else since,
    )


def _changes(held: Mapping[str, Record], new: Mapping[str, Record]) -> Iterator[Edit]:
    """The edits that bring a slot to what it should be with the new thoughts in it."""
    again = {
        thought: replace(new[thought], version=held[thought].version)
        for thought in new
        if thought in held and is_withdrawn(held[thought])
    }
    members = {**new, **held, **again}
    for wanted in settled([each for each in members.values() if _counts(each)]):
        before = held.get(wanted.id)
        if before is None:
            yield Edit(wanted)
        elif wanted != before and not before.frozen:
            yield Edit(wanted, basis=before.version)


def _counts(thought: Record) -> bool:
    """Held now, or ended or stood for by another; not what was taken back or waits."""
    ended = thought.state is State.ARCHIVED and thought.superseded_by is not None
    return ended or thought.state is State.ACTIVE


def settled(thoughts: Sequence[Record]) -> list[Record]:
    """After-images of all thoughts of one slot: what holds, what ended when, what stands for what.

    Follows from the thoughts alone, whatever the order in which they were told and stored.
    """
    found = sorted(thoughts, key=lambda each: (begin(each), _tail(each), each.id))
    if not any(each.fields.get("functional") for each in found):
        same: dict[str, list[Record]] = defaultdict(list)
        for each in found:
            same[_tail(each)].append(each)
        return [image for run in same.values() for image in _merged(run, None)]
    runs: list[list[Record]] = []
    for each in found:
        if not runs or _tail(runs[-1][0]) != _tail(each):
            runs.append([])
        runs[-1].append(each)
    heads = [*(run[0] for run in runs), None]
    return [
        image
        for run, following in zip(runs, heads[1:], strict=True)
        for image in _merged(run, following)
    ]


def _merged(run: Sequence[Record], by: Record | None) -> Iterator[Record]:
    """The first stands for the others; all of them ended when the next began."""
    first, end = run[0], by.valid_from if by else None
    state = State.ARCHIVED if by else State.ACTIVE
    yield replace(first, state=state, valid_to=end, superseded_by=by.id if by else None)
    for other in run[1:]:
        yield replace(other, state=State.ARCHIVED, valid_to=end, superseded_by=first.id)


def _tail(thought: Record) -> str:
    return same_text(str(thought.fields.get("tail")))
