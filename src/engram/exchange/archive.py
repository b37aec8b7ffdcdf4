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
from dataclasses import dataclass, fields, replace
from typing import Any, TextIO

from engram.errors import InvalidInput, brief
from engram.plaintext.intake import checked_text
from engram.plaintext.roles import Record, Scope
from engram.plaintext.store.coding import decode, digest, dumps, whole
from engram.plaintext.store.derive import Entry, count_use, derive, tombstone
from engram.plaintext.store.erase import want_scrub, wipe
from engram.plaintext.store.store import Store
from engram.plaintext.store.transaction import Commit, Transaction, as_bytes, want_vectors
from engram.plaintext.store.view import space_of
from engram.plaintext.text.times import seconds

HEADER = {"engram": "archive", "format": 1}
_NOWHERE = -1  # 0 holds what belongs to no space: use
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
        space = None if scope is None else space_of(db, scope) or _NOWHERE
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
        "body": None if body is None else _loaded(body, record),
        "digest": as_bytes(stamp).hex(),
    }
    return {key: value for key, value in known.items() if value is not None}


def _loaded(body: str, record: str | None) -> Any:
    with whole(f"record {record!r}"):
        return json.loads(body)


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
            else:
                replayed.put(line, number)
                entries += replayed.fresh
            if progress and number % 256 == 0:
                progress(entries, entries)
        replayed.end()
        want_vectors(transaction.db)
    store.forget_caches()
    return Moved(commits, entries, skipped)


def _parsed(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    number = 0
    for number, text in _decoded(lines):
        try:
            line = json.loads(text)
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidInput(f"line {number} of the archive is not JSON ({error})") from None
        if not isinstance(line, dict):
            raise InvalidInput(f"line {number} of the archive must be an object, got {brief(text)}")
        if number == 1 and line != HEADER:
            raise InvalidInput(f"an archive begins with {dumps(HEADER)}, got {brief(text)}")
        if number > 1:
            yield number, line
    if not number:
        raise InvalidInput(f"an archive begins with {dumps(HEADER)}, got an empty file")


def _decoded(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    try:
        yield from enumerate(lines, 1)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"an archive is UTF-8 text, got other bytes ({error})") from None


class _Replay:
    """Appends the archive's commits to the log as they were."""

    def __init__(self, transaction: Transaction) -> None:
        self.db = transaction.db
        self.transaction = transaction
        self.fresh = False
        self._begun = False
        self._number = transaction.commit.number - 1
        self._at = transaction.commit.at
        self._open: Transaction | None = None

    def begin(self, line: dict[str, Any], number: int) -> bool:
        """Start a commit; False when the store holds it."""
        self.end()
        self._begun = True
        try:
            named = [_text(line[name]) for name in ("commit", "actor", "method", "reason")]
            known = self.db.execute("SELECT 1 FROM commits WHERE id=?", (named[0],))
            self.fresh = known.fetchone() is None
            if self.fresh:
                self._number += 1
                self._at = max(self._at, _time(line["at"]))
                commit = Commit(named[0], self._number, self._at, *named[1:])
                self._open = Transaction(self.db, commit, None)
        except _DAMAGED as error:
            raise InvalidInput(f"line {number} of the archive is no commit ({error})") from None
        return self.fresh

    def put(self, line: dict[str, Any], number: int) -> None:
        """Append one entry to the commit that is open; skip it when the store holds the commit."""
        if not self._begun:
            raise InvalidInput(f"line {number} of the archive belongs to no commit")
        try:
            if self.fresh:
                self._append(line)
        except (*_DAMAGED, sqlite3.IntegrityError) as error:
            raise InvalidInput(f"line {number} of the archive cannot be read ({error})") from None

    def end(self) -> None:
        """Close the commit that is open; what the transaction writes itself comes after it."""
        if self._open is not None and self._open.wrote:
            self._open.seal()
        self._open = None
        after = replace(self.transaction.commit, number=self._number + 1, at=self._at)
        self.transaction.commit = after

    def _append(self, line: dict[str, Any]) -> None:
        assert self._open is not None
        op, stamp = line["op"], bytes.fromhex(line["digest"])
        body = dumps(line["body"]) if "body" in line else None
        if body is not None and digest(body) != stamp:
            raise ValueError("its body does not match its digest")
        scope, space = Scope(), 0
        if op != "use":
            scope = Scope(user=_text(line["user"]), app=_text(line["app"]) or None)
            space = self._open.space(scope)
        row = self._open.append(op, space, line.get("record"), line.get("version"), body, stamp)
        entry = Entry(row, space, self._at, stamp)
        if op == "put" and body is not None:
            known = decode(_text(line["record"]), body, {"version": line["version"]})
            if (known.scope.user, known.scope.app) != (scope.user, scope.app):
                raise ValueError("its body belongs to another user or app")
            derive(self.db, entry, _sound(known))
        elif op == "put":
            tombstone(self.db, entry, _text(line["record"]), line["version"])
        elif op == "use":
            for used, count in line["body"]["uses"].items():
                count_use(self.db, used, int(count), _time(line["body"]["at"]))
        elif op == "erase":
            # Nothing but hashes where the archive holds all of it; a copy that came before goes.
            if wipe(self.db, _text(line["record"])):
                want_scrub(self.db, self._at)
        else:
            raise ValueError(f"no operation is called {brief(op)}")


_DAMAGED = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
_RECORD_TIMES = ("event_time", "valid_from", "valid_to", "expires_at")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text is wanted, got {brief(value)}")
    return value


def _time(value: Any) -> float:
    if isinstance(value, str):
        raise TypeError(f"seconds since 1970 are wanted, got {brief(value)}")
    return seconds(value)


def _sound(record: Record) -> Record:
    """The record, when it is one that ``add`` could have made.

    Raises:
        ValueError: a search that meets it would fail.
    """
    checked_text(record.text, "its text")
    for name in _RECORD_TIMES:
        if getattr(record, name) is not None:
            _time(getattr(record, name))
    usual = Record(id="", text="")
    for each in fields(Record):
        value, like = getattr(record, each.name), getattr(usual, each.name)
        kinds = (int, float) if isinstance(like, float) else type(like)
        if like is not None and not isinstance(value, kinds):
            raise TypeError(f"{each.name} must be like {like!r}, got {brief(value)}")
    return record
