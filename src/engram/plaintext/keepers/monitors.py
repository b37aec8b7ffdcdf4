"""What was read lately is at hand, and what is read often is advised for activation memory.

Source: Li et al. 2025, MemOS, arXiv:2507.03724, MemScheduler, and the repository MemTensor/MemOS
    (version 2): a working monitor, and an activation monitor that composes a text of its top items
    at each refresh, and does nothing when the text is the same as the last one.
Differs: advice alone: a ``promotion`` record that waits for approval and is never recalled. It
    names items and a fingerprint of their text, and holds no words of them. The papers name no
    thresholds; here an item must have been read so often and stand unchanged for so long.
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engram.plaintext.advice import numbered
from engram.plaintext.derived import derived
from engram.plaintext.roles import Edit, EditPlan, Record, State, View
from engram.plaintext.text.tiers import KIND, WORKING, changes, firsts, standing_in

DAY = 86_400.0
_METHOD, _PROMOTION = "monitors", "promotion"


@dataclass(frozen=True, slots=True)
class _Read:
    """An item, how often it or what it rests on was packed into a context, and when last."""

    item: Record
    uses: int
    last: float
    place: int


@dataclass(frozen=True, slots=True)
class Monitors:
    """Moves items into working memory and makes ``promotion`` records.

    Attributes:
        most: items at hand.
        lately: days for which what was read stays at hand.
        promoted: items that are advised for activation memory.
        uses: readings from which on an item is.
        unchanged: days that it must have stood as it is.
    """

    most: int = 20
    lately: float = 1.0
    promoted: int = 20
    uses: int = 3
    unchanged: float = 1.0

    def keep(self, now: float, view: View) -> EditPlan:
        """Return the items that move, and the advice where it changes."""
        read = _read(view)
        before = standing_in(view, WORKING)
        lately = [each for each in read if each.uses and now - each.last <= self.lately * DAY]
        lately.sort(key=lambda each: (-each.last, -each.place))
        fresh = [each.item for each in lately[: self.most]]
        after = {item.id: item for item in (*fresh, *reversed(before))}
        moves = changes(before, list(after.values())[: self.most])
        edits = [Edit(item, basis=item.version) for item in moves]
        whole = view.scope.run is None and view.scope.agent is None
        advice = self._advice(self._hot(read, now), view) if whole else []
        return EditPlan((*edits, *advice), _METHOD, "read lately, and read often")

    def _hot(self, read: Sequence[_Read], now: float) -> list[Record]:
        """The items that are read often and stand unchanged, in the order in which they were said.

        A prompt that begins with them begins alike for as long as they are the same.
        """
        hot = [
            each
            for each in read
            if each.uses >= self.uses and now - each.item.created >= self.unchanged * DAY
        ]
        hot.sort(key=lambda each: (-each.uses, each.place))
        return [each.item for each in sorted(hot[: self.promoted], key=lambda each: each.place)]

    def _advice(self, items: Sequence[Record], view: View) -> list[Edit]:
        """The edits after which the advice names these items; none where it does already."""
        columns = view.columns
        ever = view.records(
            np.flatnonzero(columns.of_kind(_PROMOTION) & (columns.known_to == np.inf))
        )
        waiting = [each for each in ever if each.state is State.GENERATED]
        digest = _fingerprint(items)
        known = [
            each for each in ever if each.fields.get("fingerprint") == digest and not _over(each)
        ]
        if items and known:
            return []  # advised already, or turned down
        new = _promotion(items, digest, view) if items else None
        edits = [Edit(new)] if new else []
        return [*edits, *(Edit(_ended(each, new), basis=each.version) for each in waiting)]


def _read(view: View) -> list[_Read]:
    """The live items, and how they were read."""
    columns = view.columns
    rows = np.flatnonzero(view.live & columns.of_kind(KIND))
    raws = np.flatnonzero(
        view.live & columns.of_kind("raw") & np.isin(columns.group, columns.group[rows])
    )
    said = {record.id: record for record in view.records(raws)}
    place: Mapping[str, int] = {columns.ids[row]: int(firsts(columns)[row]) for row in rows}
    found = []
    for item in view.records(rows):
        parts = [item, *(said[s.record] for s in item.sources if s.record in said)]
        last = max(part.last_used or 0.0 for part in parts)
        found.append(_Read(item, sum(part.uses for part in parts), last, place[item.id]))
    return found


def _fingerprint(items: Sequence[Record]) -> str:
    """Of the numbered text that would be encoded."""
    text = numbered(item.text for item in items)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _promotion(items: Sequence[Record], digest: str, view: View) -> Record:
    size = sum(len(item.text) for item in items)
    told = {"form": "activation", "items": [item.id for item in items], "fingerprint": digest}
    text = f"Hold {len(items)} memories, {size} characters, as activation memory."
    made = derived(items, _PROMOTION, text, _METHOD, key=digest, fields=told)
    sources = dict.fromkeys(source for item in items for source in item.sources)
    made = replace(made, state=State.GENERATED, sources=tuple(sources))
    while bool(np.any(view.columns.ids == made.id)):
        made = replace(made, id=str(uuid.uuid5(uuid.UUID(made.id), "again")))
    return made


def _over(advice: Record) -> bool:
    """Whether newer advice took its place, or nothing was left to advise."""
    return advice.superseded_by is not None or "laid_down" in advice.fields


def _ended(advice: Record, by: Record | None) -> Record:
    told = {**advice.fields, **({} if by else {"laid_down": True})}
    return replace(advice, state=State.ARCHIVED, fields=told, superseded_by=by.id if by else None)
