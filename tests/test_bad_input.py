"""Whatever is passed or found on disk: a result, or an error of ours on one line; never damage."""

import io
import os
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engram.errors import (
    EngramError,
    InvalidInput,
    StoreCorrupt,
    StoreReadOnly,
    StoreTooNew,
)
from engram.memory import Memory
from engram.plaintext.intake import LONGEST_TEXT
from engram.plaintext.roles import Message, State
from engram.testing.ports import Buckets, Hand

KEY = "The spare key is under the blue pot."
LONGEST_MESSAGE = 1_000  # characters: an error is a line that can be read


class Loud:
    """An object whose repr has lines."""

    def __repr__(self) -> str:
        return "first\nsecond\r\nthird" * 100


def _tower(height: int) -> Any:
    tower: Any = []
    for _ in range(height):
        tower = [tower]
    return tower


ODD: list[Any] = [
    None, True, False, 0, -1, 2**63, 10**5000, -(10**400), 0.0, -0.0, 1e308, 5e-324,
    float("nan"), float("inf"), -float("inf"), 1j, "", " ", "\n", "\x00", "\x1b[31m", "\ud800",
    "\u2028", "\u202e", "x" * 300, "'; DROP TABLE log; --", "%", "0198abcd", "2026-01-01", "active",
    b"", b"\xff\x00", bytearray(b"x"), [], {}, (), set(), {"content": KEY}, {"role": None},
    [None], [[]], {None: None}, {"a": {"gt": float("nan")}}, {"AND": [{}, {"OR": 5}]}, _tower(2000),
    object(), Loud(), [Loud()], {"a": Loud()}, int, len, np.zeros(0), np.zeros((3, 3)),
    np.float64(0.5), np.int64(3), np.str_("x"), State.ACTIVE, Message("x", "alien"),
    Message(Loud()), datetime.max, datetime.min,  # type: ignore[arg-type]
    datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), Path("x"), range(3), iter("ab"),
]  # fmt: skip


def _shows(value: object) -> bool:
    """Whether it has a repr, which hypothesis needs to tell about it."""
    try:
        return bool(repr(value))
    except (ValueError, RecursionError):
        return False


TEXT = st.text(st.characters(exclude_characters="/~\\"), max_size=12)
JUNK = st.recursive(
    st.sampled_from(list(filter(_shows, ODD)))
    | st.integers()
    | st.floats()
    | TEXT
    | st.binary(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(TEXT | st.sampled_from(["content", "role", "time", "metadata"]), inner)
    ),
    max_leaves=5,
)
IDS = ("user_id", "agent_id", "run_id", "app_id")
LOOK = (*IDS, "as_of", "known_at", "filters")
CALLS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "add": ({"messages": KEY}, ("metadata", *IDS)),
    "search": ({"query": "key"}, ("top_k", "threshold", *LOOK)),
    "context": ({"query": "key"}, ("tokens", *LOOK)),
    "get": ({"record_id": "ID"}, IDS),
    "get_all": ({}, ("limit", "cursor", "states", *LOOK)),
    "update": ({"record_id": "ID", "text": "milk"}, ("metadata", *IDS)),
    "delete": ({"record_id": "ID"}, IDS),
    "delete_all": ({}, IDS),
    "history": ({"record_id": "ID"}, IDS),
    "diff": ({"a": 0}, ("b", *IDS)),
    "log": ({}, ("limit",)),
    "revert": ({"commit": "COMMIT"}, ("reason",)),
    "reveal": ({"record_id": "ID", "reason": "to try"}, IDS),
    "erase": ({"record_id": "ID"}, IDS),
    "tend": ({}, IDS),
    "check": ({}, ()),
    "export": ({"target": io.StringIO()}, IDS),
    "import_": ({"source": ()}, ()),
    "stats": ({}, IDS),
    "promote": ({"record_ids": "ID", "model": None}, ("tokenizer", "to", "preset", *IDS)),
    "attach": (
        {"form_ids": "ID", "query": "key", "model": None},
        ("tokenizer", "approximate", "recompute", "measure", *IDS),
    ),
    "demote": ({"form_id": "ID"}, IDS),
    "forms": ({}, ("record_id", *IDS)),
    "schedule": (
        {"model": None, "budget": 5},
        ("tokenizer", "min_uses", "stable_for", "min_tokens", "most", "preset", *IDS),
    ),
}
"""Each public call: what it must be given, and what it may be given beside."""


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    """One memory that every example goes on with, in a folder of its own."""
    before, folder = Path.cwd(), tmp_path_factory.mktemp("junk")
    os.chdir(folder)
    with Memory.open(folder / "memory.db", embedder=Buckets(), durability="off") as memory:
        memory.add({"content": "I live in Bergen.", "time": "2025-01-05"})
        yield memory
    os.chdir(before)


def outcome(call: Callable[[], object]) -> str | None:
    """The message of our error; None where there is a result. Any other error goes on its way."""
    try:
        call()
    except EngramError as error:
        message = str(error)
        assert message.strip()
        assert len(message.splitlines()) == 1, message
        assert len(message) < LONGEST_MESSAGE, message
        return message
    return None


def _arguments(data: st.DataObject, name: str, memory: Memory) -> dict[str, Any]:
    """Sensible arguments, some of them replaced by junk."""
    needed, allowed = CALLS[name]
    held = memory.get_all(limit=1)["results"] or memory.add("tea")["results"]
    known = {"ID": held[0]["id"], "COMMIT": memory.log(1)[0]["id"]}
    usual = {
        argument: known.get(value, value) if isinstance(value, str) else value
        for argument, value in needed.items()
    }
    names = [*needed, *allowed]
    chosen = data.draw(st.lists(st.sampled_from(names), max_size=2)) if names else []
    return usual | {argument: data.draw(JUNK) for argument in chosen}


@pytest.mark.parametrize("name", CALLS)
@settings(max_examples=40)
@given(data=st.data())
def test_any_argument_gives_a_result_or_one_line(
    memory: Memory, name: str, data: st.DataObject
) -> None:
    """Of every public call; and the store is as sound as before."""
    arguments = _arguments(data, name, memory)

    outcome(partial(getattr(memory, name), **arguments))

    assert memory.check()["problems"] == []


def test_every_public_call_is_tried() -> None:
    """A new one must be added to the table."""
    public = {name for kind in Memory.__mro__ for name in vars(kind) if not name.startswith("_")}
    calls = {name for name in public if callable(getattr(Memory, name))}

    assert calls - {"open", "close"} == set(CALLS)


@pytest.mark.parametrize("odd", range(len(ODD)))
def test_every_argument_is_tried_with_every_odd_value(memory: Memory, odd: int) -> None:
    """One at a time, so that no error hides behind another."""
    for name, (needed, allowed) in CALLS.items():
        for argument in (*needed, *allowed):
            usual = {each: "0" if value == "ID" else value for each, value in needed.items()}
            outcome(partial(getattr(memory, name), **(usual | {argument: ODD[odd]})))
    assert memory.check()["problems"] == []


@pytest.mark.parametrize("odd", [each for each in range(len(ODD)) if ODD[each] is not None])
@pytest.mark.parametrize("argument", ["path", "preset", "embedder", "durability", "actor"])
def test_a_memory_opened_with_anything_opens_or_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argument: str, odd: int
) -> None:
    """Nothing that cannot be used is used."""
    monkeypatch.chdir(tmp_path)
    named = {"path": tmp_path / "memory.db", "embedder": "none", "actor": "", argument: ODD[odd]}

    def live() -> None:
        with Memory.open(named.pop("path"), **named) as memory:
            memory.add(KEY)
            assert memory.check()["problems"] == []

    outcome(live)


def test_the_longest_text_can_be_lived_with(memory: Memory) -> None:
    """A million characters are stored and searched; a longer one than the longest is refused."""
    long = ("The spare key is under the blue pot. " * 30_000)[:1_000_000]
    (added,) = memory.add(long, infer=False)["results"]

    assert memory.get(added["id"])["memory"] == long
    assert memory.search(long[:100_000], top_k=1)["results"] != []
    for call in (memory.add, memory.search, partial(memory.update, added["id"])):
        message = outcome(partial(call, "x" * (LONGEST_TEXT + 1)))
        assert message is not None
        assert "split it into parts" in message


@pytest.mark.parametrize(
    "text", ["\x00", "a\x00b", "\x1b[31m", "\u202e", "\ufeff", "🏴‍☠️", "ه" * 99]
)
def test_odd_text_is_text(memory: Memory, text: str) -> None:
    """Stored as it is, found again, and shown on a line of its own."""
    (added, *_) = memory.add(text, run_id="odd")["results"]

    assert memory.get(added["id"])["memory"] == text
    recall = memory.context(text, run_id="odd")
    assert len(recall["text"].split("\n")) == (len(recall["ids"]) + 2 if recall["ids"] else 1)


def saved(path: Path) -> None:
    """A store with some life in it, in one closed file."""
    clock = Hand()
    clock.set("2026-06-01")
    with Memory.open(path, embedder=Buckets(), durability="off", clock=clock) as memory:
        memory.add({"content": "I live in Bergen.", "time": "2026-01-05"}, metadata={"a": 1})
        memory.add({"content": "I moved to Oslo.", "time": "2026-05-20"})
        memory.add([KEY, KEY, "Momo the cat hates the rain."])
        memory.context("key")


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_file_gives_results_or_one_line(tmp_path: Path, seed: int) -> None:
    """Whatever bytes were changed, and whichever call meets them."""
    path, chance = tmp_path / "memory.db", random.Random(seed)
    saved(path)
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 5, 50, 500])):
        content[chance.randrange(100, len(content))] = chance.randrange(256)
    path.write_bytes(content)

    def live() -> None:
        with Memory.open(path, embedder=Buckets(), durability="off") as memory:
            names = list(CALLS)
            chance.shuffle(names)
            for name in names:
                outcome(partial(getattr(memory, name), **CALLS[name][0]))
            outcome(partial(memory.search, "where do I live?", as_of="2026-02-01"))
            outcome(partial(memory.check, repair=True))

    outcome(live)


BODIES = {
    "no JSON": "{", "no text": "{}", "a list": "[]", "a number as text": '{"text":5,"scope":{}}',
    "an unknown state": '{"text":"x","scope":{},"state":"gone"}', "bytes": b"\xff\xfe",
}  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_a_damaged_record_is_named(tmp_path: Path, body: str) -> None:
    """By whoever meets it; and a check reports it instead of failing."""
    path = tmp_path / "memory.db"
    saved(path)
    with closing(sqlite3.connect(path)) as vandal:
        vandal.execute("UPDATE log SET body=? WHERE seq=1", (BODIES[body],))
        vandal.commit()

    with Memory.open(path, embedder=Buckets()) as memory:
        for name, (needed, _) in CALLS.items():
            outcome(partial(getattr(memory, name), **needed))
        for repair in (False, True):
            assert any("entry 1 does not" in p for p in memory.check(repair=repair)["problems"])


def test_a_file_of_a_later_engram_is_left_alone(tmp_path: Path) -> None:
    """And the message says what to do."""
    path = tmp_path / "memory.db"
    saved(path)
    with closing(sqlite3.connect(path)) as later:
        later.execute("PRAGMA user_version=99")
    before = path.read_bytes()

    with pytest.raises(StoreTooNew, match=r"format 99 was written by a later engram.* upgrade"):
        Memory.open(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"xy", b"Dear diary,\n" * 50, b"\x00" * 4096, b"\xff" * 9999])
def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path, content: bytes) -> None:
    """It is somebody's."""
    path = tmp_path / "memory.db"
    path.write_bytes(content)

    with pytest.raises(StoreCorrupt):
        Memory.open(path)
    assert path.read_bytes() == content


def test_a_file_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """On a real file system that is mounted read-only; nothing of it is changed."""
    folder = tmp_path / "locked"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        path = folder / "memory.db"
        saved(path)
        before = path.read_bytes()
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)

        for embedder in (None, "none", Buckets()):
            with pytest.raises(StoreReadOnly, match=str(path)):
                Memory.open(path, embedder=embedder)
        with pytest.raises(StoreReadOnly):
            Memory.open(folder / "new.db", embedder="none")
        with pytest.raises(StoreReadOnly):
            Memory.open(folder / "new" / "new.db", embedder="none")
        with (
            Memory.open(":memory:", embedder="none") as other,
            pytest.raises(StoreReadOnly, match="cannot be written"),
        ):
            other.export(folder / "archive.jsonl")
        assert path.read_bytes() == before
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_file_that_becomes_unwritable_can_still_be_read(tmp_path: Path) -> None:
    """Each write says so and changes nothing."""
    path = tmp_path / "memory.db"
    saved(path)
    with Memory.open(path, embedder="none") as memory:
        record = memory.get_all()["results"][0]["id"]
        before = memory.stats()["content_hash"]
        memory.store.connections.get().execute("PRAGMA query_only=ON")

        assert memory.search("key")["results"] != []
        assert memory.context("key")["ids"] != []
        writes: list[Callable[[], object]] = [
            partial(memory.add, "milk"),
            partial(memory.update, record, "milk"),
            partial(memory.delete, record),
            memory.delete_all,
            partial(memory.erase, record),
            partial(memory.revert, memory.log()[0]["id"]),
        ]
        for write in writes:
            with pytest.raises(StoreReadOnly, match="cannot be written; check its permissions"):
                write()
        assert memory.stats()["content_hash"] == before
        memory.store.connections.get().execute("PRAGMA query_only=OFF")


def test_an_error_is_one_line_whatever_a_path_holds(tmp_path: Path) -> None:
    """Names of files may hold line breaks."""
    folder = tmp_path / "two\nlines"
    folder.mkdir()

    with pytest.raises(InvalidInput) as caught, Memory.open(":memory:", embedder="none") as memory:
        memory.import_(folder / "missing\r\nfile")
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(StoreReadOnly) as refused:
        Memory.open(folder, embedder="none")
    assert "two lines" in str(refused.value)
