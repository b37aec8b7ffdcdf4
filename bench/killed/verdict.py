"""What the file holds, against what was acknowledged: log, rows, word index, vectors, bytes."""

import json
import re
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engram import Memory
from engram.adapters.embedders import embedder
from engram.plaintext.store.check import content_hash
from engram.plaintext.store.derive import spaced
from engram.plaintext.store.replay import rebuild
from engram.plaintext.text.words import terms
from killed.load import LETTERS
from killed.truth import DELETED, DERIVED, ERASED, EXPIRING, LIVE, MERGED, STATES, Known, Truth

MARK = re.compile(rf"zq[{LETTERS}]{{8}}", re.IGNORECASE)
SAMPLE = 20  # records a verdict looks up as a caller would
_CLOSE = 2e-3  # half floats keep three digits


@dataclass(frozen=True, slots=True)
class Held:
    """The tables of a file, read plainly: record -> its versions, row -> what follows from it."""

    log: dict[str, list[tuple[int, int, dict[str, Any] | None]]]
    rows: dict[str, list[tuple[int, str, int, int]]]
    terms: dict[int, set[str]]
    vectors: dict[int, bytes]
    commits: set[str]
    erases: list[set[str]]
    marks: set[str]
    """Marks in any text that is still there."""

    def text(self, record: str) -> str | None:
        """The newest text; None once erased or lost."""
        versions = self.log.get(record)
        body = versions[-1][2] if versions else None
        return None if body is None else str(body["text"])


def read(db: sqlite3.Connection) -> Held:
    """Read the tables, with no help of the store."""
    log, rows, words = defaultdict(list), defaultdict(list), defaultdict(set)
    marks: set[str] = set()
    puts = "SELECT record, seq, version, body FROM log WHERE op='put' ORDER BY seq"
    for record, seq, version, body in db.execute(puts):
        log[record].append((seq, version, None if body is None else json.loads(body)))
        marks |= {mark.lower() for mark in MARK.findall(body or "")}
    current = "SELECT record, row, state, length, space FROM rows WHERE known_to IS NULL"
    for record, *row in db.execute(current):
        rows[record].append(tuple(row))
    for term, doc in db.execute("SELECT DISTINCT term, doc FROM postings"):
        words[doc].add(term)
    erases: dict[int, set[str]] = defaultdict(set)
    for number, record in db.execute("SELECT commit_number, record FROM log WHERE op='erase'"):
        erases[number].add(record)
    return Held(
        dict(log),
        dict(rows),
        dict(words),
        dict(db.execute("SELECT row, vector FROM vectors")),
        {commit for (commit,) in db.execute("SELECT id FROM commits")},
        list(erases.values()),
        marks,
    )


def lost(truth: Truth, held: Held) -> Iterator[str]:
    """Whatever was acknowledged and is not there, and whatever is half there."""
    for commit in truth.commits - held.commits:
        yield f"commit {commit}: acknowledged, not in the log"
    told = set().union(*(gone for gone in held.erases if gone & truth.doomed))
    for record in set().union(*held.erases) - told:
        yield f"{record}: erased, and nobody asked for it"
    for record, known in truth.records.items():
        if record not in held.log:
            yield f"{record}: acknowledged, not in the log"
        elif record in truth.erased | told:
            yield from _not_erased(record, held)
        else:
            yield from _differs(record, known, held)
    for torn in truth.torn:
        there = sum(
            mark.lower() in held.marks for text in torn.texts for mark in MARK.findall(text)
        )
        if there not in (0, len(torn.texts)):
            yield f"a call stored {there} of {len(torn.texts)} messages"


def _not_erased(record: str, held: Held) -> Iterator[str]:
    for seq, _, body in held.log[record]:
        if body is not None or seq in held.terms or seq in held.vectors:
            yield f"{record}: erased, and something of entry {seq} is left"
    if any(state != "erased" for _, state, _, _ in held.rows.get(record, [])):
        yield f"{record}: erased, and its row says otherwise"


def _differs(record: str, known: Known, held: Held) -> Iterator[str]:
    versions, rows, text = held.log[record], held.rows.get(record, []), held.text(record)
    allowed = {known.text} | {call["text"] for call in known.may if "text" in call}
    states = STATES[known.standing]
    if any(call["begin"] == "delete" for call in known.may):
        states |= STATES[DELETED]
    if [version for _, version, _ in versions] != [*range(1, len(versions) + 1)]:
        yield f"{record}: versions are missing from the log"
    if text not in allowed:
        yield f"{record}: acknowledged {known.text!r}, the log says {text!r}"
    if len(rows) != 1 or rows[0][0] != versions[-1][0]:
        yield f"{record}: its rows {rows!r} are not the last version of the log"
        return
    row, state, length, space = rows[0]
    if state not in states:
        yield f"{record}: acknowledged as {known.standing}, its row says {state}"
    if state == "active" and known.standing != DERIVED:
        wanted = set(spaced(space, terms(text or "")).split())
        if not length or held.terms.get(row, set()) != wanted:
            yield f"{record}: its words are not in the index"
        if row not in held.vectors:
            yield f"{record}: it has no vector"


def wrong_vectors(truth: Truth, held: Held) -> Iterator[str]:
    """Vectors that are not those of the text that was acknowledged."""
    model = embedder(None)
    assert model is not None
    found = [
        (record, held.text(record) or "", held.vectors[held.rows[record][0][0]])
        for record, known in truth.records.items()
        if known.standing == LIVE and record in held.rows
        if held.rows[record][0][0] in held.vectors
    ]
    if found:
        made = model.embed([text for _, text, _ in found])
        for (record, _, blob), vector in zip(found, made, strict=True):
            if not np.allclose(np.frombuffer(blob, np.float16), vector, atol=_CLOSE):
                yield f"{record}: its vector is that of another text"


def unseen(truth: Truth, held: Held, memory: Memory, sample: list[str]) -> Iterator[str]:
    """Records that a caller is not given as they were acknowledged."""
    for record in sample:
        known, text = truth.records[record], held.text(record)
        if memory.get(record)["memory"] != text:
            yield f"{record}: get() gives another text"
        (mark,) = MARK.findall(text or "")
        results = memory.search(mark, user_id=known.user, top_k=50)["results"]
        if record not in {result["id"] for result in results} | {
            source["id"] for result in results for source in result["sources"]
        }:
            yield f"{record}: search does not find {mark!r}"


def unsound(memory: Memory, copy: Path) -> Iterator[str]:
    """What ``check`` finds, and content that a rebuild out of the log changes."""
    health = memory.check()
    yield from health["problems"]
    for suffix in ("", "-wal"):
        part = Path(f"{memory.path}{suffix}")
        if part.exists():
            shutil.copyfile(part, f"{copy}{suffix}")
    with Memory.open(copy, embedder="none") as twin:
        rebuild(twin.store.connections.get())
        with twin.store.snapshot() as db:
            replayed = content_hash(db)
        problems = twin.check()["problems"]
    if replayed != health["content_hash"]:
        yield f"the log replays to {replayed}, the file holds {health['content_hash']}"
    yield from (f"after a rebuild: {problem}" for problem in problems)


def left_behind(truth: Truth, held: Held, file: Path) -> Iterator[str]:
    """Bytes of erased texts in the file or its log."""
    erased = set().union(*(gone for gone in held.erases))
    wanted = {
        mark.lower()
        for record in erased & truth.records.keys()
        for mark in MARK.findall(" ".join(truth.records[record].texts))
    } - held.marks
    for part in (file, Path(f"{file}-wal")):
        if part.exists():
            found = {mark.decode().lower() for mark in _BYTES.findall(part.read_bytes())}
            for mark in found & wanted:
                yield f"{part.name} still holds {mark!r}, which was erased"


_BYTES = re.compile(MARK.pattern.encode(), re.IGNORECASE)


def settle(truth: Truth, held: Held) -> None:
    """Take what a kill left as what must hold from now on."""
    gone = set().union(*held.erases)
    truth.erased |= gone
    truth.commits &= held.commits  # what is lost was reported, once is enough
    truth.records = {r: known for r, known in truth.records.items() if r in held.log}
    for record, known in truth.records.items():
        if record in gone:
            known.standing = ERASED
        elif known.may and record in held.rows:
            known.texts.append(held.text(record) or known.text)
            known.standing = DELETED if held.rows[record][0][1] == "archived" else known.standing
        known.may.clear()
    found = {text: torn for torn in truth.torn for text in torn.texts}
    for record in held.log.keys() - truth.records.keys():
        text = held.text(record)
        if text in found and held.rows[record][0][1] in _STANDINGS:
            torn, standing = found[text], _STANDINGS[held.rows[record][0][1]]
            truth.records[record] = Known([text], torn.user, standing, torn.writer)
    truth.torn.clear()


_STANDINGS = {"active": EXPIRING, "merged": MERGED}  # whether it had an end was never told
