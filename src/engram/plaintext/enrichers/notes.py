"""Notes that link to one another, and whose descriptions change as later notes arrive.

Source: Xu et al. 2025, A-MEM: Agentic Memory for LLM Agents, arXiv:2502.12110, sections 3.1 to 3.3:
    a note is content, keywords, tags and context; its embedding is that of all four together.
Differs: one note for each raw record, which stays as it was said. A link is kept by the later note
    and read both ways. A model sees small numbers, never ids or list positions (the published code
    takes ranks for positions and rewrites the oldest notes), and rewrites a note only in the light
    of notes of its own scope, on whose evidence it then rests too. Without a model, keywords are
    the rarest words, tags those that linked notes share, and the rest stays as it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from engram.plaintext.advice import Advisor, Question, choices, fields, numbered
from engram.plaintext.derived import derived
from engram.plaintext.roles import EditPlan, Record, State, View
from engram.plaintext.text.desk import Desk
from engram.plaintext.text.salience import central, keywords
from engram.plaintext.text.sentences import sentences
from engram.plaintext.text.words import terms
from engram.ports import Embedder

MOST_TAGS = 12
_WORDS = {"type": "array", "items": {"type": "string", "maxLength": 40}, "maxItems": MOST_TAGS}
_CONTEXT = {"type": "string", "maxLength": 300}
_NOTE = fields({"keywords": _WORDS, "tags": _WORDS, "context": _CONTEXT})
_DESCRIBE = (
    "Describe one message for a card index. keywords: at least three words or names that it is "
    "about, the most important first; neither the speaker nor a time. tags: at least three broader "
    "subjects to file it under. context: one sentence that says what it is about."
)
_DECIDE = (
    "A note has come to a card index; the numbered ones are filed near it. link: the numbers of "
    "those that belong together with it. tags: the tags that the new note should carry. "
    "changes: for each numbered note that means more or something else now, its number, a better "
    "context in one sentence, and its tags. Where nothing follows, leave the lists empty."
)


class _Verdict(NamedTuple):
    """What becomes of a near note, and the tags that the new note gets with it."""

    linked: bool
    other: Record
    tags: Iterable[str] = ()


@dataclass(frozen=True, slots=True)
class Notes:
    """Writes a note for each record, links it, and lets the notes near it evolve.

    Attributes:
        embedder: makes the vectors by which near notes are found; without one, shared words do.
        advisor: describes and decides, where there is one.
        neighbours: near notes that are looked at.
        near: cosine from which two notes are linked.
        shared: keywords in common from which two notes are linked.
        words: most keywords of a note without a model.
    """

    embedder: Embedder | None = None
    advisor: Advisor | None = None
    neighbours: int = 5
    near: float = 0.8
    shared: int = 2
    words: int = 5

    def enrich(self, fresh: Sequence[Record], now: float, view: View) -> EditPlan:
        """Return new notes and the notes that change with them, each in its last state.

        A record that is about nothing, such as a greeting, gets no note.
        """
        desk = Desk(view, ["note"], self.embedder)
        for record in fresh:
            blank = derived([record], "note", record.text, "notes", key="note")
            note = None if _is_there(blank, desk) else self._written(record, blank, desk)
            if note and note.fields["keywords"]:
                near = desk.near(note, _terms(note), self.neighbours)
                for each in self._evolved(note, near):
                    desk.put(each, _terms(each))
        return EditPlan(tuple(desk.edits()), method="notes")

    def _written(self, record: Record, blank: Record, desk: Desk) -> Record:
        told = self._ask("notes", _DESCRIBE, record.text, _NOTE)
        words, tags = _said(told["keywords"] if told else ()), _said(told["tags"] if told else ())
        context = told["context"].strip() if told else ""
        who = record.fields.get("speaker")
        if not words or not context:
            found = keywords(record.text, desk.rarity, self.words, terms(who or "").stems)
            words, tags, context = [each.word for each in found], [], _heart(record.text)
        about = {"content": record.text, "keywords": words, "context": context}
        return _tagged(replace(blank, fields=about | ({"speaker": who} if who else {})), tags)

    def _evolved(self, note: Record, near: Sequence[tuple[Record, float]]) -> list[Record]:
        """The note, and those near notes that its arrival changes."""
        verdicts = {other.id: self._ruled(note, other, cosine) for other, cosine in near}
        kin = [other for other, _ in near if other.scope == note.scope]
        verdicts |= self._decided(note, kin) if kin else {}
        links = {other: "related" for other, verdict in verdicts.items() if verdict.linked}
        tags = [*note.tags, *(tag for verdict in verdicts.values() for tag in verdict.tags)]
        mine = [
            other for other, _ in near if not (other.frozen or other != _tagged(other, other.tags))
        ]
        changed = [verdicts[other.id].other for other in mine]
        return [
            _tagged(replace(note, links=links), tags),
            *(after for before, after in zip(mine, changed, strict=True) if after != before),
        ]

    def _ruled(self, note: Record, other: Record, cosine: float) -> _Verdict:
        """By cosine and shared keywords; what both are about becomes a tag of both."""
        common = _terms(note) & _terms(other)
        if cosine < self.near and len(common) < self.shared:
            return _Verdict(linked=False, other=other)
        gained = _tagged(other, [*other.tags, *_worded(other, common)])
        return _Verdict(linked=True, other=gained, tags=_worded(note, common))

    def _decided(self, note: Record, kin: Sequence[Record]) -> dict[str, _Verdict]:
        """By a model, in one decision; nothing where it gives none."""
        which = choices(len(kin))
        change = fields({"note": which["items"], "context": _CONTEXT, "tags": _WORDS})
        shape = {"link": which, "tags": _WORDS, "changes": {"type": "array", "items": change}}
        content = f"New:\n{note.text}\n\nFiled near it:\n{numbered(each.text for each in kin)}"
        told = self._ask("links", _DECIDE, content, fields(shape))
        if told is None:
            return {}
        changed = {
            change["note"]: _rewritten(kin[change["note"]], note, change)
            for change in told["changes"]
        }
        return {
            other.id: _Verdict(at in told["link"], changed.get(at, other), _said(told["tags"]))
            for at, other in enumerate(kin)
        }

    def _ask(
        self, purpose: str, instructions: str, content: str, schema: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        question = Question(purpose, instructions, content, schema)
        return self.advisor.ask(question) if self.advisor else None


def _is_there(note: Record, desk: Desk) -> bool:
    """Whether this very message has its note, or one that must stay as it is."""
    held = desk.get(note.id)
    if held and held.frozen:
        return True
    said = held.fields.get("content") if held and held.state is State.ACTIVE else None
    return said == note.text


def _rewritten(old: Record, note: Record, change: Mapping[str, Any]) -> Record:
    """A near note in the light of a new one; as it is where the change says nothing."""
    context = str(change["context"]).strip()
    if not context:
        return old
    ends = [end for end in (old.expires_at, note.expires_at) if end is not None]
    new = replace(
        old,
        fields={**old.fields, "context": context},
        sources=tuple(dict.fromkeys((*old.sources, *note.sources))),
        trust=min(old.trust, note.trust),
        expires_at=min(ends, default=None),
    )
    return _tagged(new, _said(change["tags"]) or old.tags)


def _tagged(note: Record, tags: Iterable[str]) -> Record:
    """The note with these tags, and the text that follows from its parts."""
    kept = tuple(dict.fromkeys(tags))[:MOST_TAGS]
    about = note.fields
    parts = (about["content"], ", ".join(about["keywords"]), ", ".join(kept), about["context"])
    return replace(note, tags=kept, text="\n".join(part for part in parts if part))


def _terms(note: Record) -> frozenset[str]:
    """What a note is about."""
    return frozenset(terms(" ".join((*note.fields["keywords"], *note.tags)), query=True).content)


def _worded(note: Record, common: frozenset[str]) -> list[str]:
    """Its own words for some terms."""
    words = note.fields["keywords"]
    return [word for word in words if common.intersection(terms(word, query=True).content)]


def _heart(text: str) -> str:
    """The most central of several sentences; a text of one is its own."""
    found = [text[span.start : span.end] for span in sentences(text)]
    return found[central(found, 1)[0]] if len(found) > 1 else ""


def _said(words: Iterable[str]) -> list[str]:
    """Words of a model, without empty ones and repeats."""
    return [*dict.fromkeys(" ".join(word.split()) for word in words if word.strip())]
