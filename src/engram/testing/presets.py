"""The laws that every preset of plaintext memory keeps, whatever it is made of.

Each takes the key of a row and raises AssertionError with what was broken. Outside presets can be
held to the same laws once they have a row.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engram.memory import Memory
from engram.ports import Completion
from engram.testing.plaintext import CONVERSATION, DAY, QUERIES, START

NOW = START + 30 * DAY
CYCLES = 10


class Broken:
    """A language model that answers in every wrong way, one after the other."""

    name = "broken"
    replies = (
        "I am afraid I cannot do that.",
        "{}",
        '{"ids": [999999], "facts": "all of them", "delete": true}',
        "```json\n[1, 2",
        "",
    )

    def __init__(self) -> None:
        self.calls = 0

    def complete(
        self,
        messages: Sequence[Mapping[str, str]],  # noqa: ARG002 - it never listens
        *,
        schema: Mapping[str, Any] | None = None,  # noqa: ARG002
        max_tokens: int = 1024,  # noqa: ARG002
    ) -> Completion:
        """Say something useless, or raise."""
        self.calls += 1
        if self.calls % 6 == 0:
            raise ValueError("the model fell over")
        return Completion(self.replies[self.calls % 5], 10, 5)


def opened(preset: str, path: Path | str = ":memory:", model: Any = None) -> Memory:
    """A memory of a preset with a conversation of two people over two days, and a stranger's."""
    memory = Memory.open(path, preset=preset, durability="off", model=model, clock=lambda: NOW)
    for day, run in enumerate(("monday", "tuesday")):
        memory.add(
            [
                {"role": "user", "name": name, "content": text, "time": START + day * DAY + at * 60}
                for at, (name, text) in enumerate(CONVERSATION[day * 3 : day * 3 + 4])
            ],
            user_id="ana",
            run_id=run,
        )
        if model is not None:
            memory.tend()  # it works in the background: what it sees at once must not be chance
    memory.add("A stranger lives in Paris with a cat called Zorro.", user_id="stranger")
    return memory


def replays(preset: str) -> None:
    """What follows from the log is what the log says, after writing, tending and changing."""
    with opened(preset) as memory:
        memory.tend()
        first = memory.get_all(user_id="ana")["results"][0]["id"]
        memory.update(first, "I live in Tromsø, and my cat Momo likes it.")
        memory.tend()
        health = memory.check()
        assert health["ok"], health["problems"]


def isolates(preset: str) -> None:
    """No query of one user brings back anything of another's."""
    with opened(preset) as memory:
        memory.tend()
        for query in (*QUERIES, "Zorro", "Who lives in Paris?"):
            found = memory.search(query, user_id="ana", top_k=50)["results"]
            assert all(result["user_id"] == "ana" for result in found)
            assert not any("Zorro" in result["memory"] for result in found)


def never_learns_from_itself(preset: str) -> None:
    """What was recalled and comes back adds nothing that can be recalled."""
    with opened(preset) as memory:
        memory.tend()
        before = _active(memory)
        for _ in range(CYCLES):
            recalled = memory.context("Where does Ana live?", user_id="ana")["text"]
            memory.add({"role": "assistant", "content": recalled or "nothing"}, user_id="ana")
            memory.tend()
        added = _active(memory) - before
        assert added <= (0 if recalled else 1), f"{added} memories were made of recalled ones"


def only_archives(preset: str) -> None:
    """Whatever a preset does to them, raw records are there in full and can be had by id."""
    with opened(preset) as memory:
        memory.tend()
        memory.clock = lambda: NOW + 3650 * DAY
        memory.tend()
        states = ["active", "archived", "merged", "expired", "quarantined"]
        kept = memory.get_all(user_id="ana", states=states, limit=1000)["results"]
        raw = {record["memory"] for record in kept if record["kind"] == "raw"}
        assert raw >= {text for _, text in CONVERSATION[:7]}


def erases(preset: str, folder: Path) -> None:
    """An erase takes everything that was made of a record along: no byte of it stays."""
    path = folder / f"{preset}.db"
    with opened(preset, path) as memory:
        memory.add("The codeword is xylophonquartz.", user_id="ana", run_id="tuesday")
        memory.tend()
        found = memory.get_all(user_id="ana", filters={"kind": "raw"}, limit=1000)["results"]
        (doomed,) = [r["id"] for r in found if "xylophonquartz" in r["memory"]]
        memory.erase(doomed)
        memory.tend()
        assert memory.check()["ok"]
    for file in folder.glob(f"{preset}.db*"):
        assert b"xylophonquartz" not in file.read_bytes().lower(), f"{file.name} still holds it"


def keeps_to_the_budget(preset: str) -> None:
    """Recall for a prompt is never longer than what was asked for."""
    with opened(preset) as memory:
        memory.tend()
        for tokens in (1, 20, 60, 100, 1000):
            packed = memory.context("the cat", user_id="ana", tokens=tokens)
            assert packed["tokens"] <= tokens


def is_deterministic(preset: str) -> None:
    """Two memories that were told the same at the same times answer alike."""
    with opened(preset) as one, opened(preset) as two:
        one.tend()
        two.tend()
        for query in QUERIES:
            said = [
                [(r["memory"], r["score"]) for r in memory.search(query, user_id="ana")["results"]]
                for memory in (one, two)
            ]
            assert said[0] == said[1], f"{query!r}: two memories of the same talk differ"


def survives_a_broken_model(preset: str) -> None:
    """A model that raises and talks nonsense changes nothing but the report."""
    with opened(preset) as plain, opened(preset, model=Broken()) as advised:
        plain.tend()
        report = advised.tend()
        assert advised.check()["ok"]
        assert _texts(advised) == _texts(plain), "a broken model changed what is remembered"
        assert not report["model"]["calls"] or report["model"]["failures"]


def _active(memory: Memory) -> int:
    return sum(n for what, n in memory.stats(user_id="ana")["records"].items() if "active" in what)


def _texts(memory: Memory) -> list[tuple[str, str]]:
    found = memory.get_all(user_id="ana", limit=1000)["results"]
    return sorted((record["kind"], record["memory"]) for record in found)
