"""Keeping a memory: history with evidence, the log, and health."""

import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engram.errors import InvalidInput, StoreReadOnly
from engram.memory import Memory
from engram.testing.ports import Buckets, Hand

KEY = "The spare key is under the blue pot."


@pytest.fixture
def clock() -> Hand:
    """A clock that stands at the fifth of January 2026."""
    hand = Hand()
    hand.set("2026-01-05")
    return hand


@pytest.fixture
def memory(tmp_path: Path, clock: Hand) -> Iterator[Memory]:
    """An empty memory of an actor, that finds by words only."""
    path = tmp_path / "memory.db"
    named: dict[str, Any] = {"embedder": "none", "durability": "off", "actor": "ana's phone"}
    with Memory.open(path, clock=clock, **named) as memory:
        yield memory


def test_a_history_shows_both_facts_with_their_evidence(memory: Memory, clock: Hand) -> None:
    """When each was known, by which commit, how long it held, and what ended it."""
    (first, bergen) = memory.add({"content": "I live in Bergen.", "time": "2026-01-05"})["results"]
    clock.set("2026-05-21")
    moved = memory.add({"content": "I moved to Oslo in May.", "time": "2026-05-20"})
    oslo = next(r for r in moved["results"] if r["memory"] == "The user lives in Oslo")

    begun, ended = memory.history(bergen["id"])

    assert (begun["memory"], begun["state"], begun["valid_to"]) == (
        "The user lives in Bergen",
        "active",
        None,
    )
    assert begun["commit"]["at"] == "2026-01-05T00:00:00Z"
    assert (ended["state"], ended["superseded_by"]) == ("archived", oslo["id"])
    assert ended["valid_from"] == "2026-01-05T00:00:00Z"
    assert ended["valid_to"] == memory.get(oslo["id"])["valid_from"]
    assert ended["commit"] == memory.log()[0]
    assert first["id"] in ended["parents"]
    assert memory.history(first["id"])[0]["memory"] == "I live in Bergen."
    assert {bergen["id"], moved["results"][0]["id"]} <= set(
        memory.history(oslo["id"])[0]["parents"]
    )


def test_every_version_of_an_update_is_there(memory: Memory, clock: Hand) -> None:
    """Oldest first, with their own metadata."""
    (raw,) = memory.add(KEY, metadata={"n": 1})["results"]
    clock.set("2026-02-01")
    memory.update(raw["id"], "The key is lost.", metadata={"n": 2})
    memory.update(raw["id"], "The key is found.")

    versions = memory.history(raw["id"], user_id="default")

    assert [(v["version"], v["memory"], v["metadata"]) for v in versions] == [
        (1, KEY, {"n": 1}),
        (2, "The key is lost.", {"n": 2}),
        (3, "The key is found.", {"n": 2}),
    ]
    assert [v["commit"]["method"] for v in versions] == ["add", "update", "update"]


def test_the_log_names_who_did_what_when(memory: Memory) -> None:
    """The newest first, no more than asked for."""
    added = memory.add(KEY)
    memory.delete(added["results"][0]["id"])

    assert memory.log(1) == memory.log()[:1]
    assert [(c["actor"], c["method"], c["at"]) for c in memory.log()] == [
        ("ana's phone", "delete", "2026-01-05T00:00:00Z"),
        ("ana's phone", "add", "2026-01-05T00:00:00Z"),
    ]
    assert memory.log()[1]["id"] == added["commit"]


def test_every_commit_that_a_call_returns_is_in_the_log(memory: Memory) -> None:
    """And none where nothing was written."""
    said = {"content": KEY, "time": "2026-01-01"}
    added = memory.add(said)
    record = added["results"][0]["id"]
    done = [
        added,
        memory.add(said),
        memory.add([]),
        memory.update(record, "milk"),
        memory.update(record, "milk"),
        memory.delete(record),
        memory.delete(record),
        memory.erase(record),
        memory.erase(user_id="nobody"),
    ]

    commits = [each["commit"] for each in done]
    assert [commit is None for commit in commits] == [
        False, True, True, False, True, False, True, False, True,
    ]  # fmt: skip
    assert {commit["id"] for commit in memory.log()} == {commit for commit in commits if commit}


def test_an_erase_needs_to_be_told_what(memory: Memory) -> None:
    """Nobody destroys everything by leaving out an argument."""
    memory.add(KEY)

    with pytest.raises(InvalidInput, match="needs the id of a memory or the ids of a scope, got"):
        memory.erase()
    assert len(memory.get_all()["results"]) == 1


def test_a_check_finds_damage_and_repair_mends_it(memory: Memory) -> None:
    """What follows from the log is made anew from it."""
    memory.add(["I live in Bergen.", KEY])
    sound = memory.check()
    with closing(sqlite3.connect(memory.path)) as vandal:
        vandal.execute("DELETE FROM rows")
        vandal.commit()

    broken, mended = memory.check(), memory.check(repair=True)

    assert sound == mended | {"repaired": False}
    assert (broken["ok"], broken["repaired"]) == (False, False)
    assert broken["problems"] != []
    assert (mended["ok"], mended["repaired"], mended["problems"]) == (True, True, [])
    assert mended["records"] == 3
    assert memory.search("spare key")["results"] != []


def test_a_repair_that_cannot_write_says_why(memory: Memory) -> None:
    """One line, and the file is as it was."""
    memory.add(KEY)
    with closing(sqlite3.connect(memory.path)) as vandal:
        vandal.execute("DELETE FROM merged")
        vandal.execute("DELETE FROM rows")
        vandal.commit()
    memory.store.connections.get().execute("PRAGMA query_only=ON")

    with pytest.raises(StoreReadOnly, match="cannot be written"):
        memory.check(repair=True)


def test_an_open_stream_gets_the_archive(memory: Memory) -> None:
    """And is left open; what is no open text stream is refused."""
    memory.add(KEY)
    out, closed = io.StringIO(), io.StringIO()
    memory.export(out)
    closed.close()

    assert KEY in out.getvalue()
    for target in (5, None, io.BytesIO(), closed, ["x"]):
        with pytest.raises(InvalidInput, match="an export goes to a path or an open text file"):
            memory.export(target)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (5, "an import comes from a path or lines, got 5"),
        (None, "got None"),
        ("missing.jsonl", r"missing.jsonl: cannot be read \(.*No such file"),
        (".", "cannot be read"),
        ("binary", "an archive is UTF-8 text, got other bytes"),
        ("a\x00b", "a path must name a file"),
        ([5], "line 1 of the archive is not JSON"),
        (b"{}", "line 1 of the archive is not JSON"),
    ],
)
def test_a_source_that_cannot_be_read_is_refused(
    memory: Memory, monkeypatch: pytest.MonkeyPatch, source: Any, message: str
) -> None:
    """By its name and the reason."""
    monkeypatch.chdir(memory.path.parent)
    Path("binary").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(InvalidInput, match=message):
        memory.import_(source)
    assert memory.log() == []


def test_vectors_of_what_came_in_are_made_in_the_background(tmp_path: Path) -> None:
    """An import leaves nothing without them."""
    out = io.StringIO()
    with Memory.open(":memory:", embedder="none", durability="off") as first:
        first.add([KEY, "Momo the cat hates the rain."])
        first.export(out)

    with Memory.open(tmp_path / "memory.db", embedder=Buckets(), durability="off") as second:
        second.import_(out.getvalue().splitlines())
        second.import_(out.getvalue().splitlines())
        second.tend()

        with second.store.snapshot() as db:
            assert db.execute("SELECT count(*) FROM vectors").fetchone() == (2,)
        assert second.check()["problems"] == []


def test_an_export_never_replaces_its_own_store(memory: Memory) -> None:
    """Under whatever name it is called."""
    memory.add(KEY)
    other = memory.path.parent / "." / memory.path.name

    with pytest.raises(InvalidInput, match="must not replace its own store"):
        memory.export(other)
    assert memory.search("spare key")["results"]


def test_more_than_a_thousand_results_can_be_asked_for(memory: Memory) -> None:
    """What is asked for comes, as far as it is there."""
    memory.add([{"content": f"The blue pot number {at}.", "time": 1e9 + at} for at in range(1100)])

    assert len(memory.search("blue pot", top_k=2000)["results"]) == 1100
