"""Vectors: made for what lacks them, switched while others search, never mixed, always complete."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engram.errors import EmbedderFailed, InvalidInput, UnknownMethod
from engram.memory import Memory
from engram.plaintext.store.embed import embed_missing, pending
from engram.plaintext.store.store import Store
from engram.ports import Embedder, Vectors
from engram.testing.ports import Buckets

SMALL, LARGE = Buckets("small", 5), Buckets("large", 9)


class Broken(Buckets):
    """An embedder whose server is gone."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        raise EmbedderFailed("the server said\nnothing; start it")


class Pausing(Buckets):
    """An embedder that says when it was first asked, and then waits to be let on."""

    def __init__(self, name: str, dimension: int) -> None:
        super().__init__(name, dimension)
        self.asked = threading.Event()
        self.go_on = threading.Event()

    def embed(self, texts: Sequence[str]) -> Vectors:
        if len(texts) > 1:
            self.asked.set()
            assert self.go_on.wait(30), "nobody let it go on"
        return super().embed(texts)


class Writing(Buckets):
    """An embedder in whose middle another process writes a memory."""

    def __init__(self, name: str, dimension: int, path: Path) -> None:
        super().__init__(name, dimension)
        self.path = path
        self.left = 2

    def embed(self, texts: Sequence[str]) -> Vectors:
        if self.left:
            self.left -= 1
            with opened(self.path, "none") as other:
                other.add(f"written meanwhile {self.left}")
        return super().embed(texts)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the memory is."""
    return tmp_path / "memory.db"


def opened(path: Path, embedder: Any) -> Memory:
    """The memory with an embedder."""
    return Memory.open(path, embedder=embedder, durability="off")


def vectors(memory: Memory) -> Iterator[tuple[str, str, np.ndarray]]:
    """Every stored vector: the name of its embedder, its text, its numbers."""
    with memory.store.snapshot() as db:
        found = db.execute(
            "SELECT e.name, json_extract(l.body,'$.text'), v.vector FROM vectors v "
            "JOIN log l ON l.seq=v.row JOIN embedders e ON e.id=v.embedder ORDER BY v.row"
        ).fetchall()
    for name, text, blob in found:
        yield name, text, np.frombuffer(blob, dtype=np.float16).astype(np.float32)


def complete(memory: Memory, embedder: Buckets) -> None:
    """Every searchable row has just the vector that this embedder gives for its words."""
    with memory.store.snapshot() as db:
        (wanted,) = db.execute("SELECT count(*) FROM rows WHERE length>0").fetchone()
    found = list(vectors(memory))
    assert len(found) == wanted
    for name, text, vector in found:
        assert name == embedder.name, text
        assert np.allclose(vector, embedder.embed([text])[0], atol=1e-3), text
    assert not pending(memory.store)
    assert memory.stats()["jobs"] == 0
    assert memory.check()["problems"] == []


@pytest.mark.parametrize("count", [0, 1, 3, 63, 300])
def test_a_change_of_embedder_ends_complete(path: Path, count: int) -> None:
    """Whatever the number; only the new one's vectors are left."""
    with opened(path, SMALL) as memory:
        memory.add([f"note number {at}" for at in range(count)], infer=False)
    with opened(path, LARGE) as memory:
        memory.tend()

        complete(memory, LARGE)


def test_what_is_missing_is_told_while_it_is_made(path: Path) -> None:
    """In batches, to whoever asked; and counted."""
    with opened(path, "none") as memory:
        memory.add([f"note number {at}" for at in range(300)], infer=False)
    seen: list[tuple[int, int]] = []
    with closing(Store(path, embedder=("small", 5))) as store:
        made = embed_missing(store, SMALL, progress=lambda done, total: seen.append((done, total)))

    assert made == 300
    assert seen == [(256, 300), (300, 300)]


@pytest.mark.parametrize(
    "between", [["none"], [LARGE], [LARGE, "none"], [LARGE, LARGE, Buckets("third", 7), "none"]]
)
def test_an_embedder_that_comes_back_catches_up(path: Path, between: list[Any]) -> None:
    """On what was written, updated and erased while it was away."""
    with opened(path, SMALL) as memory:
        ids = [memory.add(f"note number {at}")["results"][0]["id"] for at in range(4)]
    for at, other in enumerate(between):
        with opened(path, other) as memory:
            memory.add(f"written with another {at}")
            memory.update(ids[0], f"changed with another {at}")
            assert memory.check()["problems"] == []
    with opened(path, SMALL) as memory:
        memory.erase(ids[1])
        memory.tend()

        complete(memory, SMALL)


def test_two_processes_with_two_embedders_both_stay_sound(path: Path) -> None:
    """Each writes its own vectors and leaves the other's to be made."""
    with opened(path, SMALL) as one, opened(path, LARGE) as two:
        for at in range(3):
            one.add(f"by one {at}")
            two.add(f"by two {at}")
            assert two.search("by one")["results"] != []
        assert one.check()["problems"] == two.check()["problems"] == []
        two.tend()
        complete(two, LARGE)
        assert one.search("by two")["results"] != []
        one.tend()
        complete(one, SMALL)


def test_search_goes_on_while_all_is_embedded_anew(path: Path) -> None:
    """Found by words at first, by meaning at last; no thread ever meets an error."""
    with opened(path, SMALL) as memory:
        memory.add([f"note number {at} of the cat" for at in range(300)], infer=False)
    slow = Pausing("large", 9)
    wrong: list[object] = []
    over = threading.Event()

    def look(memory: Memory) -> None:
        while not over.is_set():
            found = memory.search("note number 7 of the cat", top_k=5, explain=True)["results"]
            if len(found) != 5 or any(not np.isfinite(r["score"]) for r in found):
                wrong.append(found)

    with opened(path, slow) as memory:
        assert slow.asked.wait(30)
        before = memory.search("note number 7 of the cat", explain=True)["results"][0]
        threads = [threading.Thread(target=look, args=(memory,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        memory.add("written while the vectors are made")
        slow.go_on.set()
        memory.tend()
        over.set()
        for thread in threads:
            thread.join()

        assert before["explain"]["meaning"] == 0
        assert wrong == []
        complete(memory, slow)
        memory.store.forget_caches()  # which look for new vectors twice a second at most
        after = memory.search("note number 7 of the cat", explain=True)["results"][0]
        assert after["explain"]["meaning"] > 0


def test_closing_stops_the_work_and_the_next_open_goes_on(path: Path) -> None:
    """Between two batches, so that closing is quick and nothing is half done."""
    with opened(path, "none") as memory:
        memory.add([f"note number {at}" for at in range(600)], infer=False)
    slow = Pausing("large", 9)
    memory = opened(path, slow)
    assert slow.asked.wait(30)
    closing_thread = threading.Thread(target=memory.close)
    closing_thread.start()
    memory._stop.wait(30)
    slow.go_on.set()
    closing_thread.join()

    with opened(path, LARGE) as again:
        with again.store.snapshot() as db:
            (made,) = db.execute("SELECT count(*) FROM vectors").fetchone()
        assert 256 <= made <= 600
        again.tend()
        complete(again, LARGE)


def test_what_is_written_while_vectors_are_made_gets_one_too(path: Path) -> None:
    """Also when it comes after the last look and before the job is dropped."""
    with opened(path, "none") as memory:
        memory.add("written before")
    with opened(path, Writing("writing", 4, path)) as memory:
        memory.tend()

        with memory.store.snapshot() as db:
            assert db.execute("SELECT count(*) FROM rows").fetchone() == (3,)
        complete(memory, Buckets("writing", 4))


def test_a_row_that_is_erased_while_its_vector_is_made_gets_none(path: Path) -> None:
    """The vector of an erased text would be a trace of it."""

    class Erasing(Buckets):
        def embed(self, texts: Sequence[str]) -> Vectors:
            with opened(path, "none") as other:
                other.erase(ids[0])
            return super().embed(texts)

    with opened(path, "none") as memory:
        ids = [r["id"] for r in memory.add(["the cat", "the dog"])["results"]]
    with closing(Store(path, embedder=("erasing", 4))) as store:
        embed_missing(store, Erasing("erasing", 4))
        with store.snapshot() as db:
            found = db.execute("SELECT l.record FROM vectors v JOIN log l ON l.seq=v.row")
            assert found.fetchall() == [(ids[1],)]


def test_a_metadata_change_keeps_the_vector_and_no_older_one(path: Path) -> None:
    """A vector is copied from a version with these very words."""
    with opened(path, SMALL) as memory:
        (raw,) = memory.add("The cat is asleep.")["results"]
        updated = memory.update(raw["id"], "The dog is awake.")
        memory.revert(updated["commit"])
        memory.update(raw["id"], "The cat is asleep.", metadata={"n": 1})
        memory.update(raw["id"], "The cat is asleep.", metadata={"n": 2})

        complete(memory, SMALL)


def test_an_embedder_that_fails_in_the_background_breaks_nothing(path: Path) -> None:
    """What is left to do stays; tending says what is wrong, on one line."""
    with opened(path, SMALL) as memory:
        memory.add("The cat is asleep.")
    with opened(path, Broken("broken", 4)) as memory:
        with pytest.raises(EmbedderFailed) as caught:
            memory.tend()
        assert str(caught.value) == "the server said nothing; start it"
        with pytest.raises(EmbedderFailed):
            memory.add("The dog is awake.")
        assert pending(memory.store)
        assert len(memory.get_all()["results"]) == 1
        assert memory.check()["problems"] == []


def test_a_file_remembers_its_embedder_by_name(path: Path) -> None:
    """What was not named is taken from the last time; an object is passed each time."""
    with Memory.open(path, embedder="none") as memory:
        memory.add("The cat is asleep.")
        assert memory.stats()["embedder"] is None
    with Memory.open(path) as memory:
        assert memory.stats()["embedder"] is None
    with Memory.open(path, embedder="wordllama") as memory:
        assert memory.stats()["embedder"].startswith("wordllama")
    with Memory.open(path, embedder=SMALL) as memory:
        assert memory.stats()["embedder"] == "small"
    with Memory.open(path) as memory:
        assert memory.stats()["embedder"].startswith("wordllama")
        memory.tend()
        assert memory.check()["problems"] == []


def test_without_an_embedder_words_are_enough(path: Path) -> None:
    """Search, facts and recall; no vector is kept and no channel of meaning speaks."""
    with opened(path, "none") as memory:
        memory.add({"content": "I live in Bergen.", "time": "2025-12-01"})
        memory.add("The spare key is under the blue pot.")
        (best,) = memory.search("spare key", explain=True, top_k=1)["results"]

        assert best["memory"] == "The spare key is under the blue pot."
        assert best["explain"]["meaning"] == 0
        assert memory.search("where do I live?")["results"][0]["kind"] == "fact"
        assert "blue pot" in memory.context("spare key")["text"]
        assert list(vectors(memory)) == []


def test_one_name_is_one_length(path: Path) -> None:
    """Vectors of two lengths under one name could not be told apart."""
    with opened(path, Buckets("same", 4)) as memory:
        memory.add("The cat is asleep.")

    with pytest.raises(InvalidInput, match=r"'same' in this file have 4 numbers, got 6; give"):
        opened(path, Buckets("same", 6))
    with opened(path, Buckets("same", 4)) as memory:
        assert memory.check()["problems"] == []


@pytest.mark.parametrize("embedder", [5, object(), b"none", ["none"], type("Half", (), {})()])
def test_what_is_no_embedder_is_refused(path: Path, embedder: Any) -> None:
    """Before a file is made."""
    with pytest.raises(InvalidInput, match="an embedder is a name, or an object with name, dim"):
        opened(path, embedder)
    assert not path.exists()


def test_an_unknown_embedder_is_answered_with_the_nearest(path: Path) -> None:
    """And no file is made."""
    with pytest.raises(UnknownMethod, match="nearest: wordllama"):
        opened(path, "wordlama")
    assert not path.exists()


def test_a_store_without_an_embedder_has_no_work(path: Path) -> None:
    """Nothing waits where nothing embeds."""
    with closing(Store(path)) as store:
        assert not pending(store)


def test_the_fakes_keep_the_law_of_the_port() -> None:
    """Unit rows, zeros for no words, the same each time."""
    fake: Embedder = Buckets("any", 63)
    rows = fake.embed(["", "?!", "the cat", "The Cat!", "a dog"])

    assert rows.shape == (5, 63)
    assert np.allclose(np.linalg.norm(rows, axis=1), [0, 0, 1, 1, 1])
    assert np.array_equal(rows[2], rows[3])
    assert fake.embed([]).shape == (0, 63)
