"""Nobody sees another's memories: each space of a shared file is as if it had its own file."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from engram.errors import EngramError, NotFound
from engram.memory import Memory
from engram.testing.ports import Buckets, Hand

UUID = re.compile(r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")
SPACES: tuple[dict[str, Any], ...] = (
    {"user_id": "ana"},
    {"user_id": "ben"},
    {"user_id": "ana", "app_id": "other"},
)
TEXTS = (
    "I live in Bergen.", "I moved to Oslo.", "I moved to Rome.", "The spare key is under the pot.",
    "Momo the cat hates the rain.", "Ana lives in Paris.", "The cat is asleep under the pot.",
)  # fmt: skip
QUERIES = ("where do I live?", "spare key under the pot", "the cat", "Ana", "rain in Bergen")
STATES = ("active", "archived", "merged", "retracted", "expired", "quarantined", "generated")
OWN = frozenset({"path", "bytes", "took_ms", "content_hash", "uses", "jobs"})
"""What two files never have in common: where they lie, what hangs on random ids, work that waits in
the file, and use, which is written with the next commit of whomever."""

DAY = 86_400.0
spaces = st.sampled_from(range(len(SPACES)))
narrowed = st.fixed_dictionaries(
    {}, optional={"run_id": st.sampled_from("ab"), "agent_id": st.sampled_from("xy")}
)
numbers = st.integers(0, 30)
days = st.none() | st.integers(-60, 0)


def outcome(call: Callable[[], Any]) -> Any:
    """What a call gives, or the error that it ends in."""
    try:
        return call()
    except EngramError as error:
        return type(error).__name__, str(error)


class Alone:
    """A space in a file of its own, and which of its ids stands for which in the shared file."""

    def __init__(self, clock: Hand) -> None:
        self.memory = opened(clock)
        self.own: dict[str, str] = {}
        self.shared: dict[str, str] = {}

    def same(self, shared: Any, own: Any) -> bool:
        """Whether two results say the same, whatever their ids are called."""
        if isinstance(shared, dict):
            one, two = (
                [item for item in each.items() if item[0] not in OWN] for each in (shared, own)
            )
            return self.same(one, two)
        if isinstance(shared, list | tuple):
            return len(shared) == len(own) and all(map(self.same, shared, own))
        if isinstance(shared, str) and isinstance(own, str):
            ours, theirs = UUID.split(shared), UUID.split(own)
            alike = len(ours) == len(theirs) and ours[::2] == theirs[::2]
            return alike and self._named(ours, theirs)
        return bool(shared == own)

    def _named(self, shared: list[str], own: list[str]) -> bool:
        return all(
            self.own.setdefault(a, b) == b and self.shared.setdefault(b, a) == a
            for a, b in zip(shared[1::2], own[1::2], strict=True)
        )


def opened(clock: Hand) -> Memory:
    """A memory with vectors, in a file that vanishes."""
    return Memory.open(":memory:", embedder=Buckets(), durability="off", clock=clock)


class Spaces(RuleBasedStateMachine):
    """Calls go to the shared memory and to the space's own one; both must say the same."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Hand()
        self.clock.set("2026-06-01")
        self.memory = opened(self.clock)
        self.alone = [Alone(self.clock) for _ in SPACES]
        self.records: list[list[str]] = [[] for _ in SPACES]
        self.commits: list[list[str]] = [[] for _ in SPACES]

    def both(self, space: int, name: str, *given: Any, **named: Any) -> Any:
        """Call both memories, compare what they say, and remember the ids."""
        alone = self.alone[space]
        theirs = [alone.own.get(each, each) if isinstance(each, str) else each for each in given]
        shared = outcome(partial(getattr(self.memory, name), *given, **named))
        own = outcome(partial(getattr(alone.memory, name), *theirs, **named))
        assert alone.same(shared, own), f"{name}{given}{named}:\n{shared}\n{own}"
        if isinstance(shared, dict) and shared.get("commit"):
            self.commits[space].append(shared["commit"])
        return shared

    def record(self, space: int, number: int) -> str:
        """The id of some memory of a space; one that never was where there is none."""
        held = self.records[space]
        return held[number % len(held)] if held else "never"

    @initialize(texts=st.lists(st.sampled_from(TEXTS), min_size=2, max_size=4), ids=narrowed)
    def begin(self, texts: list[str], ids: Any) -> None:
        """Everybody has said the same."""
        for space in range(len(SPACES)):
            for text in texts:
                self.add(space, text, ids, None, keep=True)

    @rule(space=spaces, text=st.sampled_from(TEXTS), ids=narrowed, day=days, keep=st.booleans())
    def add(self, space: int, text: str, ids: Any, day: int | None, keep: bool) -> None:
        """Say something, perhaps of some day, perhaps for a while."""
        said = {
            "content": text,
            "time": None if day is None else self.clock.at + day * DAY,
            "expires_at": None if keep else self.clock.at + 20 * DAY,
            "metadata": {"keep": keep},
        }
        added = self.both(space, "add", said, **SPACES[space], **ids)
        self.records[space] += [result["id"] for result in added["results"]]

    @rule(space=spaces, number=numbers, text=st.sampled_from(TEXTS))
    def update(self, space: int, number: int, text: str) -> None:
        """Rewrite a memory."""
        updated = self.both(space, "update", self.record(space, number), text, **SPACES[space])
        if isinstance(updated, dict):
            self.records[space] += [result["id"] for result in updated["results"]]

    @rule(space=spaces, number=numbers)
    def delete(self, space: int, number: int) -> None:
        """Put a memory out of recall."""
        self.both(space, "delete", self.record(space, number), **SPACES[space])

    @rule(space=spaces, ids=narrowed)
    def delete_all(self, space: int, ids: Any) -> None:
        """Put a scope out of recall."""
        self.both(space, "delete_all", **SPACES[space], **ids)

    @rule(space=spaces, number=numbers)
    def revert(self, space: int, number: int) -> None:
        """Undo one of the space's commits."""
        if self.commits[space]:
            self.both(space, "revert", self.commits[space][number % len(self.commits[space])])

    @rule(space=spaces, number=numbers)
    def erase(self, space: int, number: int) -> None:
        """Destroy a memory; the ids of the receipt are sorted, so they are compared as a set."""
        alone, record = self.alone[space], self.record(space, number)
        shared = outcome(partial(self.memory.erase, record, **SPACES[space]))
        own = outcome(partial(alone.memory.erase, alone.own.get(record, record), **SPACES[space]))
        if isinstance(shared, dict):
            assert {alone.own[each] for each in shared["ids"]} == set(own["ids"])
            shared, own = shared | {"ids": ()}, own | {"ids": ()}
        assert alone.same(shared, own)

    @rule(space=spaces)
    def tend(self, space: int) -> None:
        """Expire what is due in one space."""
        self.both(space, "tend", **SPACES[space])

    @rule(number=st.integers(1, 15))
    def wait(self, number: int) -> None:
        """Days pass."""
        self.clock.at += number * DAY

    @rule(space=spaces, ids=narrowed, query=st.sampled_from(QUERIES), day=days)
    def search(self, space: int, ids: Any, query: str, day: int | None) -> None:
        """Found are the same memories with the same scores, all of them of the scope."""
        then = None if day is None else self.clock.at + day * DAY
        for look in ({}, {"as_of": then}, {"known_at": then}, {"filters": {"keep": True}}):
            found = self.both(space, "search", query, explain=True, **SPACES[space], **ids, **look)
            for result in found["results"]:
                assert ids.items() <= result.items()
                assert SPACES[space].items() <= result.items()
                runs = {source["run_id"] for source in result["sources"]}
                assert "run_id" not in ids or runs <= {ids["run_id"]}

    @rule(space=spaces, ids=narrowed, query=st.sampled_from(QUERIES))
    def context(self, space: int, ids: Any, query: str) -> None:
        """Recall is written in the same words."""
        self.both(space, "context", query, tokens=200, **SPACES[space], **ids)

    @rule(space=spaces, ids=narrowed, size=st.integers(1, 5), number=numbers)
    def look(self, space: int, ids: Any, size: int, number: int) -> None:
        """Pages, counts, histories and differences."""
        scope = SPACES[space] | ids
        page = self.both(space, "get_all", limit=size, states=STATES, **scope)
        self.both(space, "get_all", limit=size, cursor=page["next"], states=STATES, **scope)
        self.both(space, "stats", **scope)
        self.both(space, "diff", self.clock.at - 5 * DAY, **scope)
        self.both(space, "history", self.record(space, number), **scope)
        self.both(space, "get", self.record(space, number), **scope)

    @rule(space=spaces, other=spaces, number=numbers)
    def trespass(self, space: int, other: int, number: int) -> None:
        """With another's id nothing can be seen or done."""
        record = self.record(other, number)
        if space == other or record == "never":
            return
        memory, ids = self.memory, SPACES[space]
        for call in (memory.get, memory.history, memory.delete, memory.erase):
            with pytest.raises(NotFound, match="check the id and the scope"):
                call(record, **ids)
        with pytest.raises(NotFound, match="check the id and the scope"):
            memory.update(record, "mine now", **ids)

    def teardown(self) -> None:
        """At the end everything is the same, and every file is sound."""
        for space, ids in enumerate(SPACES):
            self.both(space, "get_all", limit=1000, states=STATES, **ids)
            self.both(space, "stats", **ids)
            self.both(space, "diff", 0, **ids)
        for memory in (self.memory, *(alone.memory for alone in self.alone)):
            assert memory.check()["problems"] == []
            memory.close()


TestSpaces = Spaces.TestCase
TestSpaces.settings = settings(max_examples=20, stateful_step_count=30)


def test_scores_do_not_depend_on_what_others_hold() -> None:
    """Word statistics, vectors and confidence are those of the space alone."""
    clock = Hand()
    clock.set("2026-06-01")
    with opened(clock) as memory:
        memory.add(list(TEXTS), user_id="ana")
        before = [memory.search(query, user_id="ana", explain=True) for query in QUERIES]
        for user in ("ben", "cleo"):
            memory.add([f"{text} {user} the cat the pot" for text in TEXTS * 5], user_id=user)
        after = [memory.search(query, user_id="ana", explain=True) for query in QUERIES]

    for one, two in zip(before, after, strict=True):
        assert one | {"took_ms": 0} == two | {"took_ms": 0}


def test_an_archive_of_one_space_names_no_other() -> None:
    """Neither a text nor an id of anybody else."""
    clock = Hand()
    lines: list[str] = []
    with opened(clock) as memory:
        theirs = memory.add(list(TEXTS), user_id="ben")
        memory.context("the cat", user_id="ben")
        memory.add("The pot is blue.", user_id="ana")

        class Lines:
            write = staticmethod(lines.append)
            writelines = staticmethod(lines.extend)

        memory.export(Lines(), user_id="ana")  # type: ignore[arg-type]
        text = "".join(lines)

    assert "The pot is blue." in text
    for result in theirs["results"]:
        assert result["id"] not in text
        assert result["memory"] not in text
    assert theirs["commit"] not in text
