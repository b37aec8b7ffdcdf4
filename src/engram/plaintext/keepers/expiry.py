"""Expiry: what was given an end of life is put out of recall when it comes.

Source: the time-to-live of Li et al. 2025, MemOS, arXiv:2507.03724, section 4 (MemCube header).
Differs: expired records are kept and can be brought back; recall ignores them from the very
    second, whether or not this has run.
"""

from dataclasses import dataclass, replace

import numpy as np

from engram.plaintext.roles import Edit, EditPlan, State, View


@dataclass(frozen=True, slots=True)
class Expiry:
    """Marks what is past its ``expires_at`` as expired."""

    def keep(self, now: float, view: View) -> EditPlan:
        """Return one edit for every active record past its end."""
        columns = view.columns
        past = (columns.expires <= now) & (columns.known_to == np.inf) & view.in_scope()
        return EditPlan(
            tuple(
                Edit(replace(record, state=State.EXPIRED), basis=record.version)
                for record in view.records(np.flatnonzero(past))
                if record.state is State.ACTIVE and not record.frozen
            ),
            method="expiry",
            reason="past its expires_at",
        )
