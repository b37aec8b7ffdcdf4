"""Days that are over are summed up, with what they rest on; what changes is made anew."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engram import catalogue
from engram.memory import Memory
from engram.plaintext.advice import Advisor, Question
from engram.plaintext.keepers.digest import Digest
from engram.plaintext.roles import Record
from engram.plaintext.store.store import Store
from engram.testing.ports import Hand

DAY = 86_400.0
TALK = (
    ("2026-01-05T09:00", "I moved to Bergen with my cat."),
    ("2026-01-05T09:01", "The cat hates the rain in Bergen."),
    ("2026-01-05T09:02", "The rain never stops in Bergen."),
    ("2026-01-06T09:00", "I love sailing."),
    ("2026-01-06T09:01", "We went sailing on the fjord."),
    ("2026-01-06T09:02", "Sailing on the fjord was cold."),
    ("2026-01-07T09:00", "I bought bread."),
    ("2026-01-07T09:01", "The bread is stale."),
    ("2026-01-07T09:02", "I hate stale bread."),
)


class Scripted:
    """An advisor that answers every question alike, and keeps what it was asked."""

    def __init__(self, answer: Mapping[str, Any] | None) -> None:
        self.answer = answer
        self.asked: list[Question] = []

    def ask(self, question: Question) -> Mapping[str, Any] | None:
        self.asked.append(question)
        return self.answer


@contextmanager
def opened(
    path: Path, advisor: Advisor | None = None, **settings: Any
) -> Iterator[tuple[Memory, Hand]]:
    """A memory that keeps digests only, its clock on the evening of the third day."""
    clock = Hand()
    clock.set("2026-01-07T20:00")
    keeper = Digest(advisor=advisor, **settings)
    parts = {**catalogue.parts(catalogue.find("memorybank")), "keepers": [keeper]}
    store = Store(path / "memory.db", durability="off", embedder=None)
    with Memory(store, parts, None, clock) as memory:
        yield memory, clock


def tell(memory: Memory, run: str = "chat") -> None:
    """Add the talk of three days, in one conversation."""
    memory.add([{"name": "Ana", "content": text, "time": at} for at, text in TALK], run_id=run)


def made(memory: Memory, kind: str = "digest") -> list[str]:
    """The texts of the live records of a kind."""
    return [r["memory"] for r in memory.get_all(filters={"kind": kind})["results"]]


def test_each_day_that_is_over_has_a_digest(tmp_path: Path) -> None:
    """Dated, quoting whoever spoke; the day that still lasts has none."""
    with opened(tmp_path, quotes=2) as (memory, clock):
        tell(memory)
        memory.tend()
        first = made(memory)
        clock.set("2026-01-08T00:00")
        memory.tend()

        assert first == [
            "5 January 2026. Ana: I moved to Bergen with my cat. "
            "Ana: The cat hates the rain in Bergen.",
            "6 January 2026. Ana: We went sailing on the fjord. "
            "Ana: Sailing on the fjord was cold.",
        ]
        assert made(memory)[:2] == first
        assert [text[:14] for text in made(memory)[2:]] == ["7 January 2026"]


def test_a_digest_rests_on_the_turns_that_it_quotes(tmp_path: Path) -> None:
    """Every quoted sentence stands in one of its sources, and the scope is theirs."""
    with opened(tmp_path, quotes=2) as (memory, _):
        tell(memory)
        memory.tend()
        (found, *_) = memory.get_all(run_id="chat", filters={"kind": "digest"})["results"]
        quoted = [memory.get(parent)["memory"] for parent in found["parents"]]

    assert found["run_id"] == "chat"
    assert quoted == [TALK[0][1], TALK[1][1]]


def test_tending_again_changes_nothing(tmp_path: Path) -> None:
    """Nor does time."""
    with opened(tmp_path) as (memory, clock):
        tell(memory)
        clock.set("2026-01-09T00:00")
        memory.tend()
        clock.set("2026-05-09T00:00")

        assert memory.tend()["changed"] == {}


def test_conversations_of_one_day_are_summed_up_apart(tmp_path: Path) -> None:
    """A view of one conversation and one of all see the same digests."""
    with opened(tmp_path) as (memory, _):
        tell(memory, "one")
        tell(memory, "two")
        memory.tend(run_id="one")
        alone = made(memory)
        memory.tend()
        together = made(memory)
        memory.tend(run_id="two")

        assert (len(alone), len(together)) == (2, 4)
        assert made(memory) == together
        assert len(made(memory, "summary")) == 1


def test_what_is_told_late_is_summed_up_anew(tmp_path: Path) -> None:
    """The digest is the next version of the one before."""
    with opened(tmp_path) as (memory, _):
        tell(memory)
        memory.tend()
        late = {
            "name": "Ana",
            "content": "The cat likes the Bergen rain now.",
            "time": "2026-01-05T22:00",
        }
        memory.add(late, run_id="chat")
        memory.tend()

        assert len(made(memory)) == 2
        assert any("likes the Bergen rain" in text for text in made(memory))


@pytest.mark.parametrize("change", ["delete", "update", "erase"])
def test_what_was_taken_back_is_in_no_digest(tmp_path: Path, change: str) -> None:
    """A deleted, rewritten or erased turn; and no version of it is left after an erase."""
    with opened(tmp_path) as (memory, _):
        tell(memory)
        memory.tend()
        raw = memory.get_all(filters={"kind": "raw"}, limit=1000)["results"]
        (doomed,) = [each["id"] for each in raw if "hates the rain" in each["memory"]]
        if change == "update":
            memory.update(doomed, "Nothing to say.")
        else:
            getattr(memory, change)(doomed)
        memory.tend()
        texts = [*made(memory), *made(memory, "summary"), *made(memory, "portrait")]
        settled = memory.tend()["changed"]

        assert not any("hates the rain" in text for text in texts)
        assert len(made(memory)) == (1 if change != "update" else 2)
        assert settled == {}
        assert memory.check()["ok"]
    left = b"".join(file.read_bytes() for file in tmp_path.glob("memory.db*"))
    assert (b"hates the rain" in left) == (change != "erase")


def test_a_digest_outlives_the_turns_that_are_forgotten(tmp_path: Path) -> None:
    """That is what it is for."""
    clock = Hand()
    clock.set("2026-01-07T20:00")
    path = tmp_path / "m.db"
    with Memory.open(
        path, preset="memorybank", durability="off", embedder="none", clock=clock
    ) as memory:
        tell(memory)
        for moment in ("2026-01-20", "2026-02-20"):
            clock.set(moment)
            memory.tend()

        assert made(memory, "raw") == []
        assert len(made(memory)) == 3


def test_a_digest_that_was_put_out_of_recall_stays_out(tmp_path: Path) -> None:
    """As long as its day says the same."""
    with opened(tmp_path) as (memory, _):
        tell(memory)
        memory.tend()
        (first, _) = memory.get_all(filters={"kind": "digest"})["results"]
        memory.delete(first["id"])
        memory.tend()

        assert [text[:14] for text in made(memory)] == ["6 January 2026"]


def test_the_summary_and_the_portraits_follow_the_days_and_the_facts(tmp_path: Path) -> None:
    """Both name what they rest on, and change with it."""
    with opened(tmp_path) as (memory, clock):
        tell(memory)
        memory.tend()
        before = made(memory, "portrait")
        memory.add(
            {"name": "Ana", "content": "I moved to Oslo.", "time": "2026-01-07T10:00"},
            run_id="chat",
        )
        clock.set("2026-01-08T10:00")
        memory.tend()

        assert before == ["Ana lives in Bergen. Ana likes sailing. Ana dislikes stale bread."]
        assert made(memory, "portrait") == [
            "Ana likes sailing. Ana dislikes stale bread. Ana lives in Oslo."
        ]
        (summary,) = made(memory, "summary")
        assert all(f"{day} January 2026" in summary for day in (5, 6, 7))


def test_a_portrait_belongs_to_no_conversation(tmp_path: Path) -> None:
    """Even where all that it rests on was said in one, and later in several."""
    with opened(tmp_path) as (memory, _):
        tell(memory, "one")
        memory.tend()
        first = memory.get_all(filters={"kind": "portrait"})["results"]
        memory.add({"name": "Ana", "content": "I moved to Oslo."}, run_id="two")
        memory.tend()
        second = memory.get_all(filters={"kind": "portrait"})["results"]

        assert [each["run_id"] for each in first + second] == [None, None]
        assert [each["id"] for each in first] == [each["id"] for each in second]
        assert "Oslo" in second[0]["memory"]


def test_a_model_writes_in_place_of_quoting(tmp_path: Path) -> None:
    """It sees the turns of a day, numbered and named; and is asked once for each."""
    advisor = Scripted({"text": "Ana  moved."})
    with opened(tmp_path, advisor) as (memory, _):
        tell(memory)
        memory.tend()
        memory.tend()

        assert made(memory) == ["5 January 2026. Ana moved.", "6 January 2026. Ana moved."]
        assert made(memory, "portrait") == made(memory, "summary") == ["Ana moved."]
    assert [each.purpose for each in advisor.asked] == ["digest", "digest", "summary", "portrait"]
    assert "[1] Ana: The cat hates the rain in Bergen." in advisor.asked[0].content


@pytest.mark.parametrize("answer", [None, {"text": ""}, {"text": "and so on " * 100}])
def test_a_model_without_a_usable_answer_changes_nothing(
    tmp_path: Path, answer: Mapping[str, Any] | None
) -> None:
    """What is empty or no shorter than what it sums up is refused."""
    with opened(tmp_path) as (memory, _):
        tell(memory)
        memory.tend()
        plain = made(memory)
    (tmp_path / "other").mkdir()
    with opened(tmp_path / "other", Scripted(answer)) as (memory, _):
        tell(memory)
        memory.tend()

        assert made(memory) == plain


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_day_of_a_few_words_needs_no_digest(tmp_path: Path, count: int) -> None:
    """Nor does a memory without any."""
    with opened(tmp_path) as (memory, _):
        memory.add([{"content": "👍", "time": TALK[0][0]} for _ in range(count)] or "Hi.")

        assert memory.tend()["changed"] == {}


def test_signs_alone_are_quoted_without_harm(tmp_path: Path) -> None:
    """A day of emoji is over as well."""
    with opened(tmp_path) as (memory, _):
        memory.add(
            [{"content": sign, "time": TALK[0][0]} for sign in ("👍", "🎉", "カラオケ", "?")]
        )
        memory.tend()

        assert memory.check()["ok"]


def test_a_frozen_digest_is_left_as_it_is(view_of: Callable[..., Any]) -> None:
    """Whoever froze it wants it so; see the store's refusal to change it otherwise."""
    start = 1_699_920_000.0
    turns = [Record("", f"The boat {n} sank.", event_time=start + n) for n in range(4)]
    with view_of(turns[:3]) as view:
        (digest, *_) = Digest().keep(start + 2 * DAY, view).edits
    frozen = replace(digest.record, frozen=True)
    with view_of([*turns, frozen]) as view:
        assert Digest().keep(start + 2 * DAY, view).edits == ()
