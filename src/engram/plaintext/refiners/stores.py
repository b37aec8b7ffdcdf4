"""Stores: each store answers for itself with its best, and core is never too far down to be shown.

Source: Wang and Chen 2025, MIRIX, arXiv:2507.07957, section 4.1, active retrieval: the ten best of
    each memory component go into the prompt, and core is always in it.
Differs: an item takes the score of the message that it rests on, and stands for it; what no store
    holds is found as well. The best of core are raised as far as is needed to be packed.
"""

from dataclasses import dataclass

import numpy as np

from engram.plaintext.roles import Floats, Route, Rows, View


@dataclass(frozen=True, slots=True)
class Stores:
    """Keeps the best rows of each store, and raises items to their messages.

    Attributes:
        keep: rows of a store.
        kinds: of the stores.
        within: place among all results up to which the best of core are raised.
        lead: how much better an item is than its message, as a share.
    """

    keep: int = 10
    kinds: tuple[str, ...] = (
        "core",
        "episodic",
        "semantic",
        "procedural",
        "resource",
        "secret",
    )
    within: int = 40
    lead: float = 0.001

    def refine(self, route: Route, scores: Floats, view: View) -> Floats:
        """Raise items to their messages, put what is left of a store to 0, and raise core."""
        columns = view.columns
        filed = view.live & columns.of_kind(*self.kinds) & (scores > 0)
        if not filed.any():
            return scores
        refined: Floats = scores.copy()
        raw = np.flatnonzero(view.live & columns.of_kind("raw"))
        said: Floats = np.zeros(int(columns.group.max()) + 1, dtype=np.float32)
        np.maximum.at(said, columns.group[raw], scores[raw])
        spoken = np.flatnonzero(filed & ~columns.of_kind("core"))
        lifted = said[columns.group[spoken]] * np.float32(1 + self.lead)
        refined[spoken] = np.maximum(scores[spoken], lifted)
        for kind in self.kinds:
            rows = np.flatnonzero(filed & columns.of_kind(kind))
            refined[_best_first(rows, refined)[self.keep :]] = 0
        return self._raised(refined, view)

    def _raised(self, scores: Floats, view: View) -> Floats:
        """The best of core at least at the score of the last place that is looked at."""
        core = np.flatnonzero(view.live & view.columns.of_kind("core"))
        best = _best_first(core, scores)[: self.keep]
        places = np.sort(scores[view.live])[::-1]
        if len(places) > self.within:
            scores[best] = np.maximum(scores[best], places[self.within] * (1 + self.lead))
        return scores


def _best_first(rows: Rows, scores: Floats) -> Rows:
    """The best first, and of equals the newest."""
    newest = rows[::-1]
    return newest[np.argsort(-scores[newest], kind="stable")]
