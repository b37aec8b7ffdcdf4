"""Each message becomes items with a title, tags and a tier; items that clash are fused into one.

Source: Li et al. 2025, MemOS, arXiv:2507.03724, the text memory of the repository MemTensor/MemOS
    (version 2): reading in a fast and a fine mode, and conflicts among the five nearest items of a
    cosine of 0.8 or more, which are contradictory, redundant or independent.
Differs: a window of the fast mode is one message, so that each item names its evidence. Without a
    model nothing is reworded: the newest of a slot, and of those that say the same, stands. What
    gives way is archived with an edge to what stands, a frozen or more trusted item never does, and
    at most a share of the items may in one run. Nothing causal is read.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from engram.plaintext.advice import Advisor, Question, choices, fields, numbered
from engram.plaintext.derived import derived
from engram.plaintext.roles import EditPlan, Record, View
from engram.plaintext.text.drafts import Drafts
from engram.plaintext.text.edges import inherited, previous, replaced
from engram.plaintext.text.fusing import comparable, may_give_way, may_stand_for, repeats, rivals
from engram.plaintext.text.salience import keywords, rarity_in
from engram.plaintext.text.slots import slot_of, told
from engram.plaintext.text.tiers import KIND, LONG_TERM, USER, marked, tag_of
from engram.plaintext.text.wording import grounded
from engram.plaintext.text.words import terms
from engram.ports import Embedder

_METHOD = "items"
_TITLE = 3  # words of a title that no model wrote
_WORD = {"type": "string", "maxLength": 40}
_TEXT = {"type": "string", "minLength": 1, "maxLength": 400}
_READ = (
    "Read the numbered messages and write down what is worth remembering. message: the number of "
    "the message that says it. title: two to five words. text: one or two sentences that can be "
    "understood alone, with names in place of pronouns and with every number and date. tags: what "
    "to file it under. personal: whether it tells who somebody is, has or likes, rather than what "
    "happened or how things are. Leave small talk out."
)
_COMPARE = (
    "A new memory is near the numbered older ones. contradicted: the numbers of those that cannot "
    "be true any longer now that the new one is. repeated: the numbers of those that it says "
    "again. All others are independent. text: one wording for the new memory and all of these, "
    "in which the new one is right; it keeps every name and number that still holds."
)


class _Verdict(NamedTuple):
    """The items that give way to a new one, and a text for all of them; "" for the new one's."""

    ended: Sequence[Record]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """Makes ``item`` records and settles them with those that are near.

    Attributes:
        near: cosine from which two items are compared; without an embedder, share of words.
        same: cosine from which an item that says every word of another says the same.
        similar: nearest items that a new one is compared with.
        words: tags of an item that no model wrote.
        batch: messages that a model reads at once.
        most: share of all items that one run may archive; 0 to 1.
        embedder: tells what is near; without one, shared words do.
        advisor: reads and compares, where there is one.
    """

    near: float = 0.8
    same: float = 0.92
    similar: int = 5
    words: int = 5
    batch: int = 8
    most: float = 0.25
    embedder: Embedder | None = None
    advisor: Advisor | None = None

    def enrich(self, fresh: Sequence[Record], now: float, view: View) -> EditPlan:
        """Return the new items and those that give way to them."""
        drafts = Drafts(view, KIND, self.embedder)
        last = {record.scope: previous(record, view) for record in reversed(fresh)}
        found = list(self._read(fresh, view))
        held = int((view.live & view.columns.of_kind(KIND)).sum())
        quota = math.ceil(self.most * (held + len(found)))
        for each in found:
            item = drafts.unsettled(each)
            if item is None:
                continue
            before = last.get(item.scope)
            item = replace(item, links={before: "follows"} if before else {})
            verdict = self._verdict(item, drafts, view)
            verdict = verdict if len(verdict.ended) <= quota else _Verdict(())
            quota -= len(verdict.ended)
            stands = _fused(item, verdict, view) if verdict.text else item
            gone = [*verdict.ended, *([item] if verdict.text else [])]
            links = item.links
            if verdict.ended:
                links = inherited([*verdict.ended, item], drafts, view)
            drafts.lay(*replaced(gone, replace(stands, links=links)))
            last[item.scope] = stands.id
        return EditPlan(drafts.edits(), _METHOD)

    def _read(self, fresh: Sequence[Record], view: View) -> Iterator[Record]:
        rarity = rarity_in(view, view.live & view.columns.of_kind("raw"))
        for start in range(0, len(fresh), self.batch):
            group = fresh[start : start + self.batch]
            written = self._written(group)
            if written is not None:
                yield from written
                continue
            for record in group:
                who = terms(str(record.fields.get("speaker", ""))).stems
                words = [each.word for each in keywords(record.text, rarity, self.words, who)]
                if words:
                    stated = told(record)
                    slot = dict(stated[0].slot) if len(stated) == 1 else {}
                    about = {"title": " ".join(words[:_TITLE]), "slot": slot}
                    yield _item(record, record.text, USER if stated else LONG_TERM, about, words)

    def _written(self, group: Sequence[Record]) -> list[Record] | None:
        """What a model reads, as far as the words of the message bear it out."""
        one = {
            "message": choices(len(group))["items"],
            "title": {"type": "string", "maxLength": 80},
            "text": _TEXT,
            "tags": {"type": "array", "items": _WORD, "maxItems": 8},
            "personal": {"type": "boolean"},
        }
        shape = fields({"items": {"type": "array", "items": fields(one), "maxItems": 40}})
        shown = [_line(record) for record in group]
        question = Question(_METHOD, _READ, numbered(shown), shape, 4096)
        answer = self.advisor.ask(question) if self.advisor else None
        if not answer:
            return None
        return [
            _told(group[each["message"]], each)
            for each in answer["items"]
            if grounded(each["text"], shown[each["message"]])
        ]

    def _verdict(self, item: Record, drafts: Drafts, view: View) -> _Verdict:
        near = [
            (other, cosine)
            for other, cosine in drafts.near(item, self.similar)
            if cosine >= self.near and may_give_way(other, item)
        ]
        asked = self._compared(item, [other for other, _ in near]) if near else None
        again = [other for other, cosine in near if repeats(item, other, cosine, self.same)]
        ended, text = asked or _Verdict(again)
        more = rivals(item, drafts, view)
        return _Verdict(list({each.id: each for each in (*ended, *more)}.values()), text)

    def _compared(self, item: Record, near: Sequence[Record]) -> _Verdict | None:
        """By a model, in one question; None where it gives no answer."""
        which = choices(len(near))
        shape = fields({"contradicted": which, "repeated": which, "text": {"type": "string"}})
        content = f"New:\n{item.text}\n\nOlder:\n{numbered(each.text for each in near)}"
        question = Question("conflict", _COMPARE, content, shape)
        answer = self.advisor.ask(question) if self.advisor else None
        if not answer:
            return None
        wrong = {at for at in answer["contradicted"] if comparable(item, near[at])}
        ended = [other for at, other in enumerate(near) if at in wrong | set(answer["repeated"])]
        text = " ".join(answer["text"].split())
        parts = [*(other.text for other in ended), item.text]
        return _Verdict(ended, text if ended and may_stand_for(text, parts) else "")


def _fused(item: Record, verdict: _Verdict, view: View) -> Record:
    """One item for several; it rests on all that they rest on, and goes with any of it."""
    gone = [*verdict.ended, item]
    raws = list(view.current(s.record for each in gone for s in each.sources).values())
    about = {**item.fields, "slot": slot_of(verdict.text)}
    return derived(raws, KIND, verdict.text, _METHOD, fields=about, tags=item.tags)


def _line(record: Record) -> str:
    return f"{record.fields.get('speaker') or record.fields.get('role')}: {record.text}"


def _told(record: Record, said: Mapping[str, Any]) -> Record:
    """An item that a model wrote."""
    tags = [" ".join(tag.split()) for tag in said["tags"] if tag.strip() and ":" not in tag]
    text = " ".join(said["text"].split())
    about = {"title": " ".join(said["title"].split()), "slot": slot_of(text)}
    return _item(record, text, USER if said["personal"] else LONG_TERM, about, tags)


def _item(
    record: Record, text: str, home: str, about: Mapping[str, Any], tags: Sequence[str]
) -> Record:
    who = record.fields.get("speaker")
    known = {**about, **({"speaker": who} if who else {})}
    filed = tuple(dict.fromkeys((tag_of(home), *tags)))
    return derived([record], KIND, text, _METHOD, fields=marked(home, known), tags=filed)
