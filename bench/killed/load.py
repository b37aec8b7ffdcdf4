"""What a writer does until it is killed, and what it tells before and after each call.

A line of the journal is handed to the system in one call, so a killed process has told all that it
was told itself. A line that begins a call and has no line that ends it was in flight.
"""

import json
import os
import random
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from engram import EngramError, Memory
from engram.plaintext.store.connect import BUSY_SECONDS, Durability

LETTERS = "bcdfghjkmnpqrtvwxz"  # no vowel: a mark is a word that no stemmer changes
SHARED = "everyone"
_TEXTS = (
    "I bought a {mark} in Glenford on Monday and it cost me {n} euros.",
    "We talked about {mark} for {n} hours and then Anna made us tea.",
    "My favourite colour is {Mark}.",
    "I moved to {Mark} and the train takes {n} minutes.",
    "I work at {Mark}.",
    "My dog is called {Mark}.",
    "Remember to water the {mark} while we visit Millwick, okay?",
)
_ADVICE = "Noted. I can help you compare {mark}, or we can leave it for today."
_SOON = 3.0  # seconds until what expires has expired


@dataclass(frozen=True, slots=True)
class Shift:
    """One writer's work: until it is killed, or so many ``calls``.

    ``held`` are records of former shifts as (id, text, user): it may change them, nobody else does.
    """

    file: Path
    journal: Path
    writer: int
    number: int
    seed: int
    durability: Durability
    held: tuple[tuple[str, str, str], ...] = ()
    calls: int = 0


def besiege(shift: Shift) -> None:
    """Make calls of every kind until the process is killed."""
    with Journal(shift.journal) as journal:
        journal.tell(opening=True)
        try:
            with _opened(shift) as memory:
                writer = Writer(memory, journal, shift)
                journal.tell(ready=True)
                while True:
                    writer.step()
        except EngramError as error:
            journal.tell(failed=f"{type(error).__name__}: {error}")


def crowd(shift: Shift, start: Barrier) -> None:
    """Add one message after the other, beginning when everybody is ready."""
    with Journal(shift.journal) as journal, _opened(shift) as memory:
        writer = Writer(memory, journal, shift)
        memory.search("the model is loaded now", user_id=SHARED)
        start.wait()
        for _ in range(shift.calls):
            writer.add_one()


def crowd_plain(shift: Shift, start: Barrier) -> None:
    """The same with nothing but SQLite: one row a commit, as safe and as patient."""
    with Journal(shift.journal) as journal:
        db = sqlite3.connect(shift.file, timeout=BUSY_SECONDS, isolation_level=None)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(f"PRAGMA synchronous={shift.durability}")
        db.execute("CREATE TABLE IF NOT EXISTS messages(id INTEGER PRIMARY KEY, text TEXT)")
        start.wait()
        for at in range(shift.calls):
            text = f"My neighbour {shift.writer} lent me {at} books and then Anna made us tea."
            began = time.monotonic()
            db.execute("INSERT INTO messages(text) VALUES(?)", (text,))
            journal.tell(began=began, ended=time.monotonic())
        db.close()


def _opened(shift: Shift) -> Memory:
    actor = f"writer-{shift.writer}"
    return Memory.open(shift.file, durability=shift.durability, actor=actor)


class Journal:
    """A file that several lines are appended to, each in one write."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def tell(self, **line: object) -> None:
        """Append one line."""
        os.write(self._file, f"{json.dumps(line)}\n".encode())

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)


class Writer:
    """Draws calls and makes them."""

    def __init__(self, memory: Memory, journal: Journal, shift: Shift) -> None:
        self._memory = memory
        self._journal = journal
        self._rng = random.Random(f"{shift.seed}:{shift.writer}:{shift.number}")
        self._prefix = f"zq{_spelt(shift.writer, 1)}{_spelt(shift.number, 3)}"
        self._made = count()
        self._mine = {record: (text, user) for record, text, user in shift.held}
        self._users = (f"writer-{shift.writer}", SHARED)
        self._steps: Mapping[Callable[[], None], int] = {
            self._some: 45, self._update: 20, self._delete: 10, self._erase: 10,
            self._tend: 5, self._search: 10,
        }  # fmt: skip

    def step(self) -> None:
        """Make one call."""
        (chosen,) = self._rng.choices([*self._steps], [*self._steps.values()])
        chosen()

    def _call(self, name: str, call: Callable[[], Any], **told: object) -> Any:
        self._journal.tell(begin=name, **told)
        began = time.monotonic()
        result = call()
        self._journal.tell(end=name, began=began, ended=time.monotonic(), result=result)
        return result

    def add_one(self) -> None:
        """Add one message that says something else than all others."""
        user = self._rng.choice(self._users)
        message = {"role": "user", "content": self._text(self._rng.choice(_TEXTS))}
        self._add([message | {"time": time.time()}], user)

    def _some(self) -> None:
        user = self._rng.choices(self._users, (7, 3))[0]
        self._add([self._message(user) for _ in range(self._rng.choice((1, 1, 2, 4)))], user)

    def _add(self, messages: list[dict[str, Any]], user: str) -> None:
        results = self._call(
            "add",
            lambda: _outcomes(self._memory.add(messages, user_id=user)),
            messages=messages,
            user=user,
        )
        for message, result in zip(messages, results["outcomes"], strict=False):
            if result["event"] == "ADD" and "expires_at" not in message:
                self._mine[result["id"]] = (message["content"], user)

    def _message(self, user: str) -> dict[str, Any]:
        kind = self._rng.random()
        if kind < 0.1:
            said = [text for text, whose in self._mine.values() if whose == user]
            if said:  # said before: merged with it, or if that had a time, a record of its own
                return {"role": "user", "content": self._rng.choice(said)}
        if kind < 0.2:
            return {"role": "assistant", "content": self._text(_ADVICE)}
        message: dict[str, Any] = {"role": "user", "content": self._text(self._rng.choice(_TEXTS))}
        if kind > 0.5:
            message["time"] = time.time()
        if kind > 0.9:
            message["expires_at"] = time.time() + self._rng.uniform(0, _SOON)
        return message

    def _text(self, template: str) -> str:
        mark = f"{self._prefix}{_spelt(next(self._made), 4)}"
        return template.format(mark=mark, Mark=mark.capitalize(), n=self._rng.randrange(2, 90))

    def _update(self) -> None:
        record = self._drawn()
        if record is not None:
            text, user = self._text(self._rng.choice(_TEXTS)), self._mine[record][1]
            update = self._memory.update
            self._call("update", lambda: _outcomes(update(record, text)), id=record, text=text)
            self._mine[record] = (text, user)

    def _delete(self) -> None:
        record = self._drawn()
        if record is not None:
            self._call("delete", lambda: self._memory.delete(record), id=record)
            del self._mine[record]

    def _erase(self) -> None:
        record = self._drawn()
        if record is not None:
            receipt = self._call("erase", lambda: self._memory.erase(record), id=record)
            for gone in receipt["ids"]:
                self._mine.pop(gone, None)

    def _tend(self) -> None:
        self._call("tend", lambda: [commit["id"] for commit in self._memory.tend()["commits"]])

    def _search(self) -> None:
        def look() -> None:
            user = self._rng.choice(self._users)
            self._memory.context("what did we talk about in Millwick?", user_id=user, tokens=200)

        self._call("context", look)

    def _drawn(self) -> str | None:
        return self._rng.choice([*self._mine]) if self._mine else None


def _outcomes(result: Mapping[str, Any]) -> dict[str, Any]:
    """What the journal needs of a result."""
    kept = ("id", "event", "kind", "memory")
    outcomes = [{name: each[name] for name in kept} for each in result["results"]]
    return {"commit": result["commit"], "outcomes": outcomes}


def _spelt(number: int, width: int) -> str:
    """A number as letters, of equal width."""
    letters = []
    for _ in range(width):
        number, digit = divmod(number, len(LETTERS))
        letters.append(LETTERS[digit])
    return "".join(reversed(letters))
