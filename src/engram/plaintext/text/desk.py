"""A desk: the records of some kinds while a batch of them is written, and what is near what."""

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np

from engram.plaintext.roles import Edit, Floats, Record, View
from engram.plaintext.text.salience import rarity_in
from engram.ports import Embedder


class Desk:
    """The live records of some kinds, and those that a batch makes and changes.

    What is made for one record of a batch is found for the next, which no view shows yet.

    Args:
        view: what the store holds.
        kinds: of the records.
        embedder: makes the vectors; None for none, then shared words tell what is near.

    Attributes:
        ids: of all records on the desk, those of the view first, in the order of the log.
        rarity: what a term is worth among the live raw records.
    """

    def __init__(self, view: View, kinds: Collection[str], embedder: Embedder | None) -> None:
        columns = view.columns
        self._view, self._embedder = view, embedder
        self._rows = np.flatnonzero(view.live & columns.of_kind(*kinds))
        self._vectors = columns.vectors
        self._made: dict[str, Floats] = {}
        self._later: dict[int, Floats] = {}
        self._words: dict[int, frozenset[str]] = {}
        self._changed: dict[str, Record] = {}
        self.ids: list[str] = list(columns.ids[self._rows])
        self._place = {each: at for at, each in enumerate(self.ids)}
        self.rarity = rarity_in(view, view.live & columns.of_kind("raw"))

    def get(self, record_id: str) -> Record | None:
        """A record as it now is, on the desk or in the store."""
        return self._changed.get(record_id) or self._view.get(record_id)

    def near(
        self, record: Record, words: Collection[str], count: int
    ) -> list[tuple[Record, float]]:
        """The nearest others and their cosines, 0 where nothing embeds; nearest first.

        Args:
            record: on the desk or not.
            words: the terms that it is about.
            count: most to return.
        """
        if self._embedder is None:
            score = self._shared(words)
        else:
            score = self.cosines(self.vector(record.text))
        order = np.argsort(-score, kind="stable")[: count + 1]
        best = [at for at in order if score[at] > 0 and self.ids[at] != record.id][:count]
        found = self._view.current(self.ids[at] for at in best) | self._changed
        scale = 0.0 if self._embedder is None else 1.0
        return [(found[self.ids[at]], scale * float(score[at])) for at in best]

    def vector(self, text: str) -> Floats:
        """The unit vector of a text; zeros where nothing embeds."""
        if self._embedder is None:
            return np.zeros(self._vectors.shape[1], dtype=np.float32)
        if text not in self._made:
            self._made[text] = self._embedder.embed([text])[0]
        return self._made[text]

    def cosines(self, vector: Floats) -> Floats:
        """(len(ids),) cosine of each record with a unit vector; 0 where it has no vector."""
        score = np.zeros(len(self.ids), dtype=np.float32)
        score[: len(self._rows)] = (self._vectors @ vector)[self._rows]
        for at, later in self._later.items():
            score[at] = later @ vector
        return score

    def put(self, record: Record, words: Collection[str] = ()) -> None:
        """Lay down a new or changed record, and the terms that it is about."""
        at = self._place.setdefault(record.id, len(self.ids))
        if at == len(self.ids):
            self.ids.append(record.id)
        if self._embedder is not None:
            self._later[at] = self.vector(record.text)
        self._words[at] = frozenset(words)
        self._changed[record.id] = record

    def edits(self) -> Iterator[Edit]:
        """Everything that was put down, on the versions that the view holds.

        Links to what was erased since are left out; those to what was only deleted are kept, for it
        may come back.
        """
        held = self._view.current(self._changed)
        targets = {target for record in self._changed.values() for target in record.links}
        known = self._view.current(sorted(targets)).keys() | self._changed.keys()
        for each, record in self._changed.items():
            links = {to: kind for to, kind in record.links.items() if to in known}
            basis = held[each].version if each in held else 0
            yield Edit(replace(record, links=links), basis=basis)

    def _shared(self, words: Collection[str]) -> Floats:
        """(len(ids),) how much the terms say that each record has too."""
        score = np.zeros(len(self.ids), dtype=np.float32)
        wanted = sorted(words)
        for term, (where, _) in self._view.postings(wanted).items():
            score[: len(self._rows)] += np.isin(self._rows, where) * np.float32(self.rarity(term))
        for at, held in self._words.items():
            score[at] = sum(self.rarity(term) for term in wanted if term in held)
        return score
