"""engram's own archive: the whole log as JSON lines, so that a memory can leave and come back.

Line 1 is the header ``{"engram": "archive", "format": 1}``. After it, in order of time, come
commits and what each of them did:

``{"commit": id, "at": seconds, "actor": ..., "method": ..., "reason": ...}``
``{"op": "put", "app": ..., "user": ..., "record": id, "version": n, "body": {...}, "digest": hex}``
``{"op": "erase", ...}`` (no body: the tombstone) and ``{"op": "use", "body": {...}}``.

A body holds the fields of a record that differ from their defaults, and ``salt``. Its digest is the
SHA-256 of its canonical JSON (sorted keys, no spaces, UTF-8), so an archive can be checked without
engram. Reading an archive into an empty file and writing it again gives the same bytes.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TextIO

from engram.errors import InvalidInput
from engram.plaintext.roles import Scope
from engram.plaintext.store.coding import decode, digest, dumps
from engram.plaintext.store.derive import Entry, count_use, derive, forget_edges, tombstone
from engram.plaintext.store.store import Store
from engram.plaintext.store.transaction import Commit, Transaction, want_vectors
from engram.plaintext.store.view import space_of

HEADER = {"engram": "archive", "format": 1}
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Moved:
    """How much an export or import moved; ``skipped`` commits were there already."""

    commits: int
    entries: int
    skipped: int = 0


def write(
    store: Store, out: TextIO, scope: Scope | None = None, progress: Progress | None = None
) -> Moved:
    """Write the log of one scope's space, or of the whole file, as JSON lines."""
    out.write(dumps(HEADER) + "\n")
    commits = entries = 0
    with store.snapshot() as db:
        space = None if scope is None else space_of(db, scope) or 0
        (total,) = db.execute("SELECT count(*) FROM log").fetchone()
        for commit, found in _log(db, space):
            out.write(dumps(commit) + "\n")
            out.writelines(dumps(entry) + "\n" for entry in found)
            commits, entries = commits + 1, entries + len(found)
            if progress:
                progress(entries, total)
    return Moved(commits, entries)


def _log(
    db: sqlite3.Connection, space: int | None
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    spaces = {n: (app, user) for n, app, user in db.execute("SELECT space, app, user FROM spaces")}
    commits = db.execute(
        "SELECT number, id, at, actor, method, reason FROM commits ORDER BY number"
    )
    for number, identity, at, actor, method, reason in commits.fetchall():
        entries = db.execute(
            "SELECT op, space, record, version, body, digest FROM log WHERE commit_number=? "
            "AND (? IS NULL OR space=?) ORDER BY seq",
            (number, space, space),
        )
        found = [_entry(spaces, *entry) for entry in entries]
        if found:
            head = {"commit": identity, "at": at, "actor": actor, "method": method}
            yield head | {"reason": reason}, found


def _entry(spaces: dict[int, tuple[str, str]], op: str, space: int, *rest: Any) -> dict[str, Any]:
    record, version, body, stamp = rest
    app, user = spaces.get(space, (None, None))
    known = {
        "op": op,
        "app": app,
        "user": user,
        "record": record,
        "version": version,
        "body": None if body is None else json.loads(body),
        "digest": stamp.hex(),
    }
    return {key: value for key, value in known.items() if value is not None}


def read(store: Store, lines: Iterable[str], progress: Progress | None = None) -> Moved:
    """Replay an archive into a store, in one transaction. Commits that it holds are skipped.

    Raises:
        InvalidInput: a line is not what the archive promises; the message gives its number.
    """
    commits = entries = skipped = 0
    with store.write(0.0, method="import") as transaction:
        replayed = _Replay(transaction)
        for number, line in _parsed(lines):
            if "commit" in line:
                fresh = replayed.begin(line, number)
                commits, skipped = commits + fresh, skipped + (not fresh)
            elif replayed.fresh:
                replayed.put(line, number)
                entries += 1
            if progress and number % 256 == 0:
                progress(entries, entries)
        replayed.end()
        if store.embedder is not None:
            want_vectors(transaction.db, store.embedder)
    store.forget_caches()
    return Moved(commits, entries, skipped)


def _parsed(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    number = 0
    for number, text in enumerate(lines, 1):
        try:
            line = json.loads(text)
        except ValueError as error:
            raise InvalidInput(f"line {number} of the archive is not JSON ({error})") from None
        if not isinstance(line, dict):
            raise InvalidInput(f"line {number} of the archive must be an object, got {text!r:.60}")
        if number == 1 and line != HEADER:
            raise InvalidInput(f"an archive begins with {dumps(HEADER)}, got {text.strip()!r:.80}")
        if number > 1:
            yield number, line
    if not number:
        raise InvalidInput(f"an archive begins with {dumps(HEADER)}, got an empty file")


class _Replay:
    """Appends the archive's commits to the log as they were."""

    def __init__(self, transaction: Transaction) -> None:
        self.db = transaction.db
        self.transaction = transaction
        self.fresh = False
        self._number = transaction.commit.number - 1
        self._at = transaction.commit.at
        self._open: Transaction | None = None

    def begin(self, line: dict[str, Any], number: int) -> bool:
        """Start a commit; False when the store holds it."""
        self.end()
        known = self.db.execute("SELECT 1 FROM commits WHERE id=?", (str(line["commit"]),))
        self.fresh = known.fetchone() is None
        if self.fresh:
            self._number += 1
            try:
                self._at = max(self._at, float(line["at"]))
                named = [str(line[name]) for name in ("actor", "method", "reason")]
            except (KeyError, TypeError, ValueError) as error:
                raise InvalidInput(f"line {number} of the archive lacks {error}") from None
            commit = Commit(str(line["commit"]), self._number, self._at, *named)
            self._open = Transaction(self.db, commit, None)
        return self.fresh

    def put(self, line: dict[str, Any], number: int) -> None:
        """Append one entry to the commit that is open."""
        try:
            self._append(line)
        except (KeyError, TypeError, ValueError, AttributeError, sqlite3.IntegrityError) as error:
            raise InvalidInput(f"line {number} of the archive cannot be read ({error})") from None

    def end(self) -> None:
        """Close the commit that is open."""
        if self._open is not None and self._open.wrote:
            self._open.seal()
        self._open = None

    def _append(self, line: dict[str, Any]) -> None:
        assert self._open is not None
        op, stamp = line["op"], bytes.fromhex(line["digest"])
        body = dumps(line["body"]) if "body" in line else None
        if body is not None and digest(body) != stamp:
            raise ValueError("its body does not match its digest")
        space = 0
        if "user" in line:
            space = self._open.space(Scope(user=line["user"], app=line["app"] or None))
        row = self._open.append(op, space, line.get("record"), line.get("version"), body, stamp)
        entry = Entry(row, space, self._at, stamp)
        if op == "put" and body is not None:
            known = decode(line["record"], body, {"version": line["version"]})
            derive(self.db, entry, known)
        elif op == "put":
            tombstone(self.db, entry, line["record"], line["version"])
        elif op == "use":
            for used, count in line["body"]["uses"].items():
                count_use(self.db, used, count, line["body"]["at"])
        elif op == "erase":
            forget_edges(self.db, line["record"])
        else:
            raise ValueError(f"no operation is called {op!r}")
