"""The scheduler: promote by use, demote by budget; the same log gives the same forms."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs engram[hf]")
pytest.importorskip("transformers", reason="needs engram[hf]")

from engram.errors import InvalidInput
from engram.memory import Memory
from engram.plaintext.store import parts
from engram.testing.ports import Hand

Make = Callable[..., Any]
DAY = 86_400.0
ROOM = 10**9
FACTS = ("I live in Bergen.", "The boat is called Ada.", "My cat hates the rain.", "Tea at five.")


def used(memory: Memory, times: dict[str, int]) -> None:
    """Count uses of memories, as packing them into a context does."""
    for record, count in times.items():
        for _ in range(count):
            memory.store.used([record], memory.clock())
    memory.store.flush(memory.clock())


def told(done: Any, what: str) -> list[list[str]]:
    """The memories of the forms that a step names."""
    return [[each["id"] for each in form["records"]] for form in done[what]]


def why(done: Any, record: str) -> str:
    """Why a memory was left as text."""
    return next(each["why"] for each in done["left"] if each["id"] == record)


def test_what_is_used_and_stands_is_promoted(
    memory: Memory, said: Make, reading: Any, clock: Hand
) -> None:
    """All of it in one form; what is used too seldom stays text, and is told why."""
    ids = said(*FACTS)
    used(memory, {ids[0]: 3, ids[1]: 5, ids[2]: 2})
    clock.at += DAY

    done = memory.schedule(budget=ROOM, **reading)

    assert told(done, "promoted") == [ids[:2]]
    assert done["promoted"][0]["method"] == "schedule"
    assert done["promoted"][0]["why"] == "memories that are used and stand: 2"
    assert why(done, ids[2]) == "it was used 2 times, 3 are needed"
    assert [each["id"] for each in done["left"]] == [ids[2]]
    assert done["bytes"] == memory.forms()[0]["bytes"]


def test_what_changed_lately_has_to_stand_first(
    memory: Memory, said: Make, reading: Any, clock: Hand
) -> None:
    """From the day on which it says what it says; a tag that moves begins no new day."""
    ids = said(*FACTS)
    used(memory, dict.fromkeys(ids, 3))
    clock.at += DAY
    memory.update(ids[0], "I live in Oslo.")
    memory.update(ids[1], FACTS[1], metadata={"boat": True})

    first = memory.schedule(budget=ROOM, **reading)
    clock.at += DAY
    second = memory.schedule(budget=ROOM, **reading)

    assert told(first, "promoted") == [ids[1:]]
    assert why(first, ids[0]) == "it has stood for 0 seconds, 86400 are needed"
    assert told(second, "promoted") == [ids]
    assert [form["why"] for form in second["demoted"]] == ["other memories are wanted now"]
    assert len(parts.listed(memory.path)) == 1


def test_a_second_step_changes_nothing(
    memory: Memory, said: Make, reading: Any, clock: Hand
) -> None:
    """The model reads nothing, no row and no file is written."""
    used(memory, dict.fromkeys(said(*FACTS), 3))
    clock.at += DAY
    memory.schedule(budget=ROOM, **reading)
    before = {name: path.stat().st_mtime_ns for name, path in parts.listed(memory.path).items()}
    log = memory.log()
    read: list[int] = []
    hook = reading["model"].register_forward_pre_hook(lambda *_: read.append(1))

    clock.at += DAY
    done = memory.schedule(budget=ROOM, **reading)
    hook.remove()

    assert (done["promoted"], done["demoted"]) == ([], [])
    assert done["kept"][0]["why"] == "memories that are used and stand: 4"
    assert read == []
    assert {n: p.stat().st_mtime_ns for n, p in parts.listed(memory.path).items()} == before
    assert memory.log() == log


def test_the_same_log_and_clock_give_the_same_forms(
    memory: Memory, said: Make, reading: Any, clock: Hand, tmp_path: Path
) -> None:
    """Ids too: in a copy of the file the same step ends alike."""
    ids = said(*FACTS)
    used(memory, {ids[0]: 4, ids[1]: 3, ids[2]: 9})
    clock.at += DAY
    with (tmp_path / "out.jsonl").open("w") as out:
        memory.export(out)
    with Memory.open(tmp_path / "twin.db", embedder="none", clock=clock) as twin:
        twin.import_(tmp_path / "out.jsonl")

        steps = [each.schedule(budget=500_000, **reading) for each in (memory, twin)]

    assert steps[0] == steps[1]
    assert len(steps[0]["promoted"]) == 1


@pytest.mark.parametrize("preset", ["full", "kivi"])
def test_the_budget_is_kept(
    preset: str, memory: Memory, said: Make, reading: Any, clock: Hand
) -> None:
    """The most used come in as far as there is room, at any size of the budget."""
    ids = said(*(f"The boat is called Ada, number {at}." for at in range(12)))
    used(memory, {record: 20 - at for at, record in enumerate(ids)})
    clock.at += DAY
    sizes = []
    for budget in (0, 100, 70_000, 100_000, 300_000, ROOM):
        done = memory.schedule(budget=budget, preset=preset, **reading)

        held = [each for form in memory.forms() for each in form["records"]]
        assert done["bytes"] == sum(p.stat().st_size for p in parts.listed(memory.path).values())
        assert done["bytes"] <= budget
        assert [each["id"] for each in held] == ids[: len(held)]
        sizes.append(len(held))
        if sizes[-1] < 12:
            assert why(done, ids[-1]) == "there is no room for it"

    assert sizes[:2] == [0, 0]
    assert sizes == sorted(sizes)
    assert 0 < sizes[3] < 12
    assert sizes[-1] == 12


def test_the_least_used_form_goes_first(
    memory: Memory, said: Make, reading: Any, clock: Hand
) -> None:
    """Of those that somebody promoted by hand; their text stands, and they can come back."""
    ids = said(*FACTS)
    forms = [memory.promote([each], **reading) for each in ids]
    for at, count in ((0, 2), (1, 1), (2, 3)):
        for _ in range(count):
            memory.attach(forms[at]["id"], "Where?", **reading)
    budget = forms[0]["bytes"] + forms[2]["bytes"]

    done = memory.schedule(budget=budget, min_uses=99, **reading)

    assert [each["id"] for each in done["demoted"]] == [forms[3]["id"], forms[1]["id"]]
    assert done["demoted"][1]["why"] == f"the budget is {budget} bytes, and it was used 1 times"
    assert {each["id"] for each in done["kept"]} == {forms[0]["id"], forms[2]["id"]}
    assert done["kept"][0]["why"] == "it fits into the budget"
    assert [each["memory"] for each in memory.get_all()["results"]] == list(FACTS)
    assert memory.promote([ids[1]], **reading)["id"] == forms[1]["id"]


def test_what_memos_advises_is_promoted(tmp_path: Path, reading: Any, clock: Hand) -> None:
    """Its keepers count the readings of items and of what they rest on; the step follows them."""
    path = tmp_path / "memos.db"
    with Memory.open(path, preset="memos", embedder="none", clock=clock) as memory:
        memory.add([{"content": fact, "time": clock.at + at} for at, fact in enumerate(FACTS)])
        for _ in range(3):
            memory.context("Where do I live?", tokens=200)
        clock.at += 2 * DAY
        memory.tend()
        states = ["generated", "active"]
        (advice,) = memory.get_all(filters={"kind": "promotion"}, states=states)["results"]

        done = memory.schedule(budget=ROOM, min_uses=99, **reading)

        assert sorted(told(done, "promoted")[0]) == sorted(advice["fields"]["items"])
        assert memory.tend()["changed"] == {}
        assert memory.schedule(budget=ROOM, min_uses=99, **reading)["promoted"] == []


def test_too_little_text_is_not_worth_a_form(
    memory: Memory, said: Make, reading: Any, clock: Hand
) -> None:
    """Reading it takes no longer than attaching it."""
    (record,) = said(FACTS[0])
    used(memory, {record: 5})
    clock.at += DAY

    done = memory.schedule(budget=ROOM, min_tokens=5000, **reading)

    assert done["promoted"] == []
    assert why(done, record).endswith("tokens, 5000 are needed")


def test_no_more_than_the_model_reads_is_wanted(
    memory: Memory, said: Make, words: Make, tiny: Make, clock: Hand
) -> None:
    """And no more memories than were asked for."""
    reading = {"model": tiny(max_position_embeddings=200), "tokenizer": words()}
    ids = said(*FACTS)
    used(memory, {record: 9 - at for at, record in enumerate(ids)})
    clock.at += DAY

    done = memory.schedule(budget=ROOM, most=3, **reading)

    assert why(done, ids[3]) == "3 others are used more"
    assert why(done, ids[2]) == "there is no room for it"
    assert done["promoted"][0]["tokens"] < 200


def test_a_step_sees_one_user_only(memory: Memory, said: Make, reading: Any, clock: Hand) -> None:
    """Uses, forms and the budget of others are not looked at."""
    ana, ben = said(*FACTS[:2], user_id="ana"), said(*FACTS[2:], user_id="ben")
    used(memory, dict.fromkeys([*ana, *ben], 4))
    clock.at += DAY
    memory.schedule(budget=ROOM, user_id="ben", **reading)

    done = memory.schedule(budget=ROOM, user_id="ana", **reading)

    assert told(done, "promoted") == [ana]
    assert (done["demoted"], done["kept"]) == ([], [])
    assert memory.schedule(budget=0, **reading)["demoted"] == []
    assert len(memory.forms()) == 2


@pytest.mark.parametrize(
    "wrong", [{"budget": -1}, {"budget": 1.5}, {"budget": True}, {"most": -1}, {"stable_for": "x"}]
)
def test_rules_are_counts(memory: Memory, reading: Any, wrong: dict[str, Any]) -> None:
    """The message names which one is not."""
    (name,) = wrong

    with pytest.raises(InvalidInput, match=f"{name} must be a count"):
        memory.schedule(**{"budget": 5, **wrong}, **reading)
