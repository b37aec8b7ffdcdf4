"""Conversations seen at several levels, and associated with those before that they resemble.

Source: Xu et al. 2025, MemGAS, arXiv:2505.19549: a session is kept as its text, its turns, a
    summary and keywords; a new node is linked with the earlier nodes that the upper of two
    Gaussians, fitted to its similarities with the most similar ones, accepts.
Differs: a session is written anew when it has grown by half, or by a tenth when another begins, so
    that it may come a message at a time. Its text and its turns share one node, which has the links
    of both. Links begin when there are enough scores to fit, not at the sixth session. Without a
    model the summary is its most central sentences, and the keywords are its rarest words.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engram.plaintext.advice import Advisor, Question, fields
from engram.plaintext.columns import highest
from engram.plaintext.derived import derived
from engram.plaintext.roles import EditPlan, Floats, Record, Rows, State, View
from engram.plaintext.text.desk import Desk
from engram.plaintext.text.mixtures import upper_group
from engram.plaintext.text.salience import central, keywords, rarity_in
from engram.plaintext.text.sentences import sentences
from engram.plaintext.text.sittings import LEVELS, heard, mean_of_turns, sittings, turns_of
from engram.plaintext.text.words import terms
from engram.ports import Embedder

LONGEST = 8_000  # characters of a session that its node holds
OVER = 0.2  # share of the usual growth that is enough when another conversation has begun
_SCHEMA = fields(
    {
        "summary": {"type": "string", "maxLength": 3_000},
        "keywords": {"type": "array", "items": {"type": "string", "maxLength": 60}, "maxItems": 30},
    }
)
_SUMMARISE = (
    "Sum up a conversation for somebody who will look for it later. summary: who said, did, plans "
    "or feels what, with names, places and dates, in plain sentences of at most 300 words in all. "
    "keywords: the names, things and subjects that it is about, the most important first."
)


@dataclass(frozen=True, slots=True)
class Sessions:
    """Writes three nodes for each conversation, or day without one, and links them.

    Attributes:
        embedder: makes the vectors that links follow from; without one there are no links.
        advisor: sums up, where there is one.
        candidates: the most similar earlier nodes that a new node is compared with.
        least: scores from which two groups of them can be told apart.
        growth: a conversation is written anew when it has so many times the turns that it had.
        lines: sentences of a summary without a model.
        words: keywords without a model.
    """

    embedder: Embedder | None = None
    advisor: Advisor | None = None
    candidates: int = 30
    least: int = 8
    growth: float = 1.5
    lines: int = 5
    words: int = 12

    def enrich(self, fresh: Sequence[Record], now: float, view: View) -> EditPlan:
        """Return the nodes of the conversations that the fresh records belong to, where due."""
        shelf = _Shelf(view, self.embedder)
        numbers = heard(fresh, view)
        for number in numbers:
            turns, held = turns_of(number, view), shelf.nodes(number)
            if self._is_due(turns, held.get(LEVELS[0]), is_over=number != numbers[-1]):
                for node in self._written(turns, held, shelf):
                    shelf.put(replace(node, links=self._links(node, number, shelf)), number)
        return EditPlan(tuple(shelf.desk.edits()), method="sessions")

    def _is_due(self, turns: Sequence[Record], node: Record | None, *, is_over: bool) -> bool:
        if node is None:
            return True
        held = [source.record for source in node.sources]
        lost = len(held) < len(node.parents) or node.state is not State.ACTIVE
        # Two conversations that go on side by side are each over at every turn of the other.
        growth = (self.growth - 1) * (OVER if is_over else 1)
        grown = len(turns) > len(held) and len(turns) >= (1 + growth) * len(held)
        return not node.frozen and (lost or grown)

    def _written(
        self, turns: Sequence[Record], held: Mapping[str, Record], shelf: "_Shelf"
    ) -> Iterator[Record]:
        said = "\n".join(map(_line, turns))[:LONGEST]
        summary, words = self._told(said, turns, shelf)
        for kind, text in zip(LEVELS, (said, summary, ", ".join(words)), strict=True):
            new, old = derived(turns, kind, text, "sessions", key=kind), held.get(kind)
            if text and not (old and old.frozen):
                yield _renewed(old, new) if old else shelf.unused(new)

    def _told(
        self, said: str, turns: Sequence[Record], shelf: "_Shelf"
    ) -> tuple[str, Sequence[str]]:
        """Summary and keywords; a summary that is longer than all that was said is none."""
        told = self.advisor and self.advisor.ask(Question("sessions", _SUMMARISE, said, _SCHEMA))
        if told and told["summary"].strip() and len(told["summary"]) <= len(said):
            return told["summary"].strip(), [word for word in told["keywords"] if word.strip()]
        pieces = [turn.text[s.start : s.end] for turn in turns for s in sentences(turn.text)]
        summary = "\n".join(pieces[at] for at in central(pieces, self.lines))
        names = terms(" ".join(str(turn.fields.get("speaker", "")) for turn in turns)).stems
        return summary, [each.word for each in keywords(said, shelf.rarity, self.words, names)]

    def _links(self, node: Record, number: int, shelf: "_Shelf") -> dict[str, str]:
        """The nodes of other conversations that the node, or the mean of its turns, accepts."""
        vectors = [shelf.desk.vector(node.text)]
        if node.kind == LEVELS[0]:
            vectors.append(shelf.mean(number))
        accepted: dict[str, str] = {}
        for vector in vectors:
            places, scores = shelf.others(vector, number)
            best = highest(scores, self.candidates)
            if len(best) >= self.least:
                chosen = places[best[upper_group(scores[best])]]
                accepted |= {shelf.desk.ids[at]: "associated" for at in chosen}
        return accepted


class _Shelf:
    """The nodes of all conversations, by the number of the sitting."""

    def __init__(self, view: View, embedder: Embedder | None) -> None:
        self._view = view
        self.desk = Desk(view, LEVELS, embedder)
        self._sittings = sittings(view.columns)
        live = view.live & view.columns.of_kind(*LEVELS)
        self._numbers: list[int] = self._sittings[live].tolist()
        self._whole: list[bool] = view.columns.of_kind(LEVELS[0])[live].tolist()
        self.rarity = rarity_in(view, view.live & view.columns.of_kind("raw"), self._sittings)

    def nodes(self, number: int) -> dict[str, Record]:
        """What is held of a conversation, in whatever state, by kind."""
        columns = self._view.columns
        held = columns.of_kind(*LEVELS) & (self._sittings == number)
        rows = np.flatnonzero(held & (columns.known_to == np.inf))
        return {record.kind: record for record in self._view.records(rows)}

    def put(self, node: Record, number: int) -> None:
        """Lay down a node, so that the next conversation can be linked with it."""
        self.desk.put(node)
        if len(self._numbers) < len(self.desk.ids):
            self._numbers.append(number)
            self._whole.append(node.kind == LEVELS[0])

    def mean(self, number: int) -> Floats:
        """The mean vector of the turns of a conversation, of length 1; zeros for none."""
        columns = self._view.columns
        said = self._view.live & columns.of_kind("raw") & (self._sittings == number)
        total: Floats = columns.vectors[said].sum(axis=0, dtype=np.float32)
        return total / max(float(np.linalg.norm(total)), 1e-9)

    def others(self, vector: Floats, number: int) -> tuple[Rows, Floats]:
        """Places of the nodes of other conversations, and how similar they are.

        The node of a text stands there twice: as it is, and in the end for the mean of its turns.
        """
        numbers = np.array(self._numbers, dtype=np.int64)
        nodes = np.flatnonzero(numbers != number)
        texts = nodes[np.array(self._whole, dtype=bool)[nodes]]
        turns = mean_of_turns(self._view.columns.vectors @ vector, self._view)[numbers[texts]]
        score = self.desk.cosines(vector)[nodes]
        return np.concatenate([nodes, texts]), np.concatenate([score, turns])

    def unused(self, node: Record) -> Record:
        """The node, with another id where a record of its id was erased."""
        gone = set(self._view.columns.ids[self._view.columns.of_kind("erased")])
        while node.id in gone:
            node = replace(node, id=str(uuid.uuid5(uuid.UUID(node.id), "again")))
        return node


def _renewed(old: Record, new: Record) -> Record:
    """The record that is held, with what follows from the turns as they are now."""
    return replace(
        old,
        text=new.text,
        sources=new.sources,
        parents=new.parents,
        event_time=new.event_time,
        expires_at=new.expires_at,
        trust=new.trust,
        state=State.ACTIVE,
    )


def _line(turn: Record) -> str:
    speaker = turn.fields.get("speaker")
    return f"{speaker}: {turn.text}" if speaker else turn.text
