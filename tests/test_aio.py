"""The awaited face: the same answers, and an event loop that stays free."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from engram.aio import Async
from engram.errors import InvalidInput
from engram.memory import Memory

KEY = "The spare key is under the blue pot."


class Gate:
    """Waits in a thread until it is opened, and says in which."""

    answer = 42

    def __init__(self) -> None:
        self.opened = threading.Event()

    def wait(self, seconds: float, *, then: str = "") -> tuple[str, bool]:
        """Whether it was opened in time."""
        assert threading.current_thread() is not threading.main_thread()
        return then, self.opened.wait(seconds)

    def open(self) -> None:
        """Let whoever waits go on."""
        self.opened.set()

    def _hidden(self) -> None:
        self.opened.set()


def test_the_awaited_face_gives_the_same_answers(tmp_path: Path) -> None:
    """Every call, with its arguments and its errors."""

    async def live(memory: Memory) -> dict[str, Any]:
        added = await memory.aio.add(KEY, user_id="ana", metadata={"page": 3})
        record = added["results"][0]["id"]
        assert await memory.aio.search("spare key", user_id="ana", top_k=1) | {"took_ms": 0} == (
            memory.search("spare key", user_id="ana", top_k=1) | {"took_ms": 0}
        )
        assert await memory.aio.get(record) == memory.get(record)
        assert await memory.aio.context("spare key", user_id="ana") == memory.context(
            "spare key", user_id="ana"
        )
        await memory.aio.update(record, "milk", user_id="ana")
        with pytest.raises(InvalidInput, match="top_k must be"):
            await memory.aio.search("key", top_k=0)
        return await memory.aio.check()

    with Memory.open(tmp_path / "memory.db", embedder="none") as memory:
        assert asyncio.run(live(memory))["ok"]
        assert memory.get_all(user_id="ana")["results"][0]["memory"] == "milk"


def test_many_can_be_awaited_at_once(tmp_path: Path) -> None:
    """Nothing is lost, and each gets its own answer."""

    async def live(memory: Memory) -> list[str]:
        added = await asyncio.gather(
            *(memory.aio.add(f"note number {at}") for at in range(20)),
            *(memory.aio.search("note number") for _ in range(20)),
        )
        return [done["results"][0]["memory"] for done in added[:20]]

    with Memory.open(tmp_path / "memory.db", embedder="none", durability="off") as memory:
        assert asyncio.run(live(memory)) == [f"note number {at}" for at in range(20)]
        assert len(memory.get_all()["results"]) == 20


def test_the_loop_is_not_blocked() -> None:
    """While one call waits in its thread, the loop does what ends the wait."""
    gate = Gate()

    async def live() -> tuple[str, bool]:
        waiting = asyncio.ensure_future(Async(gate).wait(30, then="after"))
        await Async(gate).open()
        return await waiting

    assert asyncio.run(live()) == ("after", True)


@pytest.mark.parametrize("name", ["answer", "_hidden", "missing", "__len__"])
def test_only_public_methods_can_be_awaited(name: str) -> None:
    """Values, hidden names and what is not there are no methods."""
    with pytest.raises(AttributeError, match=name):
        getattr(Async(Gate()), name)
