"""Out of the notes comes a profile: their topics, the shades of a person, and a short biography.

Source: Wei et al. 2025, Second Me, arXiv:2503.08102, section 3 (L1 of Shang et al. 2024, AI-native
    Memory, arXiv:2406.18312): topics of notes, shades of topics, a biography in the second and in
    the third person. Names of groups: Grootendorst 2022, BERTopic, arXiv:2203.05794, section 3.3.
Differs: groups are found and named by counting, biographies put together from facts; no model
    writes. All of it is made anew from the notes that are there, every statement names those that
    it rests on, and is erased with any of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engram.plaintext.derived import derived
from engram.plaintext.roles import EditPlan, Floats, Record, View
from engram.plaintext.text.persons import addressed, starts_with
from engram.plaintext.text.salience import keywords
from engram.plaintext.text.sentences import sentences
from engram.plaintext.text.slots import begin, is_person, said_at
from engram.plaintext.text.standing import key_of, laid_down, raised, stands
from engram.plaintext.text.topics import (
    around_mean,
    groups,
    middles_of,
    speaking_of,
    titles,
    word_vectors,
)
from engram.plaintext.text.words import terms

_METHOD = "profile"
_MADE = ("topic", "shade", "biography")
_TELLING = 2  # words from which on a note is about something
_SENTENCES = 2  # that a topic quotes


@dataclass(frozen=True, slots=True)
class _Topic:
    record: Record
    sources: Sequence[Record]
    words: str
    middle: Floats
    speaker: str


@dataclass(frozen=True, slots=True)
class Profile:
    """Makes ``topic``, ``shade`` and ``biography`` records.

    Attributes:
        near: cosine with the middle of a topic from which on a note belongs to it; -1 to 1.
        broad: cosine from which on topics are of one shade; -1 to 1.
        least: notes of a topic.
        quotes: notes that a topic rests on and quotes from, those nearest to its middle.
        words: words of a name.
        traits: facts of a biography.
    """

    near: float = 0.35
    broad: float = 0.1
    least: int = 3
    quotes: int = 4
    words: int = 3
    traits: int = 8

    def keep(self, now: float, view: View) -> EditPlan:
        """Make what the notes now give; lay down what they gave and give no longer."""
        if view.scope.run is not None or view.scope.agent is not None:
            return EditPlan(method=_METHOD)  # a profile is of everything that is known
        topics = self._topics(view)
        wanted = [topic.record for topic in topics]
        wanted += [*self._shades(topics), *self._biographies(topics, view)]
        ids = {each.id for each in wanted}
        columns = view.columns
        held = view.records(np.flatnonzero(view.live & columns.of_kind(*_MADE, "conclusion")))
        over = [each for each in held if each.method == _METHOD and each.id not in ids]
        over += [each for each in held if each.kind == "conclusion" and not stands(each, view)]
        edits = (*raised(wanted, view), *laid_down(over))
        return EditPlan(edits, _METHOD, "topics, shades and biographies, as the notes now are")

    def _topics(self, view: View) -> list[_Topic]:
        """The topics of what people said, the largest first."""
        columns = view.columns
        rows = np.flatnonzero(view.live & columns.of_kind("raw"))
        said = [(r, n) for r, n in zip(rows, view.records(rows), strict=True) if _tells(n)]
        notes = [note for _, note in said]
        mine = np.array([row for row, _ in said], dtype=np.int64)
        if not notes:
            return []
        if columns.embedded[mine].all():
            vectors = around_mean(columns.vectors[mine])
        else:
            vectors = word_vectors([note.text for note in notes])
        labels = groups(vectors, self.near)
        middles = middles_of(vectors, labels)
        sets = [np.flatnonzero(labels == number) for number in range(len(middles))]
        sets = [each for each in sets if len(each) >= self.least]
        texts = [" ".join(notes[at].text for at in each) for each in sets]
        named = titles(texts, self.words, [_who(note) for note in notes])
        topics = []
        for number, (members, words) in enumerate(zip(sets, named, strict=True)):
            best = members[np.argsort(-(vectors[members] @ middles[number]), kind="stable")]
            chosen = [notes[at] for at in sorted(best[: self.quotes])]
            if words:
                topics.append(_topic(chosen, [notes[at] for at in members], words, middles[number]))
        return topics

    def _shades(self, topics: Sequence[_Topic]) -> Iterator[Record]:
        """Facets that several topics have in common."""
        if not topics:
            return
        labels = groups(np.array([topic.middle for topic in topics]), self.broad)
        sets = [[t for t, of in zip(topics, labels, strict=True) if of == n] for n in set(labels)]
        who = [topic.speaker for topic in topics]
        named = titles([" ".join(t.record.text for t in each) for each in sets], self.words, who)
        for members, words in zip(sets, named, strict=True):
            sources = _once(source for topic in members for source in topic.sources)
            if len(members) > 1:
                text = f"{', '.join(words)}: " + "; ".join(topic.words for topic in members)
                told = {"name": ", ".join(words), "topics": [t.words for t in members]}
                yield _made("shade", text, [topic.record for topic in members], sources, told)

    def _biographies(self, topics: Sequence[_Topic], view: View) -> Iterator[Record]:
        """Who somebody is, told of them and to them."""
        rows = np.flatnonzero(view.live & view.columns.of_kind("fact", "preference"))
        known: dict[str, list[Record]] = defaultdict(list)
        for fact in view.records(rows):
            if starts_with(fact.text, str(fact.fields.get("head"))):
                known[str(fact.fields["head"])].append(fact)
        for head, facts in sorted(known.items()):
            facts.sort(key=lambda each: (-len(each.sources), begin(each), each.text))
            facts = facts[: self.traits]
            shown = starts_with(facts[0].text, head)
            spoken = [topic for topic in topics if topic.speaker.lower() == head][: self.words]
            told = [fact.text for fact in facts]
            told += [f"{shown} speaks of {topic.words}" for topic in spoken]
            raws = view.current(source.record for fact in facts for source in fact.sources)
            sources = _once([*raws.values(), *(s for topic in spoken for s in topic.sources)])
            parts = [*facts, *(topic.record for topic in spoken)]
            for person, lines in (
                ("third", told),
                ("second", [addressed(line, head) for line in told]),
            ):
                text = " ".join(f"{line.rstrip('.')}." for line in lines)
                about = {"about": head, "person": person}
                if len(told) > 1:
                    yield _made("biography", text, parts, sources, about)


def _made(
    kind: str,
    text: str,
    parts: Sequence[Record],
    sources: Sequence[Record],
    told: Mapping[str, Any],
) -> Record:
    """A statement that was made of parts and rests on raw records."""
    key = key_of(text, parts, sources)
    made = derived(sources, kind, text, _METHOD, key=key, fields=told)
    return replace(made, parents=tuple(part.id for part in parts))


def _topic(
    chosen: Sequence[Record], notes: Sequence[Record], words: Sequence[str], middle: Floats
) -> _Topic:
    """The topic that some of its notes stand for."""
    said = [
        f"{_who(note)}: {note.text[span.start : span.end]}"
        for note in chosen
        for span in sentences(note.text)
    ]
    named = ", ".join(words)
    text = " ".join([f"{named}.", *speaking_of(named, said, _SENTENCES)])
    speakers = [_who(note) for note in notes]
    most = max(sorted(set(speakers)), key=speakers.count)
    told = {"name": named, "notes": len(notes)}
    record = replace(_made("topic", text, chosen, chosen, told), tags=tuple(words))
    return _Topic(
        record, chosen, named, middle, most if 2 * speakers.count(most) > len(notes) else ""
    )


def _tells(note: Record) -> bool:
    """Whether a person said it, and more than a greeting."""
    words = keywords(note.text, lambda _: 1.0, _TELLING, terms(_who(note)).content)
    return is_person(note) and len(words) == _TELLING


def _who(note: Record) -> str:
    return str(note.fields.get("speaker") or "User")


def _once(records: Iterable[Record]) -> list[Record]:
    """Each record once, in the order of time."""
    known = {record.id: record for record in records}
    return sorted(known.values(), key=lambda each: (said_at(each), each.id))
