"""No life of its memories lets a form tell another text than they say now."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="needs engram[hf]")
pytest.importorskip("transformers", reason="needs engram[hf]")

from engram.errors import InvalidInput, NotFound
from engram.lifecycle import prompts
from engram.memory import Memory
from engram.plaintext.store import forms, parts
from engram.plaintext.store.touching import live
from engram.testing.ports import Hand

Make = Callable[..., Any]
ACTS = [
    "add", "fact", "same", "update", "delete", "erase", "revert", "promote", "attach", "demote",
    "schedule", "tend", "forget", "harm", "wait", "reopen",
]  # fmt: skip
STEPS = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 7)), max_size=14)


class Life:
    """A memory, what was done to it, and what its forms are asked after each step."""

    def __init__(self, path: Any, reading: Any) -> None:
        self.path, self.reading = path, reading
        self.clock = Hand()
        self.clock.set("2026-06-01")
        self.memory = self.opened()
        self.ids: list[str] = []
        self.commits: list[str] = []
        self.forms: list[str] = []

    def opened(self) -> Memory:
        """The memory of the file."""
        return Memory.open(self.path, embedder="none", durability="off", clock=self.clock)

    def act(self, name: str, number: int) -> None:
        """Do one thing, as far as it can be done."""
        try:
            done = getattr(self, name)(number)
        except (InvalidInput, NotFound):
            return
        if isinstance(done, dict):
            self.ids += [each["id"] for each in done.get("results", ())]
            self.commits += [done["commit"]] if done.get("commit") else []

    def add(self, number: int) -> Any:
        """A note, perhaps one that expires."""
        expires = {"expires_at": self.clock.at + 3600.0} if number == 7 else {}
        return self.memory.add({"content": f"Note {number} is red.", **expires})

    def fact(self, number: int) -> Any:
        """Something that ends what was said of it before."""
        return self.memory.add({"content": f"I live in Town{number}.", "time": self.clock.at})

    def same(self, number: int) -> Any:
        """What was said before, which is merged."""
        return self.memory.add(f"note {number} is red!")

    def update(self, number: int) -> Any:
        """Another text."""
        return self.memory.update(self.one(number), f"Note {number} is blue at {self.clock.at}.")

    def delete(self, number: int) -> Any:
        """Out of recall."""
        return self.memory.delete(self.one(number))

    def erase(self, number: int) -> Any:
        """For good."""
        return self.memory.erase(self.one(number)) and None

    def revert(self, number: int) -> Any:
        """One of the commits."""
        return self.memory.revert(self.commits[number % len(self.commits or [0])])

    def promote(self, number: int) -> None:
        """Some of the memories that are recalled."""
        recalled = [each["id"] for each in self.memory.get_all()["results"]]
        wanted = recalled[number % 3 :][: number + 1]
        preset = "kivi" if number == 5 else "full"
        self.forms.append(self.memory.promote(wanted, preset=preset, **self.reading)["id"])

    def attach(self, number: int) -> None:
        """Any form, so that it is used."""
        self.memory.attach(self.forms[number % len(self.forms or [0])], "Where?", **self.reading)

    def demote(self, number: int) -> None:
        """A form."""
        self.memory.demote(self.forms[number % len(self.forms or [0])])

    def schedule(self, number: int) -> None:
        """What was used, into a budget that it may not fit."""
        rules: dict[str, Any] = {"min_uses": 1, "stable_for": 0.0, "budget": 40_000 * number}
        done = self.memory.schedule(**rules, **self.reading)
        self.forms += [each["id"] for each in done["promoted"]]

    def tend(self, number: int) -> None:
        """What is due."""
        self.memory.tend()

    def forget(self, number: int) -> None:
        """What is in memory only."""
        self.memory.store.forget_caches()

    def harm(self, number: int) -> None:
        """A file loses its end."""
        for path in list(parts.listed(self.memory.path).values())[: number % 2]:
            path.write_bytes(path.read_bytes()[:-1])
        self.memory.store.forget_caches()

    def wait(self, number: int) -> None:
        """Time passes."""
        self.clock.at += 1000.0 * number

    def reopen(self, number: int) -> None:
        """Another process goes on."""
        self.memory.close()
        self.memory = self.opened()

    def one(self, number: int) -> str:
        """A memory that was added."""
        if not self.ids:
            raise NotFound("there is none yet")
        return self.ids[number % len(self.ids)]

    def told(self, form_id: str) -> list[int] | None:
        """The ids of what the records of a form say now, before a query; None where nothing is."""
        with self.memory.store.snapshot() as db:
            form = forms.find(db, form_id)
            records = [] if form is None else forms.records_of(db, form)
        lasting = [record for record in records if live(record, self.clock.at)]
        tokenizer = self.reading["tokenizer"]
        text = prompts.told(prompts.in_order(lasting), tokenizer)
        return prompts.whole(tokenizer, text, "Where?") if lasting else None

    def is_packed(self, form_id: str) -> bool:
        """Whether the entries of a form have an error of their own."""
        return any(f["preset"] == "kivi" for f in self.memory.forms() if f["id"] == form_id)


def gap(attached: Any) -> float:
    """Largest difference of a logit from the prompt that is read as a whole."""
    rest = attached.ids[:, attached.held :]
    ours = attached.model(rest, past_key_values=attached.cache).logits[0, -1]
    return float((ours - attached.model(attached.ids).logits[0, -1]).abs().max())


@pytest.mark.slow
@settings(max_examples=30)
@given(STEPS)
def test_a_form_never_tells_another_text(
    tmp_path_factory: pytest.TempPathFactory, reading: Any, steps: list[tuple[str, int]]
) -> None:
    """Whatever was done: what is attached is the text of now, and every entry is of that text."""
    life = Life(tmp_path_factory.mktemp("life") / "notes.db", reading)
    for name, number in [("add", 0), ("promote", 0), *steps]:
        life.act(name, number)
        for form_id in dict.fromkeys(life.forms):
            wanted = life.told(form_id)
            try:
                attached = life.memory.attach(form_id, "Where?", **reading)
            except NotFound:
                assert wanted is None
                continue
            assert attached.ids.tolist() == [wanted]
            assert life.is_packed(form_id) or gap(attached) <= 1e-4
    assert life.memory.check()["problems"] == []
    life.memory.close()
