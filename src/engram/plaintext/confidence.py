"""Confidence: how likely it is that a memory holds an answer at all, from 0 to 1."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engram.plaintext.roles import Floats, Route, Rows, View


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a search saw.

    Attributes:
        rows: (K,) the rows that answer, best first.
        scores: (N,) the final score of every row.
        strength: channel -> (N,) what it gave, before scaling and weighing.
        parts: channel or refiner -> (N,) what it added to the scores.
    """

    rows: Rows
    scores: Floats
    strength: Mapping[str, Floats]
    parts: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Confidence:
    """A logistic model over the strength of the best rows.

    The weights were fitted on answerable questions of five LoCoMo conversations against questions
    about other conversations with the names exchanged; see the page on evaluations for how well it
    separates them, and what it cannot tell.

    Attributes:
        bias: log-odds when nothing speaks for an answer.
        words: per share of the query's information that the best rows hold.
        meaning: per cosine of the best rows.
        agree: per lead of the named speakers' best row over everybody else's.
        fact: of a query whose slot is filled.
        top: how many rows are looked at.
    """

    bias: float = -3.7
    words: float = 2.7
    meaning: float = 4.0
    agree: float = 4.0
    fact: float = 6.0
    top: int = 3

    def rate(self, route: Route, evidence: Evidence, view: View) -> float:
        """The probability; 0 when nothing was found."""
        rows = evidence.rows[: self.top]
        if not len(rows):
            return 0.0
        odds = self.bias
        for name, weight in (("words", self.words), ("meaning", self.meaning)):
            if name in evidence.strength:
                odds += weight * float(evidence.strength[name][rows].max())
        if "facts" in evidence.strength:
            odds += self.fact * float(evidence.strength["facts"][rows].max())
        odds += self.agree * _lead(route, evidence, view)
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))


def _lead(route: Route, evidence: Evidence, view: View) -> float:
    """How much better the named speakers' best row is than the others', without their bonus."""
    columns = view.columns
    named = view.live & columns.said_by(route.people)
    others = view.live & ~named & (columns.speaker >= 0)
    if not named.any() or not others.any():
        return 0.0
    plain = evidence.scores - evidence.parts.get("speakers", 0.0)
    best = max(float(plain.max(where=view.live, initial=0.0)), 1e-6)
    lead = plain[named].max() - plain[others].max()
    return float(np.clip(lead / best, -1, 1))
