"""Each past day is summed up, then all of them, and each person as far as they told of themselves.

Source: Zhong et al. 2023, MemoryBank, arXiv:2305.10250, sections 3.1 and 3.2: daily event
    summaries, a global summary, daily insights into the user and a portrait made of them.
Differs: a day of each conversation; what happened is quoted and what is known of people is counted
    where no model writes it; everything names the turns that it rests on, and is made anew when
    these change. Days that were forgotten since keep their summary.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engram.plaintext.advice import Advisor, Question, fields, numbered
from engram.plaintext.derived import derived
from engram.plaintext.roles import Edit, EditPlan, Record, Rows, State, View
from engram.plaintext.text.periods import time_text
from engram.plaintext.text.salience import central
from engram.plaintext.text.sentences import sentences
from engram.plaintext.text.wording import ties

DAY = 86_400.0
_METHOD = "digest"
_TEXT = fields({"text": {"type": "string"}})
_ASKED = {
    "digest": "Sum up in two to four sentences what happened and what was said on this day of a "
    "conversation, in the third person, with the names, places and numbers.",
    "summary": "These are summaries of several days. Write one summary of the whole time in at "
    "most six sentences: what happened, in its order, and what is still open.",
    "portrait": "These are facts about one person. Describe the person in at most four sentences: "
    "circumstances, tastes and character, with nothing that the facts do not say.",
}


@dataclass(frozen=True, slots=True)
class Digest:
    """Makes ``digest`` records of days, one ``summary`` and a ``portrait`` of each person.

    Attributes:
        least: turns of a day that are worth a digest.
        quotes: sentences of a digest that no model wrote.
        days: digests that the summary is made of.
        traits: facts that a portrait is made of, those said most often first.
        advisor: writes what would else be quoted; None for quoting.
    """

    least: int = 3
    quotes: int = 3
    days: int = 6
    traits: int = 12
    advisor: Advisor | None = None

    def keep(self, now: float, view: View) -> EditPlan:
        """Make what is missing, and make anew what rests on something else than it did."""
        rows = np.flatnonzero(view.live & view.columns.of_kind("digest", "summary", "portrait"))
        held = [each for each in view.records(rows) if each.method == _METHOD]
        edits = [edit for day in self._past(now, view) for edit in self._day(*day, held, view)]
        edits += _stale([each for each in held if each.kind == "digest"], edits)
        if view.scope.run is None and view.scope.agent is None:
            after = {edit.record.id: replace(edit.record, version=edit.basis + 1) for edit in edits}
            days = ({each.id: each for each in held if each.kind == "digest"} | after).values()
            edits += self._summary([d for d in days if d.state is State.ACTIVE], held, view)
            edits += self._portraits(held, view)
        edits += _stale(held, edits)
        return EditPlan(tuple(edits), _METHOD, "days that are over, and what they tell of people")

    def _past(self, now: float, view: View) -> Iterator[tuple[float, Rows]]:
        """The start and the raw rows of each day that is over, by conversation."""
        columns = view.columns
        rows = np.flatnonzero(view.live & columns.of_kind("raw"))
        said = np.where(np.isnan(columns.event), columns.known_from, columns.event)[rows]
        keys = np.stack([said // DAY, columns.run[rows], columns.agent[rows]], axis=1)
        days, which = np.unique(keys, axis=0, return_inverse=True)
        for number, (day, _, _) in enumerate(days):
            among = np.flatnonzero(which.reshape(-1) == number)
            if len(among) >= self.least and (day + 1) * DAY <= now:
                yield day * DAY, rows[among[np.argsort(said[among], kind="stable")]]

    def _day(self, start: float, rows: Rows, held: list[Record], view: View) -> list[Edit]:
        columns = view.columns
        date = time_text(start, start + DAY)
        run, agent = ((_name(view, c[rows[0]])) for c in (columns.run, columns.agent))
        old = _first(held, "digest", "day", date, (run, agent))
        if old and (old.frozen or (_is_whole(old) and len(rows) <= old.fields.get("turns", 0))):
            return []
        turns = view.records(rows)
        said = [
            (f"{_who(turn)}: {turn.text[s.start : s.end]}", turn)
            for turn in turns
            for s in sentences(turn.text)
        ]
        chosen = [said[at] for at in central([text for text, _ in said], self.quotes)]
        quoted = list({turn.id: turn for _, turn in chosen}.values())
        text = self._written("digest", [f"{_who(turn)}: {turn.text}" for turn in turns])
        sources = turns if text else quoted
        if not sources:
            return []
        about = {"day": date, "turns": len(rows), "quoted": len(sources)}
        body = text or " ".join(text for text, _ in chosen)
        new = derived(sources, "digest", f"{date}. {body}", _METHOD, key=date, fields=about)
        return _put(new, sources, old, view)

    def _summary(self, digests: list[Record], held: list[Record], view: View) -> list[Edit]:
        if len(digests) < 2:
            return []
        digests.sort(key=lambda each: each.event_time or 0.0)
        chosen = [digests[at] for at in central([each.text for each in digests], self.days)]
        return self._written_of("summary", "all", chosen, held, view)

    def _portraits(self, held: list[Record], view: View) -> list[Edit]:
        rows = np.flatnonzero(view.live & view.columns.of_kind("fact", "preference"))
        told, edits = defaultdict[str, list[Record]](list), list[Edit]()
        for fact in view.records(rows):
            told[str(fact.fields.get("head"))].append(fact)
        for head, facts in sorted(told.items()):
            facts.sort(key=lambda each: (-len(each.sources), each.valid_from or 0.0))
            if len(facts) > 1:
                edits += self._written_of("portrait", head, facts[: self.traits], held, view)
        return edits

    def _written_of(
        self, kind: str, about: str, parts: list[Record], held: list[Record], view: View
    ) -> list[Edit]:
        """The record of a kind that rests on these, unless it is there and they are the same."""
        of = [f"{part.id} {part.version}" for part in parts]
        old = _first(held, kind, "about", about)
        if old and (old.frozen or (_is_whole(old) and old.fields.get("of") == of)):
            return []
        raws = view.current(source.record for part in parts for source in part.sources)
        text = self._written(kind, [part.text for part in parts])
        text = text or " ".join(part.text.rstrip(".") + "." for part in parts)
        told = {"about": about, "of": of, "quoted": len(raws)}
        new = derived(list(raws.values()), kind, text, _METHOD, key=about, fields=told)
        new = replace(new, parents=tuple(part.id for part in parts), scope=view.scope)
        return _put(new, list(raws.values()), old, view)

    def _written(self, purpose: str, texts: Sequence[str]) -> str:
        """What a model makes of the texts; "" without one, or where it is no shorter than they."""
        if self.advisor is None:
            return ""
        said = self.advisor.ask(Question(purpose, _ASKED[purpose], numbered(texts), _TEXT))
        text = " ".join(said["text"].split()) if said else ""
        return text if len(text) < sum(map(len, texts)) else ""


def _who(turn: Record) -> str:
    return str(turn.fields.get("speaker") or turn.fields.get("role") or "user")


def _name(view: View, code: int) -> str | None:
    return view.columns.names[code] if code >= 0 else None


def _first(
    held: Sequence[Record],
    kind: str,
    field: str,
    value: Any,
    within: tuple[str | None, str | None] | None = None,
) -> Record | None:
    """The record of a kind that is about something, within one conversation where that matters."""
    for each in held:
        inside = within is None or (each.scope.run, each.scope.agent) == within
        if each.kind == kind and each.fields.get(field) == value and inside:
            return each
    return None


def _is_whole(made: Record) -> bool:
    """False for a record that was made of something that was taken back since."""
    return made.frozen or len(made.sources) == made.fields.get("quoted")


def _stale(held: Sequence[Record], edits: Sequence[Edit]) -> list[Edit]:
    """Archive what holds words that were taken back, where nothing takes its place."""
    changed = {edit.record.id for edit in edits}
    stale = (each for each in held if each.id not in changed and not _is_whole(each))
    return [Edit(replace(each, state=State.ARCHIVED), basis=each.version) for each in stale]


def _put(new: Record, sources: Sequence[Record], old: Record | None, view: View) -> list[Edit]:
    """Add the record, or make it the next version of the one before it.

    It holds words of all its sources, so that it is tied to each, to be erased with any of them.
    """
    if old is not None:
        new = replace(new, id=old.id)
    known = view.columns.ids
    while (held := view.get(new.id)) is None and bool(np.any(known == new.id)):
        new = replace(new, id=str(uuid.uuid5(uuid.UUID(new.id), "again")))  # that one was erased
    if held and (held.frozen or (old is None and held.text == new.text)):
        return []  # somebody put it out of recall
    bound = ties(replace(new, text=new.kind), sources) if len(sources) > 1 else []
    there = view.current(tie.id for tie in bound)
    made = [Edit(tie) for tie in bound if tie.id not in there]
    return [Edit(new, basis=held.version if held else 0), *made]
