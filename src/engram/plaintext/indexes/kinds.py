"""Kinds: what belongs in every prompt is spoken for, whatever is asked.

Source: Wang and Chen 2025, MIRIX, arXiv:2507.07957, section 3.1: core memory is always in view.
Differs: nothing known.
"""

from dataclasses import dataclass
from typing import ClassVar

from engram.plaintext.roles import Floats, Route, View


@dataclass(frozen=True, slots=True)
class Kinds:
    """Rates rows by their kind alone.

    Attributes:
        kinds: of the rows that are spoken for.
    """

    relative: ClassVar[bool] = False
    kinds: tuple[str, ...] = ("core",)

    def search(self, route: Route, view: View) -> Floats:
        """Return 1 for live rows of these kinds, 0 for others."""
        mine = view.live & view.columns.of_kind(*self.kinds)
        scores: Floats = mine.astype("float32")
        return scores
