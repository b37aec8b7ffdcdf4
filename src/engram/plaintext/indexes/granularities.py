"""Granularities: whole conversations rated at several levels, the surest level counting most.

Source: Xu et al. 2025, MemGAS, arXiv:2505.19549: similarities of the query with all sessions as
    texts, as means of their turns, as summaries and as keywords; a level whose softmax over the
    sessions has little entropy weighs more.
Differs: entropy is divided by the logarithm of the number of sessions, so that it lies between 0
    and 1 whatever that number is. The published code leaves it undivided: entropies above 1 turn
    the signs round, and the least sure level weighs most (``faithful``). The text of a session and
    its turns share one row; the mean of the turns is taken of their cosines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engram.plaintext.roles import Floats, Route, View
from engram.plaintext.text.sittings import LEVELS, mean_of_turns, sittings


@dataclass(frozen=True, slots=True)
class Granularities:
    """Rates the rows that stand for whole conversations.

    Attributes:
        temperature: of the softmax over conversations; above 0.
        faithful: weigh as the published code does, which is a fault.
    """

    relative: ClassVar[bool] = True
    temperature: float = 0.2
    faithful: bool = False

    def search(self, route: Route, view: View) -> Floats:
        """Return cosine times weight for sessions, summaries and keywords, 0 for other rows."""
        columns = view.columns
        found: Floats = np.zeros(len(view.live), dtype=np.float32)
        live = view.live & columns.embedded
        if route.vector is None or not (live & columns.of_kind(*LEVELS)).any():
            return found
        similar = columns.vectors @ route.vector
        levels = [np.flatnonzero(live & columns.of_kind(kind)) for kind in LEVELS]
        rated = [(rows, similar[rows]) for rows in levels]
        turns = mean_of_turns(similar, view)[sittings(columns)[levels[0]]]
        rated.append((levels[0], turns))
        unsure = [entropy(scores, self.temperature) for _, scores in rated]
        weights = certainty(unsure, [len(rows) for rows, _ in rated], faithful=self.faithful)
        for (rows, scores), weight in zip(rated, weights, strict=True):
            found[rows] += np.float32(weight) * scores
        return found


def entropy(scores: Floats, temperature: float) -> float:
    """Of the softmax of some scores, in nats; 0 for one score and for none."""
    if not len(scores):
        return 0.0
    log = scores.astype(np.float64) / temperature
    log -= log.max() + np.log(np.exp(log - log.max()).sum())
    return float(-(np.exp(log) * log).sum())


def certainty(
    entropies: Sequence[float], counts: Sequence[int], *, faithful: bool = False
) -> list[float]:
    """Weights of levels, which sum to 1: the less entropy, the more.

    Args:
        entropies: of each level, in nats.
        counts: scores that each was taken over; a level without scores gets no weight.
        faithful: see ``Granularities``; such weights can be negative.
    """
    there = [count > 0 for count in counts]
    if faithful:
        sure = [(1 - h) * at for h, at in zip(entropies, there, strict=True)]
    else:
        most = [np.log(count) if count > 1 else 0.0 for count in counts]
        sure = [
            max(0.0, 1 - h / top) if top else 0.0 for h, top in zip(entropies, most, strict=True)
        ]
    total = sum(sure)
    if abs(total) < 1e-12:  # none is surer than another
        sure, total = [float(at) for at in there], float(sum(there))
    return [float(each / total) for each in sure] if total else [0.0] * len(sure)
