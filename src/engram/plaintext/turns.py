"""Turns: the rows of a space in the order in which they were said, conversation by conversation.

Rows lie in slots with a few empty slots between two conversations, so that "the turn before" is a
plain shift of an array and never reaches into another conversation.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GAP = 3
"""Empty slots between conversations: the farthest that a turn looks to its neighbours."""

SILENCE = 3600.0
"""Seconds of silence after which dated rows that belong to no run begin another conversation."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Where each row lies.

    Attributes:
        rows: (T,) positions of the rows that hold searchable text, in the order of slots.
        slots: (T,) the slot of each of these.
        starts: (C,) first slot of each conversation; never empty, for slot 0 is one if none is.
        conversation: (size,) number of the conversation of each slot.
        size: number of slots.
        slot: (N,) the slot of each row, -1 for rows that have none.
        whole: (T,) the slots of ``rows`` among all turns, where these are some of them.
    """

    rows: NDArray[np.int64]
    slots: NDArray[np.int64]
    starts: NDArray[np.int64]
    conversation: NDArray[np.int64]
    size: int
    slot: NDArray[np.int64]
    whole: NDArray[np.int64] | None = None

    def spread(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N,) values of rows -> (size,) values of slots, 0 in the gaps."""
        out = np.zeros(self.size, dtype=np.float32)
        out[self.slots] = values[self.rows]
        return out

    def gather(self, values: NDArray[np.float32], count: int) -> NDArray[np.float32]:
        """(size,) values of slots -> (count,) values of rows, 0 for rows that have no slot."""
        out = np.zeros(count, dtype=np.float32)
        out[self.rows] = values[self.slots]
        return out

    def near(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(N,) these rows and the turns that stand up to ``GAP`` places from one of them."""
        found = np.zeros(len(self.slot), dtype=bool)
        found[rows] = True
        slots = self.slot[rows]
        asked = np.zeros(self.size, dtype=bool)
        for shift in range(-GAP, GAP + 1):
            asked[np.clip(slots[slots >= 0] + shift, 0, self.size - 1)] = True
        found[self.rows] |= asked[self.slots]
        return found

    def take(self, rows: NDArray[np.int64]) -> "Turns":
        """The turns among some rows; places apart stay places apart, up to ``GAP``.

        Args:
            rows: (N',) ascending; positions become those in ``rows``.
        """
        slots = self.slot[rows]
        order = np.argsort(slots, kind="stable")
        order = order[np.searchsorted(slots[order], 0) :]
        whole = slots[order]
        steps = np.minimum(np.diff(whole, prepend=whole[:1] - GAP), GAP + 1)
        return _laid(order, np.cumsum(steps), self.conversation[whole], len(rows), whole)

    def pick(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(size of all turns,) values of their slots -> (size,) of these, 1 in the gaps."""
        if self.whole is None:
            return values
        out = np.ones(self.size, dtype=np.float32)
        out[self.slots] = values[self.whole]
        return out


def in_order(
    run: NDArray[np.int32],
    event: NDArray[np.float64],
    length: NDArray[np.float32],
    derived: NDArray[np.bool_] | None = None,
) -> Turns:
    """Lay out the rows that hold text.

    Args:
        run: (N,) conversation of each row, -1 for none.
        event: (N,) when it was said, NaN for unknown.
        length: (N,) words; rows of 0 hold no searchable text and get no slot.
        derived: (N,) rows that nobody said, such as summaries: each stands alone, at the end.
    """
    rows = np.flatnonzero(length > 0)
    said = event[rows]
    known = np.where(np.isnan(said), np.inf, said)
    made = np.zeros(len(rows), dtype=bool) if derived is None else derived[rows]
    order = np.lexsort((rows, known, run[rows], made))
    rows, runs, said, made = rows[order], run[rows][order], said[order], made[order]
    alone = ((runs < 0) & np.isnan(said)) | made
    with np.errstate(invalid="ignore"):
        apart = np.diff(said, prepend=-np.inf) > SILENCE
    begins = np.diff(runs, prepend=-2) != 0
    begins |= alone | ((runs < 0) & apart)
    number = np.cumsum(begins)
    return _laid(rows, np.arange(len(rows)) + GAP * number, number, len(length))


def _laid(
    rows: NDArray[np.int64],
    slots: NDArray[np.int64],
    number: NDArray[np.int64],
    count: int,
    whole: NDArray[np.int64] | None = None,
) -> Turns:
    """Turns of ``count`` rows; ``number`` (T,) tells conversations apart."""
    size = int(slots[-1]) + GAP + 1 if len(rows) else 1
    begins = np.diff(number, prepend=-1) != 0
    starts = slots[begins] if len(rows) else np.zeros(1, dtype=np.int64)
    conversation = np.searchsorted(starts, np.arange(size), side="right") - 1
    slot = np.full(count, -1, dtype=np.int64)
    slot[rows] = slots
    return Turns(rows, slots, starts, conversation, size, slot, whole)
