"""Tags: what is filed under the topics of the query, the likest first, within its time.

Source: Westhäußer et al. 2025, CAIM, arXiv:2505.13044, section 3.2: choose tags of the ontology,
    take the entries that carry them, keep those that fit the context and the time.
Differs: a channel beside others, so that what was filed wrongly is found by its words all the same:
    tags boost and never gate. Only what carries a tag of the query is looked at.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engram.plaintext.roles import Floats, Route, Rows, View
from engram.plaintext.text.ontology import nearest, spoken_of
from engram.ports import Embedder


@dataclass(frozen=True, slots=True)
class Tags:
    """Rates the thoughts under the topics of the query, and the messages that they rest on.

    Attributes:
        topics: of a query that are looked under.
        embedder: finds topics that no word of the query speaks for.
    """

    relative: ClassVar[bool] = False
    topics: int = 2
    embedder: Embedder | None = None

    def search(self, route: Route, view: View) -> Floats:
        """Return (1 + cosine) / 2 for rows under a topic, 1 where nothing embeds; 0 elsewhere."""
        columns = view.columns
        scores: Floats = np.zeros(len(view.live), dtype=np.float32)
        rows = self._filed(route, view)
        if not len(rows):
            return scores
        alike: Floats = np.ones(len(rows), dtype=np.float32)
        if route.vector is not None:
            alike = (np.float32(1) + columns.vectors[rows] @ route.vector) / np.float32(2)
        best: Floats = np.zeros(int(columns.group.max()) + 1, dtype=np.float32)
        np.maximum.at(best, columns.group[rows], alike)
        scores[rows] = alike
        raw = view.live & columns.of_kind("raw")
        return np.maximum(scores, best[columns.group] * raw)

    def _filed(self, route: Route, view: View) -> Rows:
        """The rows that are looked at: under a topic of the query, in one of its periods."""
        chosen = spoken_of(route.content)[: self.topics]
        if len(chosen) < self.topics and self.embedder is not None and route.vector is not None:
            chosen = list(dict.fromkeys([*chosen, *nearest(route.vector, self.embedder)]))
        under = [_under(topic, view) for topic in chosen[: self.topics]]
        rows = np.unique(np.concatenate(under)) if under else np.zeros(0, dtype=np.int64)
        said = view.columns.event[rows]
        inside = np.zeros(len(rows), dtype=bool)
        for period in route.periods:
            inside |= (said >= period.start) & (said < period.end)
        return rows[view.live[rows] & (inside | (not route.periods))]


def _under(topic: str, view: View) -> Rows:
    """Positions of all that is filed under a topic."""
    columns = view.columns
    places = columns.remembered(
        "places", lambda: {record: at for at, record in enumerate(columns.ids)}
    )

    def look() -> Rows:
        filed = [places[found.id] for found in view.facts(topic, "topic") if found.id in places]
        return np.array(filed, dtype=np.int64)

    return columns.remembered(f"topic {topic}", look)
