"""The front door: open, add, search, correct, list, close."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engram.errors import InvalidInput, NotFound, StoreClosed, StoreReadOnly, UnknownMethod
from engram.memory import Memory
from engram.testing.ports import Hand

KEY = "The spare key is under the blue pot."
CAT = "Momo the cat hates the rain."


@pytest.fixture
def clock() -> Hand:
    """A clock that stands at the first of June 2026."""
    hand = Hand()
    hand.set("2026-06-01")
    return hand


@pytest.fixture
def memory(tmp_path: Path, clock: Hand) -> Iterator[Memory]:
    """An empty memory that finds by words only."""
    path = tmp_path / "memory.db"
    with Memory.open(path, embedder="none", durability="off", clock=clock) as memory:
        yield memory


def texts(result: dict[str, Any]) -> list[str]:
    """The texts of results, in order."""
    return [each["memory"] for each in result["results"]]


def test_what_is_added_is_found(tmp_path: Path) -> None:
    """With everything as it comes: the built-in embedder, full durability, the real clock."""
    with Memory.open(tmp_path / "memory.db") as memory:
        memory.add([KEY, CAT], user_id="ana", metadata={"page": 3})

        (best, *_) = memory.search("where is the spare key?", user_id="ana")["results"]
        assert (best["memory"], best["metadata"]) == (KEY, {"page": 3})
        assert memory.search("where is the spare key?", user_id="ben")["results"] == []
        assert memory.check()["problems"] == []


def test_a_memory_is_a_file(tmp_path: Path) -> None:
    """What was added is there when it is opened again, by text or by path."""
    path = tmp_path / "notes.db"
    with Memory.open(str(path), embedder="none") as memory:
        memory.add(KEY)
        assert memory.path == path

    with Memory.open(path, embedder="none") as memory:
        assert texts(memory.get_all()) == [KEY]


def test_without_a_path_it_is_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the data folder, or where ENGRAM_PATH says; ENGRAM_EMBEDDER is for new files."""
    with Memory.open(embedder="none") as memory:
        assert memory.path == Path(os.environ["XDG_DATA_HOME"], "engram", "memory.db")
    monkeypatch.setenv("ENGRAM_PATH", str(tmp_path / "mine.db"))
    monkeypatch.setenv("ENGRAM_EMBEDDER", "none")
    monkeypatch.setenv("ENGRAM_DURABILITY", "normal")
    with Memory.open() as memory:
        stats = memory.stats()
        assert (memory.path, stats["embedder"]) == (tmp_path / "mine.db", None)
        assert stats["durability"] == "normal"


def test_a_memory_in_memory_vanishes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On close, with its folder; and two of them share nothing."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with (
        Memory.open(":memory:", embedder="none") as one,
        Memory.open(":memory:", embedder="none") as two,
    ):
        one.add(KEY)
        assert two.get_all()["results"] == []
        assert one.path.is_file()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("named", "error"),
    [
        ({"preset": "nope"}, UnknownMethod),
        ({"preset": "locomo"}, UnknownMethod),
        ({"preset": []}, UnknownMethod),
        ({"embedder": "nope"}, UnknownMethod),
        ({"embedder": 5}, InvalidInput),
        ({"durability": "fast"}, InvalidInput),
        ({"actor": 5}, InvalidInput),
        ({"actor": "\ud800"}, InvalidInput),
    ],
    ids=str,
)
def test_a_failed_open_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: dict[str, Any], error: type[Exception]
) -> None:
    """No file, no folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for path in (":memory:", tmp_path / "memory.db"):
        with pytest.raises(error):
            Memory.open(path, **{"embedder": "none", **named})

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["{}", "{}/file/memory.db", "{}/" + "x" * 300])
def test_a_path_that_can_be_no_file_is_named(tmp_path: Path, path: str) -> None:
    """A folder, a path below a file, a name that is too long."""
    (tmp_path / "file").touch()

    with pytest.raises(StoreReadOnly, match=r"check the folder|cannot be made"):
        Memory.open(path.format(tmp_path), embedder="none")


def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    """With ``with`` and by hand, in any order."""
    with Memory.open(tmp_path / "memory.db", embedder="none") as memory:
        memory.add(KEY)
        memory.close()
        memory.close()
    memory.close()

    with memory, pytest.raises(StoreClosed):
        memory.search("key")


CALLS: dict[str, Callable[[Memory], Any]] = {
    "add": lambda memory: memory.add(KEY),
    "search": lambda memory: memory.search("key"),
    "context": lambda memory: memory.context("key"),
    "get": lambda memory: memory.get("0"),
    "get_all": lambda memory: memory.get_all(),
    "update": lambda memory: memory.update("0", KEY),
    "delete": lambda memory: memory.delete("0"),
    "delete_all": lambda memory: memory.delete_all(),
    "history": lambda memory: memory.history("0"),
    "diff": lambda memory: memory.diff(0),
    "log": lambda memory: memory.log(),
    "revert": lambda memory: memory.revert("000000"),
    "reveal": lambda memory: memory.reveal("0", reason="to try"),
    "erase": lambda memory: memory.erase("0"),
    "erase a scope": lambda memory: memory.erase(user_id="ana"),
    "tend": lambda memory: memory.tend(),
    "check": lambda memory: memory.check(),
    "export": lambda memory: memory.export(memory.path.with_suffix(".jsonl")),
    "import": lambda memory: memory.import_(['{"engram":"archive","format":1}']),
    "stats": lambda memory: memory.stats(),
    "promote": lambda memory: memory.promote("0", model="folder"),
    "attach": lambda memory: memory.attach("0", "where?", model="folder"),
    "demote": lambda memory: memory.demote("0"),
    "forms": lambda memory: memory.forms(),
    "schedule": lambda memory: memory.schedule(model="folder", budget=5),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_closed_memory_says_that_it_is_closed(tmp_path: Path, call: str) -> None:
    """Every call, also with an embedder, and what to do about it."""
    memory = Memory.open(tmp_path / "memory.db")
    memory.close()

    with pytest.raises(StoreClosed, match=f"{memory.path}: the memory is closed; open it again"):
        CALLS[call](memory)


def test_every_public_call_is_tried_when_closed() -> None:
    """A new one must be added to the list."""
    public = {name for kind in Memory.__mro__ for name in vars(kind) if not name.startswith("_")}
    tried = {name.split()[0].replace("import", "import_") for name in CALLS}

    assert {name for name in public if callable(getattr(Memory, name))} == tried | {"open", "close"}


def test_an_error_inside_the_block_still_closes(tmp_path: Path) -> None:
    """And goes on its way."""
    memory = Memory.open(tmp_path / "memory.db", embedder="none")
    with pytest.raises(ZeroDivisionError), memory:
        raise ZeroDivisionError

    with pytest.raises(StoreClosed):
        memory.stats()


def test_use_is_written_on_close(tmp_path: Path) -> None:
    """What was only counted in memory."""
    path = tmp_path / "memory.db"
    with Memory.open(path, embedder="none") as memory:
        memory.add(KEY)
        memory.context("spare key")
        (used,) = memory.context("spare key")["ids"]

    with Memory.open(path, embedder="none") as memory:
        assert memory.get(used)["uses"] == 2


def test_a_memory_can_be_got_by_its_id(memory: Memory) -> None:
    """With everything that is known of it; checked against the scope where one is given."""
    message = {
        "content": KEY, "name": "Ana", "time": "2026-05-01", "expires_at": "2027-01-01",
        "metadata": {"page": [3]},
    }  # fmt: skip
    (added,) = memory.add(message, user_id="ana", agent_id="g", run_id="r", app_id="p")["results"]

    got = memory.get(added["id"], user_id="ana", app_id="p")

    assert got == memory.get(f" {added['id']} ")
    assert {name: got[name] for name in ("id", "memory", "kind", "state", "metadata")} == {
        "id": added["id"], "memory": KEY, "kind": "raw", "state": "active",
        "metadata": {"page": [3]},
    }  # fmt: skip
    assert (got["user_id"], got["agent_id"], got["run_id"], got["app_id"]) == ("ana", "g", "r", "p")
    assert (got["event_time"], got["expires_at"]) == (
        "2026-05-01T00:00:00Z",
        "2027-01-01T00:00:00Z",
    )
    assert got["created_at"] == got["updated_at"] == "2026-06-01T00:00:00Z"
    assert got["fields"] == {"role": "user", "speaker": "Ana"}


@pytest.mark.parametrize(
    "ids",
    [
        {"user_id": "ben"}, {"user_id": None}, {"user_id": "ana", "app_id": "p"},
        {"user_id": "ana", "run_id": "r"}, {"agent_id": "g"},
    ],
)  # fmt: skip
def test_another_scope_has_no_such_memory(memory: Memory, ids: dict[str, Any]) -> None:
    """Whatever is tried with its id, and the same words as for an id that never was."""
    (added,) = memory.add(KEY, user_id="ana")["results"]
    for call in (memory.get, memory.delete, memory.history, memory.erase):
        with pytest.raises(NotFound, match=f"no memory has the id '{added['id']}' here"):
            call(added["id"], **ids)
        with pytest.raises(NotFound, match="no memory has the id 'never' here; check the id"):
            call("never", **ids)
    with pytest.raises(NotFound, match="check the id and the scope"):
        memory.update(added["id"], "milk", **ids)

    assert memory.get(added["id"])["memory"] == KEY
    assert len(memory.log()) == 1


@pytest.mark.parametrize("count", [0, 1, 3, 63])
@pytest.mark.parametrize("size", [1, 2, 3, 64])
def test_pages_hold_everything_once(memory: Memory, count: int, size: int) -> None:
    """In the order in which it was first stored; the last page knows that it is the last."""
    memory.add([f"note number {at}" for at in range(count)], infer=False)
    pages, cursor = [], None
    while True:
        page = memory.get_all(limit=size, cursor=cursor)
        pages.append(texts(page))
        cursor = page["next"]
        if cursor is None:
            break

    assert [text for page in pages for text in page] == [f"note number {at}" for at in range(count)]
    assert all(len(page) == size for page in pages[:-1])
    assert len(pages) == max(1, -(-count // size))


def test_a_page_is_not_moved_by_what_changes(memory: Memory) -> None:
    """An update keeps its place, so that nobody misses it or sees it twice."""
    ids = [memory.add(f"note {at}")["results"][0]["id"] for at in range(4)]
    first = memory.get_all(limit=2)
    memory.update(ids[0], "note 0, changed")
    memory.update(ids[2], "note 2, changed")
    memory.add("note 4")

    assert texts(first) == ["note 0", "note 1"]
    rest = memory.get_all(limit=9, cursor=first["next"])
    assert texts(rest) == ["note 2, changed", "note 3", "note 4"]
    assert texts(memory.get_all())[0] == "note 0, changed"


def test_a_listing_can_choose_states_filters_and_times(memory: Memory, clock: Hand) -> None:
    """Any state but erased; the clocks ask what was recalled then."""
    kept = memory.add(KEY, metadata={"page": 3})["results"][0]["id"]
    gone = memory.add(CAT)["results"][0]["id"]
    clock.set("2026-07-01")
    memory.delete(gone)
    memory.add("Milk.", run_id="shop")

    assert texts(memory.get_all()) == [KEY, "Milk."]
    assert texts(memory.get_all(states=["archived"])) == [CAT]
    assert texts(memory.get_all(states=["archived", "active"])) == [KEY, CAT, "Milk."]
    assert texts(memory.get_all(states=[])) == []
    assert texts(memory.get_all(filters={"page": 3})) == [KEY]
    assert texts(memory.get_all(run_id="shop")) == ["Milk."]
    assert texts(memory.get_all(known_at="2026-06-15")) == [KEY, CAT]
    assert texts(memory.get_all(as_of="2026-07-02")) == [KEY, "Milk."]
    assert memory.get_all()["results"][0]["id"] == kept


def test_delete_all_empties_one_scope(memory: Memory) -> None:
    """It can be reverted, and leaves everybody else alone."""
    memory.add(["I live in Bergen.", KEY], user_id="ana", run_id="r")
    memory.add(CAT, user_id="ana")
    memory.add(CAT, user_id="ben")

    done = memory.delete_all(user_id="ana", run_id="r")

    assert len(done["deleted"]) == 3
    assert texts(memory.get_all(user_id="ana")) == [CAT]
    assert texts(memory.get_all(user_id="ben")) == [CAT]
    memory.revert(done["commit"])
    assert len(memory.get_all(user_id="ana")["results"]) == 4
    assert memory.check()["problems"] == []


def test_more_records_than_a_statement_binds_can_be_deleted(memory: Memory) -> None:
    """SQLite may bind a few hundred values or many thousands; it does not matter which."""
    memory.store.connections.get().setlimit(9, 30)  # SQLITE_LIMIT_VARIABLE_NUMBER
    memory.add([f"note number {at}" for at in range(63)], infer=False)

    assert len(memory.search("note number", top_k=63)["results"]) == 63
    assert len(memory.get_all()["results"]) == 63
    assert len(memory.delete_all()["deleted"]) == 63


def test_a_preset_chooses_the_parts(tmp_path: Path) -> None:
    """``raw-bm25`` reads nothing out of what is said."""
    with Memory.open(tmp_path / "memory.db", preset="raw-bm25", embedder="none") as memory:
        added = memory.add("I live in Bergen.")

        assert [each["kind"] for each in added["results"]] == ["raw"]
        assert texts(memory.search("Bergen")) == ["I live in Bergen."]
