"""Many at once: threads on one memory, processes on one file."""

import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from engram.errors import IllegalChange, StoreClosed
from engram.memory import Memory
from engram.testing.ports import Buckets

KEY = "The spare key is under the blue pot."


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    """An empty memory with vectors, sound at the end."""
    with Memory.open(tmp_path / "memory.db", embedder=Buckets(), durability="off") as memory:
        yield memory
        assert memory.check()["problems"] == []


def together(count: int, work: Callable[[int], object]) -> None:
    """Run the work in so many threads; what one raises is raised here."""
    wrong: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            wrong.append(error)
            raise

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_eight_threads_add_search_and_update(memory: Memory) -> None:
    """Each finds its own at once, in its newest words, and nothing is lost."""

    def live(number: int) -> None:
        for at in range(12):
            (added,) = memory.add(f"word{number}x{at} is a note", user_id="ana")["results"]
            memory.update(added["id"], f"word{number}x{at} was a note", user_id="ana")
            best = memory.search(f"word{number}x{at}", user_id="ana", top_k=1)["results"][0]
            assert best["memory"] == f"word{number}x{at} was a note"
            memory.context(f"word{number}x{at}", user_id="ana", tokens=100)

    together(8, live)

    held = memory.get_all(user_id="ana", limit=1000)["results"]
    assert {each["memory"] for each in held} == {
        f"word{number}x{at} was a note" for number in range(8) for at in range(12)
    }
    assert len(held) == 96
    assert {each["version"] for each in held} == {2}


def test_a_search_sees_a_memory_before_or_after_its_update(memory: Memory) -> None:
    """Never neither, however often it changes while others look."""
    (added,) = memory.add("The pot is blue 0")["results"]
    memory.add("The cat is asleep.")
    over = threading.Event()

    def live(number: int) -> None:
        if number == 0:
            for at in range(1, 80):
                memory.update(added["id"], f"The pot is blue {at}")
            over.set()
        while not over.is_set():
            found = memory.search("blue pot")["results"]
            assert added["id"] in [each["id"] for each in found]
            assert len(memory.get_all()["results"]) == 2

    together(5, live)


def test_two_writers_of_one_memory_do_not_lose_a_version(memory: Memory) -> None:
    """Whoever comes second on the same version is told so; every success is in the history."""
    (added,) = memory.add(KEY)["results"]
    done: list[str] = []

    def live(number: int) -> None:
        for at in range(10):
            with suppress(IllegalChange):  # which says: read it again
                memory.update(added["id"], f"text {number} {at}")
                done.append(f"text {number} {at}")

    together(4, live)

    history = memory.history(added["id"])
    assert {version["memory"] for version in history} == {KEY, *done}
    assert len(history) == len(done) + 1
    assert done


def test_the_same_note_from_many_threads_is_recalled_once(memory: Memory) -> None:
    """One is added, the others are merged with it."""
    events: list[str] = []
    together(8, lambda _: events.append(memory.add(KEY)["results"][0]["event"]))

    assert sorted(events) == ["ADD", *["MERGE"] * 7]
    assert len(memory.search("spare key")["results"]) == 1


def test_threads_of_many_users_do_not_meet(memory: Memory) -> None:
    """Each sees its own and nothing else while all write."""

    def live(number: int) -> None:
        for at in range(10):
            memory.add(f"note {at} of user {number}", user_id=str(number))
            found = memory.get_all(user_id=str(number))["results"]
            assert [each["memory"] for each in found] == [
                f"note {each} of user {number}" for each in range(at + 1)
            ]

    together(8, live)


def test_threads_that_end_leave_no_open_file(memory: Memory) -> None:
    """A server has a thread for each request."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("needs /proc to count open files")
    memory.add(KEY)

    def files() -> int:
        together(1, lambda _: memory.search("key"))
        return sum(1 for each in folder.iterdir() if str(memory.path) in _target(each))

    counts = [files() for _ in range(20)]
    assert max(counts[10:]) <= max(counts[:10])
    assert counts[-1] < 12


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # it was closed since it was listed
        return ""


def test_closing_under_working_threads_ends_in_our_error(tmp_path: Path) -> None:
    """Whatever they are at, they get a result or are told that the memory is closed."""
    memory = Memory.open(tmp_path / "memory.db", embedder=Buckets(), durability="off")
    memory.add(KEY)
    ready = threading.Barrier(4)

    def live(number: int) -> None:
        ready.wait(30)
        if number == 0:
            memory.search("key")
            memory.close()
            return
        for at in range(1000):
            if _closed(memory, f"note {number} {at}"):
                return

    together(4, live)

    with Memory.open(tmp_path / "memory.db", embedder=Buckets()) as again:
        assert again.check()["problems"] == []


def _closed(memory: Memory, text: str) -> bool:
    try:
        memory.add(text)
    except StoreClosed:
        return True
    return False


def _write(path: Path, number: int, start: Barrier, embedder: Any) -> None:
    start.wait(60)
    with Memory.open(path, embedder=embedder, durability="normal") as memory:
        for at in range(50):
            memory.add(f"note {at} of process {number}", user_id="ana")


@pytest.mark.parametrize("made", [True, False])
def test_four_processes_write_to_one_file(tmp_path: Path, made: bool) -> None:
    """Fifty each, started at once, on a file that is there or not yet: none is lost."""
    path = tmp_path / "memory.db"
    if made:
        Memory.open(path, embedder="none").close()
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(4)
    processes = [
        context.Process(target=_write, args=(path, number, start, "none")) for number in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0] * 4
    with Memory.open(path, embedder="none") as memory:
        held = memory.get_all(user_id="ana", limit=1000)["results"]
        assert {each["memory"] for each in held} == {
            f"note {at} of process {number}" for number in range(4) for at in range(50)
        }
        assert len(held) == len(memory.log(1000)) == 200
        assert memory.check()["problems"] == []


def test_a_reader_in_another_process_sees_each_commit(tmp_path: Path) -> None:
    """As soon as it is acknowledged."""
    with Memory.open(tmp_path / "memory.db", embedder="none") as memory:
        look = (
            "import sys; from engram import Memory\n"
            "with Memory.open(sys.argv[1], embedder='none') as memory:\n"
            "    for line in sys.stdin:\n"
            "        print(len(memory.search('spare key')['results']), flush=True)\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", look, str(memory.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as other:
            assert other.stdin is not None
            assert other.stdout is not None
            for count in range(3):
                other.stdin.write("look\n")
                other.stdin.flush()
                assert other.stdout.readline() == f"{count}\n"
                memory.add(f"The spare key number {count} is under the pot.")
            other.stdin.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_memory_goes_on_after_a_fork(memory: Memory) -> None:
    """In the child and in the parent."""
    memory.add("before the fork")
    child = os.fork()
    if child == 0:
        try:
            memory.add("in the child")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    memory.add("after the fork")

    assert [each["memory"] for each in memory.get_all()["results"]] == [
        "before the fork", "in the child", "after the fork",
    ]  # fmt: skip
