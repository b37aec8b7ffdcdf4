"""Linked entities: rows that name what the query names, the rarer the name, the more.

Source: version 3 of the mem0 repository (2026), mem0ai/mem0: an entity of the query lends half its
    likeness to the memories linked with it, damped by how many these are.
Differs: a row is linked with a name when it holds its words, so that links follow every change and
    need no store; names like those of the query are taken from the entities that are known.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engram.plaintext.roles import Floats, Route, View
from engram.plaintext.text.entities import alike, asked_of, naming, nodes
from engram.ports import Embedder


@dataclass(frozen=True, slots=True)
class LinkedEntities:
    """Rates rows by the entities that they share with the query.

    Attributes:
        share: what one entity can give.
        damping: how much each further link of an entity takes from all of them.
        near: least cosine between an entity of the query and one that is known.
        most: entities of the query that are looked at.
        embedder: finds near names; without it only equal ones count.
    """

    relative: ClassVar[bool] = False
    share: float = 0.5
    damping: float = 0.001
    near: float = 0.5
    most: int = 8
    embedder: Embedder | None = None

    def search(self, route: Route, view: View) -> Floats:
        """Return for each row the most that one entity gives it; at most ``share``."""
        scores: Floats = np.zeros(len(view.live), dtype=np.float32)
        known = [node.text for _, node in nodes(view)]
        for name in asked_of(route)[: self.most]:
            like = alike(name, known, self.embedder, self.near)[: self.most]
            for each, likeness in [(name, 1.0), *((known[at], near) for at, near in like)]:
                linked = naming(each, view)
                worth = np.float32(self.share * likeness * self.damp(len(linked)))
                scores[linked] = np.maximum(scores[linked], worth)
        return scores

    def damp(self, links: int) -> float:
        """What is left of an entity's worth when so many rows are linked with it."""
        return 1 / (1 + self.damping * (links - 1) ** 2)
