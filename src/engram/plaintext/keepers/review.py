"""Thoughts are gone over: filed anew, those that say the same held once, outdated ones archived.

Source: Westhäußer et al. 2025, CAIM, arXiv:2505.13044, section 3.3, the review in post-thinking.
Differs: by rules in place of a model, so that a second review changes nothing; what is outdated is
    archived with the time at which it ended, for removing it would take away the answers to
    questions about the past. A topic that the ontology renamed is found anew.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engram.plaintext.roles import Edit, EditPlan, Record, Rows, State, View
from engram.plaintext.text.ontology import VERSION, nearest, spoken_of
from engram.plaintext.text.words import same_text
from engram.ports import Embedder

_ARCHIVED = list(State).index(State.ARCHIVED)


@dataclass(frozen=True, slots=True)
class Review:
    """Goes over the thoughts of all topics.

    Attributes:
        alike: cosine from which two thoughts of one speaker on one topic say the same.
        embedder: files thoughts of another version of the ontology where no word tells.
    """

    alike: float = 0.95
    embedder: Embedder | None = None

    def keep(self, now: float, view: View) -> EditPlan:
        """File, then end what is outdated, then merge what is left."""
        rows = np.flatnonzero(view.live & view.columns.of_kind("thought"))
        stored = {each.id: each for each in view.records(rows) if _is_filed(each)}
        place = {str(view.columns.ids[row]): int(row) for row in rows}
        images = {
            thought: self._filed(each, place[thought], view) for thought, each in stored.items()
        }
        images |= _ended(images, view)
        images |= self._merged(
            [each for each in images.values() if each.superseded_by is None], place, view
        )
        edits = [
            Edit(image, basis=image.version)
            for thought, image in images.items()
            if image != stored[thought]
        ]
        return EditPlan(tuple(edits), "review", "filed anew, outdated, or said before")

    def _filed(self, thought: Record, row: int, view: View) -> Record:
        """The thought under a topic of this version of the ontology."""
        if thought.fields.get("ontology") == VERSION:
            return thought
        topics = spoken_of(thought.text)
        if not topics and self.embedder is not None:
            topics = nearest(view.columns.vectors[row], self.embedder)
        topic = topics[0] if topics else str(thought.fields["head"])
        fields = {**thought.fields, "head": topic, "ontology": VERSION}
        return replace(thought, fields=fields, tags=(topic,))

    def _merged(
        self, thoughts: Sequence[Record], place: Mapping[str, int], view: View
    ) -> dict[str, Record]:
        """Those that somebody said before, each with the first that says the same."""
        topics: dict[tuple[str, ...], list[Record]] = defaultdict(list)
        for each in sorted(thoughts, key=lambda each: each.event_time or each.created):
            topics[
                str(each.fields["head"]), str(each.fields.get("speaker")), str(each.scope)
            ].append(each)
        found: dict[str, Record] = {}
        for several in topics.values():
            vectors = view.columns.vectors[[place[each.id] for each in several]]
            near = vectors @ vectors.T >= self.alike
            firsts: list[int] = []
            for at, each in enumerate(several):
                first = next((f for f in firsts if near[at, f] or _says(several[f], each)), None)
                if first is None:
                    firsts.append(at)
                else:
                    found[each.id] = replace(
                        each, state=State.ARCHIVED, superseded_by=several[first].id
                    )
        return found


def _is_filed(thought: Record) -> bool:
    return thought.fields.get("relation") == "topic" and not thought.frozen


def _says(one: Record, other: Record) -> bool:
    return same_text(one.text) == same_text(other.text)


def _ended(thoughts: Mapping[str, Record], view: View) -> dict[str, Record]:
    """Thoughts that say what a newer fact has ended, with the time at which it did."""
    found: dict[str, Record] = {}
    by_source: dict[str, list[Record]] = defaultdict(list)
    for each in thoughts.values():
        by_source[each.sources[0].record].append(each)
    for fact in _superseded(view):
        for source in fact.sources:
            for thought in by_source.get(source.record, ()):
                if same_text(str(fact.fields.get("tail"))) in same_text(thought.text):
                    found[thought.id] = replace(
                        thought,
                        state=State.ARCHIVED,
                        valid_to=fact.valid_to,
                        superseded_by=fact.superseded_by,
                    )
    return found


def _superseded(view: View) -> Iterator[Record]:
    """The facts that a newer one has ended."""
    columns = view.columns
    ended = columns.of_kind("fact", "preference") & columns.replaced & (columns.known_to == np.inf)
    rows: Rows = np.flatnonzero(ended & (columns.state == _ARCHIVED))
    yield from (fact for fact in view.records(rows) if fact.superseded_by)
