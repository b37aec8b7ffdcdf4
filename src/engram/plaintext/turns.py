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
    """

    rows: NDArray[np.int64]
    slots: NDArray[np.int64]
    starts: NDArray[np.int64]
    conversation: NDArray[np.int64]
    size: int

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
    slots = np.arange(len(rows)) + GAP * np.cumsum(begins)
    size = int(slots[-1]) + GAP + 1 if len(rows) else 1
    starts = slots[begins] if len(rows) else np.zeros(1, dtype=np.int64)
    conversation = np.searchsorted(starts, np.arange(size), side="right") - 1
    return Turns(rows, slots, starts, conversation, size)
