"""Sittings: the rows of one conversation, or of one day where no conversation is named."""

from collections.abc import Sequence

import numpy as np

from engram.plaintext.roles import Columns, Floats, Record, Rows, View

DAY = 86_400.0
LEVELS = ("session", "session_summary", "session_keywords")
"""Kinds of the records that stand for a whole sitting: its text, its summary, its key words."""


def sittings(columns: Columns) -> Rows:
    """(N,) number of the sitting of each row; -1 for rows with neither a run nor a time.

    The record of a whole sitting has the scope of its turns and the time of the latest of them, so
    that it has their number.
    """
    return columns.remembered("sittings", lambda: _numbered(columns))


def _numbered(columns: Columns) -> Rows:
    alone = columns.run < 0
    days = np.where(alone, np.floor_divide(np.nan_to_num(columns.event), DAY), 0)
    keys = np.zeros(len(alone), dtype=np.int64)
    for part in (columns.run, columns.agent, days.astype(np.int64)):
        _, codes = np.unique(part, return_inverse=True)
        _, keys = np.unique(keys * (codes.max(initial=0) + 1) + codes, return_inverse=True)
    found: Rows = np.where(alone & np.isnan(columns.event), -1, keys)
    return found


def turns_of(number: int, view: View) -> list[Record]:
    """The live turns of a sitting, in the order in which they were said."""
    columns = view.columns
    ever = np.flatnonzero(columns.of_kind("raw") & (sittings(columns) == number))
    first: dict[str, int] = {}
    for row in ever.tolist():
        first.setdefault(columns.ids[row], row)  # a turn that was rewritten keeps its place
    rows = ever[view.live[ever]]
    places = np.array([first[columns.ids[row]] for row in rows], dtype=np.int64)
    said = np.nan_to_num(columns.event[rows], nan=np.inf)
    return view.records(rows[np.lexsort((places, said))])


def heard(fresh: Sequence[Record], view: View) -> list[int]:
    """The sittings that some records belong to, and that of the record before the first of them.

    In the order of the last of their rows in the log, so that the last is the one that goes on.
    """
    columns = view.columns
    said = np.flatnonzero(view.live & columns.of_kind("raw"))
    new = np.isin(columns.ids[said], [record.id for record in fresh])
    if not new.any():
        return []
    first = int(new.argmax())
    numbers = sittings(columns)[[*said[max(0, first - 1) : first], *said[new]]].tolist()
    latest_first = dict.fromkeys(number for number in reversed(numbers) if number >= 0)
    return [*reversed(latest_first)]


def mean_of_turns(similar: Floats, view: View) -> Floats:
    """(sittings,) mean over the live turns of each of what is given for rows (N,); 0 for none.

    Of similarities with a vector this is the similarity with the mean of the turns' vectors.
    """
    columns, sitting = view.columns, sittings(view.columns)
    said = np.flatnonzero(view.live & columns.embedded & columns.of_kind("raw") & (sitting >= 0))
    size = int(sitting.max(initial=-1)) + 1
    total = np.bincount(sitting[said], weights=similar[said], minlength=size)
    count = np.bincount(sitting[said], minlength=size)
    return (total / np.maximum(count, 1)).astype(np.float32)
