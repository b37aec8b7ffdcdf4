"""Looking after a store: diff, revert, erase, tend, and what it says of itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engram.errors import InvalidInput, NotFound
from engram.memory import Memory
from engram.plaintext.keepers.expiry import Expiry
from engram.plaintext.roles import EditPlan, View
from engram.plaintext.upkeep import Tending
from engram.testing.ports import Hand

KEY = "The spare key is under the blue pot."
STATES = ("active", "archived", "merged", "retracted", "expired", "quarantined", "generated")


@pytest.fixture
def clock() -> Hand:
    """A clock that stands at the first of June 2026."""
    hand = Hand()
    hand.set("2026-06-01")
    return hand


@pytest.fixture
def memory(tmp_path: Path, clock: Hand) -> Iterator[Memory]:
    """An empty memory that finds by words only; sound at the end."""
    path = tmp_path / "memory.db"
    with Memory.open(path, embedder="none", durability="off", clock=clock) as memory:
        yield memory
        assert memory.check()["problems"] == []


def add(memory: Memory, content: str, time: str | None = None, **ids: Any) -> dict[str, Any]:
    """Say one thing."""
    return memory.add({"content": content, "time": time}, **ids)


def raw_id(added: dict[str, Any]) -> str:
    """The id of the first message of an add."""
    return str(added["results"][0]["id"])


def held(memory: Memory) -> dict[str, tuple[str, Any]]:
    """State and end of every memory, by its text."""
    return {
        each["memory"]: (each["state"], each["valid_to"])
        for each in memory.get_all(states=STATES)["results"]
    }


def proof(memory: Memory) -> str:
    """The hash of all content."""
    return str(memory.stats()["content_hash"])


def test_an_add_can_be_reverted(memory: Memory) -> None:
    """The content is what it was, and the words are out of recall."""
    before = proof(memory)
    added = add(memory, "I live in Bergen.", "2026-01-05")
    undone = memory.revert(added["commit"], reason="said in jest")

    assert proof(memory) == before
    assert memory.search("where do I live?")["results"] == []
    assert {state for state, _ in held(memory).values()} == {"retracted"}
    assert memory.log()[0]["reason"] == "said in jest"
    assert undone == {"commit": memory.log()[0]["id"], "reverted": added["commit"]}


def test_the_fact_before_a_reverted_one_holds_again(memory: Memory) -> None:
    """With its old end, which was none."""
    add(memory, "I live in Bergen.", "2026-01-05")
    before = proof(memory)
    moved = add(memory, "I moved to Oslo.", "2026-05-20")
    assert held(memory)["The user lives in Bergen"] == ("archived", "2026-05-20T00:00:00Z")
    memory.revert(moved["commit"])

    assert proof(memory) == before
    assert held(memory)["The user lives in Bergen"] == ("active", None)
    assert memory.search("where do I live?")["results"][0]["memory"] == "The user lives in Bergen"


def test_an_update_and_a_delete_can_be_reverted(memory: Memory) -> None:
    """With the facts that went with them."""
    added = add(memory, "I live in Bergen.", "2026-01-05")
    before = proof(memory)
    updated = memory.update(raw_id(added), "I live in Rome.")
    memory.revert(updated["commit"])
    assert proof(memory) == before

    deleted = memory.delete(raw_id(added))
    assert memory.search("where do I live?")["results"] == []
    memory.revert(deleted["commit"])
    assert proof(memory) == before
    assert memory.search("where do I live?")["results"][0]["memory"] == "The user lives in Bergen"


def test_a_revert_can_be_reverted_and_not_be_done_twice(memory: Memory) -> None:
    """Undo and redo; but a commit is undone once."""
    added = add(memory, "I live in Bergen.", "2026-01-05")
    after = proof(memory)
    undone = memory.revert(added["commit"])
    with pytest.raises(InvalidInput, match="changed again later; revert that commit first"):
        memory.revert(added["commit"])
    redone = memory.revert(undone["commit"])
    assert proof(memory) == after
    memory.revert(redone["commit"])

    assert held(memory) == {
        "I live in Bergen.": ("retracted", None),
        "The user lives in Bergen": ("retracted", None),
    }


@pytest.mark.parametrize("later", ["supersede", "support", "merge", "update", "delete"])
def test_a_commit_that_others_built_on_stays(memory: Memory, later: str) -> None:
    """That one must be reverted first; then both can be."""
    time = None if later == "merge" else "2026-01-05"
    first = add(memory, "I live in Bergen.", time)
    before = proof(memory)
    built = {
        "supersede": lambda: add(memory, "I moved to Oslo.", "2026-05-20"),
        "support": lambda: add(memory, "I live in Bergen.", "2026-01-06"),
        "merge": lambda: add(memory, "I live in Bergen."),
        "update": lambda: memory.update(raw_id(first), "I live in Rome."),
        "delete": lambda: memory.delete(raw_id(first)),
    }[later]()

    with pytest.raises(InvalidInput, match=r"later; revert that commit first"):
        memory.revert(first["commit"])

    memory.revert(built["commit"])
    assert proof(memory) == before
    memory.revert(first["commit"])
    assert memory.search("where do I live?")["results"] == []


@pytest.mark.parametrize("commit", ["01900000-0000-7000-8000-000000000000", "nothing", "0190000"])
def test_an_unknown_commit_cannot_be_reverted(memory: Memory, commit: str) -> None:
    """The message says where to look."""
    with pytest.raises(NotFound, match=f"no commit has the id '{commit}'; 'engram log' lists"):
        memory.revert(commit)


def test_a_commit_that_changed_no_record_cannot_be_reverted(memory: Memory) -> None:
    """Such as one that only counts use."""
    add(memory, KEY)
    memory.context("spare key")
    memory.tend()
    (use, _) = memory.log()
    assert use["method"] == "use"

    with pytest.raises(InvalidInput, match="changed no record; there is nothing to revert"):
        memory.revert(use["id"])


def test_a_diff_shows_both_sides_and_what_differs(memory: Memory, clock: Hand) -> None:
    """Between commits or times; up to now where the second is left out."""
    added = add(memory, "I live in Bergen.", "2026-01-05")
    clock.set("2026-07-01")
    moved = add(memory, "I moved to Oslo.", "2026-05-20")

    changes = {
        (c["after"] or c["before"])["memory"]: c for c in memory.diff(added["commit"])["results"]
    }
    bergen = changes["The user lives in Bergen"]

    assert set(changes) == {
        "I moved to Oslo.", "The user lives in Oslo", "The user lives in Bergen",
    }  # fmt: skip
    assert changes["I moved to Oslo."]["before"] is None
    assert bergen["before"]["state"] == "active"
    assert bergen["changed"] == ["valid_to", "state", "superseded_by"]
    assert memory.diff("2026-06-15") == memory.diff(added["commit"], moved["commit"])
    assert memory.diff(moved["commit"])["results"] == []
    assert len(memory.diff(0, "2026-06-15")["results"]) == 2


def test_a_diff_sees_only_its_scope(memory: Memory) -> None:
    """Of other users, and of other runs."""
    add(memory, KEY, user_id="ana", run_id="a")
    add(memory, "The cat is asleep.", user_id="ana", run_id="b")
    add(memory, "The dog is awake.", user_id="ben")

    def seen(**ids: Any) -> list[str]:
        return [change["after"]["memory"] for change in memory.diff(0, **ids)["results"]]

    assert len(seen()) == 3
    assert seen(user_id="ana") == [KEY, "The cat is asleep."]
    assert seen(user_id="ana", run_id="b") == ["The cat is asleep."]
    assert seen(user_id="nobody") == []


def test_what_erase_took_cannot_be_reverted(memory: Memory) -> None:
    """Neither its add nor the erase itself."""
    added = add(memory, KEY)
    receipt = memory.erase(raw_id(added))

    with pytest.raises(InvalidInput, match="was erased; what an erase took cannot return"):
        memory.revert(added["commit"])
    with pytest.raises(InvalidInput, match="nothing to revert"):
        memory.revert(receipt["commit"])


def test_the_fact_before_an_erased_one_holds_again(memory: Memory) -> None:
    """Not even its end tells of what was erased."""
    add(memory, "I live in Bergen.", "2026-01-05")
    moved = add(memory, "I moved to Oslo.", "2026-05-20")
    memory.erase(raw_id(moved))

    assert held(memory) == {
        "I live in Bergen.": ("active", None),
        "The user lives in Bergen": ("active", None),
    }


def test_a_fact_in_the_middle_can_be_erased(memory: Memory) -> None:
    """The one before ends where the one after begins."""
    add(memory, "I live in Bergen.", "2026-01-01")
    middle = add(memory, "I moved to Oslo.", "2026-02-01")
    add(memory, "I moved to Rome.", "2026-03-01")
    memory.erase(raw_id(middle))

    assert held(memory)["The user lives in Bergen"] == ("archived", "2026-03-01T00:00:00Z")
    found = memory.search("where do I live?", as_of="2026-02-15")["results"][0]
    assert found["memory"] == "The user lives in Bergen"


def test_an_erase_of_nothing_is_no_commit(memory: Memory) -> None:
    """An empty scope, and one that was erased before."""
    add(memory, KEY, user_id="ana")
    memory.erase(user_id="ana")
    commits = len(memory.log())

    for user in ("ana", "nobody"):
        receipt = memory.erase(user_id=user)
        assert (receipt["commit"], receipt["ids"], receipt["versions"]) == (None, (), 0)
        assert receipt["scrubbed"]
    assert len(memory.log()) == commits


def test_tending_expires_what_is_due_in_every_scope(memory: Memory, clock: Hand) -> None:
    """And counts all of it; a second time there is nothing to do."""
    for user in ("ana", "ben"):
        for at in range(3):
            memory.add({"content": f"note {at}", "expires_at": "2026-06-02"}, user_id=user)
    clock.set("2026-06-03")
    seen: list[tuple[int, int]] = []

    done = memory.tend(progress=lambda at, total: seen.append((at, total)))

    assert done["changed"] == {"expiry": 6}
    assert len(done["commits"]) == 2
    assert seen == [(1, 2), (2, 2)]
    assert memory.get_all(user_id="ana")["results"] == []
    assert len(memory.get_all(user_id="ana", states=["expired"])["results"]) == 3
    assert memory.tend()["changed"] == {}


def test_tending_one_scope_leaves_the_others(memory: Memory, clock: Hand) -> None:
    """Each may be tended when its turn comes."""
    for user in ("ana", "ben"):
        memory.add({"content": KEY, "expires_at": "2026-06-02"}, user_id=user)
    clock.set("2026-06-03")
    memory.tend(user_id="ana")

    assert memory.get_all(user_id="ana")["results"] == []
    assert len(memory.get_all(user_id="ben")["results"]) == 1


def test_what_is_never_used_fades_in_years(memory: Memory, clock: Hand) -> None:
    """Archived, not lost; one that was recalled stays longer."""
    add(memory, KEY)
    add(memory, "Momo the cat hates the rain.")
    used = memory.context("cat Momo")["ids"]
    clock.set("2030-06-01")
    memory.tend()

    assert held(memory)[KEY][0] == "archived"
    assert [r["id"] for r in memory.get_all()["results"]] == used


def test_stats_count_what_is_there(memory: Memory) -> None:
    """Of the whole file, or of one scope and of nothing else."""
    add(memory, "I live in Bergen.", user_id="ana", run_id="a")
    add(memory, KEY, user_id="ana", run_id="b")
    changed = add(memory, KEY, user_id="ben")
    memory.update(raw_id(changed), "milk", user_id="ben")

    whole, ana = memory.stats(), memory.stats(user_id="ana")
    run, nobody = memory.stats(user_id="ana", run_id="b"), memory.stats(user_id="nobody")

    assert whole["records"] == {"fact active": 1, "raw active": 3}
    assert (whole["spaces"], whole["versions"], whole["commits"]) == (2, 5, 4)
    assert ana["records"] == {"fact active": 1, "raw active": 2}
    assert (ana["spaces"], ana["versions"], ana["commits"]) == (1, 3, 2)
    assert (run["records"], run["versions"], run["commits"]) == ({"raw active": 1}, 1, 1)
    assert (nobody["records"], nobody["spaces"], nobody["versions"]) == ({}, 0, 0)
    assert whole["jobs"] == 0
    assert whole["embedder"] is None
    assert whole["bytes"] == memory.path.stat().st_size


def test_the_hash_of_a_scope_follows_its_content_alone(memory: Memory) -> None:
    """Others may write what they like."""
    add(memory, KEY, user_id="ana")
    before = memory.stats(user_id="ana")["content_hash"]
    add(memory, KEY, user_id="ben")
    assert memory.stats(user_id="ana")["content_hash"] == before
    add(memory, "milk", user_id="ana")

    assert memory.stats(user_id="ana")["content_hash"] != before


@dataclass(frozen=True)
class _Outrun:
    """Proposes what another process does before it can."""

    other: Memory

    def keep(self, now: float, view: View) -> EditPlan:
        """The plan of ``Expiry``, which has been carried out by then."""
        plan = Expiry().keep(now, view)
        assert self.other.tend()["changed"] == {"expiry": 1}
        return plan


def test_what_another_process_did_first_is_no_commit(
    memory: Memory, tmp_path: Path, clock: Hand
) -> None:
    """Every commit that is named exists."""
    memory.add({"content": KEY, "expires_at": "2026-06-02"})
    clock.set("2026-06-03")
    with Memory.open(tmp_path / "memory.db", embedder="none", clock=clock) as other:
        done = Tending(memory.store, [_Outrun(other)], None).tend(None, clock(), actor="late")

    assert done == []
    assert memory.log()[0]["method"] == "expiry"


def test_tending_one_run_expires_nothing_of_another(memory: Memory, clock: Hand) -> None:
    """A scope is tended as far as it reaches."""
    for run in ("first", "second"):
        memory.add({"content": f"{KEY} ({run})", "expires_at": "2026-06-02"}, run_id=run)
    clock.set("2026-06-03")
    memory.tend(run_id="first")

    assert {state for state, _ in held(memory).values()} == {"active", "expired"}
