"""A new statement makes one like it richer, takes its place, was known already, or is added.

Source: Chhikara et al. 2025, Mem0, arXiv:2504.19413, section 2.1, the update phase.
Differs: a statement that makes another richer is kept, merged with it, so that an erase finds each
    wording. DELETE archives the old where the new takes its place, in the world's time. A model
    chooses among small numbers, within a quota; whatever it says, what is said twice is never
    deleted, what ends shares a word with what ends it, and no word is lost in a rewording. Without
    a model, what goes on about the same makes it richer, and nearly equal ones are held once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engram.plaintext.advice import Advisor, Question, choices, fields, numbered
from engram.plaintext.roles import EditPlan, Record, State, View
from engram.plaintext.text.drafts import Drafts
from engram.plaintext.text.slots import disagrees, fills_the_same, placed
from engram.plaintext.text.wording import (
    covers,
    exact,
    first_wording,
    lasts,
    merged,
    overlap,
    reworded,
)
from engram.plaintext.text.words import GRAMMAR, same_text
from engram.ports import Embedder

KIND = "statement"
_INSTRUCTIONS = (
    "Compare new facts with known ones. For each new fact say what it means for the known: ADD "
    "when nothing known says it; UPDATE when it says more about the very thing that a known one "
    "says, with text for both together; DELETE when a known one cannot be true any longer now that "
    "the new one is; NOOP when a known one says it already. fact and memory are the numbers before "
    "the lines."
)
OPERATIONS = ("ADD", "UPDATE", "DELETE", "NOOP")
_GOES_ON = GRAMMAR | {"called", "named"}


class _Ruling(NamedTuple):
    """What a fact means for a statement; ``text`` is a wording for both."""

    operation: str
    target: Record
    text: str = ""


@dataclass(frozen=True, slots=True)
class Reconciling:
    """Keeps one statement for each thing that is known.

    Attributes:
        similar: nearest earlier statements that a new one is compared with.
        same: cosine from which two statements say the same; without an embedder, the share of
            words in common.
        quota: statements that those of one message may reword or end.
        embedder: finds the nearest; without one, shared words do.
        advisor: decides, where there is one.
    """

    similar: int = 10
    same: float = 0.95
    quota: int = 5
    embedder: Embedder | None = None
    advisor: Advisor | None = None

    def enrich(self, fresh: Sequence[Record], now: float, view: View) -> EditPlan:
        """Return the statements that change because of those read out of fresh messages."""
        drafts = Drafts(view, KIND, self.embedder)
        for said in fresh:
            facts = [
                fact
                for each in view.resting_on(said.id)
                if _is_new(fact := drafts.held(each), said)
            ]
            near = [drafts.near(fact, self.similar, earlier=True) for fact in facts]
            decided = self._decided(facts, [[each for each, _ in found] for found in near])
            quota = self.quota
            for at, fact in enumerate(facts):
                ruled = _repeated(fact, near[at]) or decided.get(at)
                ruled = self._ruled(fact, near[at]) if ruled is None else ruled
                changed, ended = _carried_out(fact, ruled, quota, drafts)
                quota -= len(ended) + (len(changed) > 1)
                drafts.lay(*changed, *(placed(fact, ended, now) if ended else ()))
        return EditPlan(drafts.edits(), "reconciling")

    def _decided(
        self, facts: Sequence[Record], near: Sequence[Sequence[Record]]
    ) -> Mapping[int, list[_Ruling]]:
        """What the model says of each fact, by number; nothing where it says nothing usable."""
        known = list({each.id: each for found in near for each in found}.values())
        if self.advisor is None or not known:
            return {}
        content = (
            f"New facts:\n{numbered(fact.text for fact in facts)}\n\n"
            f"Known:\n{numbered(each.text for each in known)}"
        )
        ruling = fields(
            {
                "fact": choices(len(facts))["items"],
                "operation": {"enum": list(OPERATIONS)},
                "memory": choices(len(known))["items"],
                "text": {"type": "string", "maxLength": 600},
            },
            optional=("memory", "text"),
        )
        shape = fields({"operations": {"type": "array", "items": ruling}})
        answer = self.advisor.ask(Question("reconcile", _INSTRUCTIONS, content, shape))
        decided: dict[int, list[_Ruling]] = {}
        for said in answer["operations"] if answer else ():
            ruled = decided.setdefault(said["fact"], [])
            if "memory" in said and known[said["memory"]] in near[said["fact"]]:
                target = known[said["memory"]]
                ruled.append(_Ruling(said["operation"], target, said.get("text", "")))
        return decided

    def _ruled(self, fact: Record, near: Sequence[tuple[Record, float]]) -> list[_Ruling]:
        """What follows from the words alone, for the nearest statement of which anything does."""
        for other, likeness in near:
            if _extends(other, fact):
                return [_Ruling("NOOP", other)]
            if _extends(fact, other):
                return [_Ruling("UPDATE", other)]
            if likeness >= self.same and exact(fact.text) == exact(other.text):
                return [_Ruling("UPDATE" if covers(fact.text, other.text) else "NOOP", other)]
        return []


def _extends(rich: Record, plain: Record) -> bool:
    """Whether one fills a slot with what the other does and goes on about it.

    A cat called Momo is a cat, and hiking in Norway is hiking; hiking boots are something else.
    """
    if not fills_the_same(rich, plain):
        return False
    tail, start = (same_text(str(each.fields.get("tail"))) for each in (rich, plain))
    more = tail.removeprefix(start).split()
    return tail.startswith(f"{start} ") and more[0] in _GOES_ON


def _is_new(fact: Record, said: Record) -> bool:
    """A statement that a message made, and that nothing has happened to yet."""
    alone = fact.version == 1 and fact.sources[0].record == said.id
    return alone and fact.kind == KIND and fact.state is State.ACTIVE


def _repeated(fact: Record, near: Sequence[tuple[Record, float]]) -> list[_Ruling] | None:
    """Said twice, it is known already, whatever a model makes of it."""
    same = [each for each, _ in near if same_text(each.text) == same_text(fact.text)]
    return [_Ruling("NOOP", same[0])] if same else None


def _says_it(known: Record, fact: Record) -> bool:
    """Whether little of a fact is lost when a known statement stands for it."""
    near = exact(fact.text) <= exact(known.text) and overlap(fact.text, known.text) >= 0.5
    return near and lasts(known, fact)


def _carried_out(
    fact: Record, rulings: Sequence[_Ruling], quota: int, drafts: Drafts
) -> tuple[list[Record], list[Record]]:
    """What is ruled, as far as it may be: the after-images, or else the statements that end."""
    ended: dict[str, Record] = {}
    for operation, former, text in rulings:
        target = drafts.held(former)
        if target.state is not State.ACTIVE or disagrees(fact, target):
            continue
        if operation == "NOOP" and _says_it(target, fact):
            return [merged(fact, target)], []
        may_change = len(ended) < quota and overlap(fact.text, target.text) > 0
        image = reworded(target, fact, text) if operation == "UPDATE" and may_change else None
        if image is not None:
            return [image, merged(fact, target), drafts.held(first_wording(target))], []
        richer = operation == "UPDATE" and covers(fact.text, target.text)
        if may_change and (operation == "DELETE" or richer):
            ended[target.id] = target
    return [], list(ended.values())
