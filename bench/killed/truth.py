"""What must hold, read out of the writers' journals: a call that ended happened, one that was in
flight happened whole or not at all.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LIVE, EXPIRING, MERGED = "live", "expiring", "merged"
DELETED, ERASED = "deleted", "erased"
DERIVED = "derived"
"""Read out of a text; other messages may end, change or take it along."""

STATES: Mapping[str, frozenset[str]] = {
    LIVE: frozenset({"active"}),
    EXPIRING: frozenset({"active", "expired"}),
    MERGED: frozenset({"merged"}),
    DELETED: frozenset({"archived"}),
    DERIVED: frozenset({"active", "archived", "expired", "merged", "retracted"}),
}
"""What was acknowledged -> the states that a record may have then."""


@dataclass(slots=True)
class Known:
    """What was acknowledged of a record: its texts, the last one current.

    ``may`` are calls on it that were in flight.
    """

    texts: list[str]
    user: str
    standing: str
    writer: int
    may: list[dict[str, Any]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text that it must have."""
        return self.texts[-1]


@dataclass(frozen=True, slots=True)
class Torn:
    """A call of ``add`` that was in flight: the texts that nobody had said before."""

    texts: frozenset[str]
    user: str
    writer: int


@dataclass(slots=True)
class Truth:
    """Everything that was told.

    Attributes:
        records: id -> what it must be.
        erased: ids that receipts name.
        doomed: ids that an erase was asked for, acknowledged or not.
        commits: ids of acknowledged commits.
        torn: calls of ``add`` that were in flight.
        said: every text that a journal holds.
        ended, cut: calls by name that were acknowledged, and that a kill cut.
    """

    records: dict[str, Known] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    doomed: set[str] = field(default_factory=set)
    commits: set[str] = field(default_factory=set)
    torn: list[Torn] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    ended: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)

    def hear(self, journal: Path, writer: int) -> None:
        """Take in one shift of one writer."""
        begun: dict[str, Any] = {}
        fresh: frozenset[str] = frozenset()
        last = "start"
        for line in lines(journal):
            if "begin" in line:
                begun, last = line, line["begin"]
                fresh = frozenset(_texts(line)) - self.said
                self.said |= fresh
                self.doomed |= {line["id"]} if last == "erase" else set()
            else:
                if "end" in line:
                    self.ended[line["end"]] += 1
                    self._ended(begun, line["result"], writer)
                begun, last = {}, "start" if "opening" in line else "between calls"
        if last == "add":
            self.torn.append(Torn(fresh, begun["user"], writer))
        elif "id" in begun:
            self.records[begun["id"]].may.append(begun)
        self.cut[last] += 1

    def held(self, writer: int, most: int) -> tuple[tuple[str, str, str], ...]:
        """The newest records that a writer may go on with: id, text and user."""
        mine = [
            (record, known.text, known.user)
            for record, known in self.records.items()
            if known.writer == writer and known.standing == LIVE
        ]
        return tuple(mine[-most:])

    def _ended(self, begun: Mapping[str, Any], result: Any, writer: int) -> None:
        name = begun["begin"]
        if name == "add":
            self._added(begun, result, writer)
        elif name == "update":
            known = self.records[begun["id"]]
            known.texts.append(begun["text"])
            self._committed(result)
            self._derived(result["outcomes"][1:], known.user, writer)
        elif name == "delete":
            self.records[begun["id"]].standing = DELETED
            self._committed(result)
        elif name == "erase":
            self.erased |= set(result["ids"])
            self._committed(result)
        elif name == "tend":
            self.commits |= set(result)

    def _added(self, begun: Mapping[str, Any], result: Mapping[str, Any], writer: int) -> None:
        messages, outcomes = begun["messages"], result["outcomes"]
        self._committed(result)
        for message, outcome in zip(messages, outcomes, strict=False):
            standing = EXPIRING if "expires_at" in message else LIVE
            standing = MERGED if outcome["event"] == "MERGE" else standing
            known = Known([message["content"]], begun["user"], standing, writer)
            self.records[outcome["id"]] = known
        self._derived(outcomes[len(messages) :], begun["user"], writer)

    def _committed(self, result: Mapping[str, Any]) -> None:
        if result["commit"] is not None:  # None where there was nothing to change
            self.commits.add(result["commit"])

    def _derived(self, outcomes: list[dict[str, Any]], user: str, writer: int) -> None:
        for outcome in outcomes:
            if outcome["kind"] != "raw":
                known = Known([outcome["memory"]], user, DERIVED, writer)
                self.records.setdefault(outcome["id"], known)


def _texts(begun: Mapping[str, Any]) -> list[str]:
    """What a call says."""
    said = [message["content"] for message in begun.get("messages", ())]
    return [*said, begun["text"]] if "text" in begun else said


def lines(journal: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a journal; a last one without its end was never told."""
    if journal.exists():
        for line in journal.read_bytes().split(b"\n")[:-1]:
            yield json.loads(line)
