"""Neighbourhood: edges of a graph that leave or reach what the query names, the fittest of them.

Source: Chhikara et al. 2025, Mem0, arXiv:2504.19413, section 2.2: from the entities of a query to
    the edges around them, reranked by BM25, and the query against all triplets by their vectors.
Differs: edges gain a share of the best score instead of being a result of their own; how well they
    fit is the share of the query's information in their words.
"""

from dataclasses import dataclass

import numpy as np

from engram.plaintext.columns import highest
from engram.plaintext.roles import Floats, Mask, Route, View
from engram.plaintext.text.entities import alike, asked_of, naming, nodes
from engram.plaintext.text.salience import rarity_in
from engram.plaintext.text.words import terms
from engram.ports import Embedder


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Raises edges.

    Attributes:
        share: of the best score that an edge gains which says all that is asked.
        keep: edges of the neighbourhood, and edges by their vectors, that gain.
        alike: least cosine of an edge that gains by its vector.
        near: cosine from which a name of the query stands for a known node.
        most: names of the query that are looked at.
        embedder: finds near names; without it only equal ones count.
    """

    share: float = 0.5
    keep: int = 5
    alike: float = 0.4
    near: float = 0.7
    most: int = 8
    embedder: Embedder | None = None

    def refine(self, route: Route, scores: Floats, view: View) -> Floats:
        """Raise the fittest edges; lower nothing."""
        columns = view.columns
        edges = view.live & columns.of_kind("edge")
        top = float(np.max(scores, where=view.live, initial=0.0))
        if not edges.any() or top <= 0:
            return scores
        fit = np.where(self._around(route, view) & edges, _said(route, edges, view), 0)
        worth = _best(fit, self.keep)
        if route.vector is not None:
            cosines = columns.vectors @ route.vector
            near = np.where(edges & (cosines >= self.alike), cosines, 0)
            worth = np.maximum(worth, _best(near, self.keep))
        return (scores + self.share * top * worth).astype(np.float32)

    def _around(self, route: Route, view: View) -> Mask:
        """(N,) rows that name what the query names, or are linked with a node near it."""
        around: Mask = np.zeros(len(view.live), dtype=bool)
        known = nodes(view)
        sources, targets = view.edges()
        for name in asked_of(route)[: self.most]:
            around[naming(name, view)] = True
            like = alike(name, [node.text for _, node in known], self.embedder, self.near)
            around[sources[np.isin(targets, [known[at][0] for at, _ in like])]] = True
        return around


def _said(route: Route, edges: Mask, view: View) -> Floats:
    """(N,) share of the information in the query's words, names aside, that a row holds."""
    named = {stem for name in asked_of(route) for stem in terms(name).stems}
    wanted = set(terms(route.query, query=True).content) - named
    rarity = rarity_in(view, edges)
    said: Floats = np.zeros(len(edges), dtype=np.float32)
    total = 0.0
    for term, (where, _) in view.postings(sorted(wanted)).items():
        worth = max(0.0, rarity(term))
        total += worth
        said[where] += np.float32(worth)
    return said / np.float32(max(total, 1e-6))


def _best(worth: Floats, count: int) -> Floats:
    """The largest of them, and 0 for all others."""
    kept = np.zeros_like(worth)
    best = highest(worth, count)
    kept[best] = np.maximum(worth[best], 0)
    return kept
