"""Forgetting: what is not used fades by Ebbinghaus' curve, and is archived when it has faded.

Source: Zhong et al. 2023, MemoryBank, arXiv:2305.10250, section 3.3: R = exp(-t / S), each recall
    adds one to S and sets t to zero.
Differs: a fixed floor in place of a random draw; archived, never deleted; S counts days. The
    published code divides and multiplies in the wrong order (exp(-t / 5 * S)), so that what is
    recalled more fades faster; here a recalled memory outlives one that is not. The draw, once a
    day in place of at every start of the program, and the fault can be asked for.
"""

import hashlib
import math
from dataclasses import dataclass, replace

import numpy as np

from engram.plaintext.roles import Edit, EditPlan, Record, State, View

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Forgetting:
    """Archives raw memories whose retention fell below a floor.

    Attributes:
        floor: retention under which a memory is archived; 0 to 1.
        stretch: days that one point of strength lasts. The default, a year, keeps a memory that
            was never used for about three years.
        most: share of the live memories that one run may archive; 0 to 1.
        faithful: fade as the published code does, the more used the faster: exp(-t * S / 5).
        seed: draw for each memory and day whether it is kept, with its retention as the chance,
            in place of the floor; None draws nothing. The same seed draws the same.
    """

    floor: float = 0.05
    stretch: float = 365.0
    most: float = 0.05
    faithful: bool = False
    seed: int | None = None

    def retention(self, record: Record, now: float) -> float:
        """What is left of a memory, 1 when fresh and falling to 0."""
        since = max(record.last_used or 0.0, record.event_time or 0.0, record.known_from)
        age = max(0.0, now - since) / (DAY * self.stretch)
        strength = record.strength + record.uses
        return math.exp(-age * strength / 5 if self.faithful else -age / strength)

    def keep(self, now: float, view: View) -> EditPlan:
        """Archive the most faded first, at most the allowed share; frozen memories never fade."""
        rows = np.flatnonzero(view.live)
        age = now - np.fmax(view.columns.known_from[rows], view.columns.event[rows])
        old = rows[age > self._life()]
        faded = [
            (self.retention(record, now), record)
            for record in view.records(old)
            if record.kind == "raw" and not record.frozen and record.state is State.ACTIVE
        ]
        faded = [item for item in faded if self._gone(*item, now)]
        faded.sort(key=lambda item: item[0])
        quota = math.ceil(self.most * len(rows))
        return EditPlan(
            tuple(
                Edit(replace(record, state=State.ARCHIVED), basis=record.version)
                for _, record in faded[:quota]
            ),
            method="forgetting",
            reason="did not outlive the draw"
            if self.seed is not None
            else f"retention below {self.floor:g}",
        )

    def _life(self) -> float:
        """Seconds in which nothing can have faded, so that most rows are not read."""
        if self.faithful or self.seed is not None:
            return 0.0
        return -math.log(self.floor) * DAY * self.stretch if self.floor > 0 else math.inf

    def _gone(self, retention: float, record: Record, now: float) -> bool:
        if self.seed is None:
            return retention < self.floor
        drawn = f"{self.seed} {record.id} {now // DAY}".encode()
        return int.from_bytes(hashlib.blake2b(drawn, digest_size=8).digest()) / 2**64 >= retention
