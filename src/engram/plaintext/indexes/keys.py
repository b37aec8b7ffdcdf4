"""Keys: items whose title a query says, or that carry two or more of its words as tags.

Source: Li et al. 2025, MemOS, arXiv:2507.03724, and the repository MemTensor/MemOS (version 2),
    recall from the graph: nodes of the very key, or with at least two tags in common.
Differs: the words of the query are its keys and tags, so that no model has to name them; a channel
    beside words and vectors, whose rows are ranked together.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engram.plaintext.columns import highest
from engram.plaintext.roles import Floats, Record, Route, View
from engram.plaintext.text.tiers import KIND
from engram.plaintext.text.words import terms


@dataclass(frozen=True, slots=True)
class Keys:
    """Rates items by their titles and tags.

    Attributes:
        shared: tags in common from which on an item is recalled.
        most: items whose titles and tags are looked at, those with the most words of the query.
    """

    relative: ClassVar[bool] = False
    shared: int = 2
    most: int = 64

    def search(self, route: Route, view: View) -> Floats:
        """Return 1 for the very title, else the share of the query's words among the tags."""
        scores: Floats = np.zeros(len(view.live), dtype=np.float32)
        words = set(terms(route.content, query=True).content)
        items = view.live & view.columns.of_kind(KIND)
        held: Floats = np.zeros(len(view.live), dtype=np.float32)
        for where, _ in view.postings(sorted(words)).values():
            held[where] += 1
        held *= items
        best = highest(held, self.most)
        best = best[held[best] > 0]
        place = {view.columns.ids[row]: row for row in best}
        for item in view.records(best):
            scores[place[item.id]] = self._worth(item, words)
        return scores

    def _worth(self, item: Record, words: set[str]) -> float:
        title = set(terms(str(item.fields.get("title", "")), query=True).content)
        if title and title <= words:
            return 1.0
        tags = " ".join(tag for tag in item.tags if ":" not in tag)
        common = len(words.intersection(terms(tags, query=True).content))
        return common / len(words) if common >= self.shared else 0.0
