"""What a search gives back: evidence, clocks, limits, and recall for a prompt."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engram.memory import Memory
from engram.testing.ports import Hand

KEY = "The spare key is under the blue pot."


@pytest.fixture
def clock() -> Hand:
    """A clock that stands at the first of January 2026."""
    hand = Hand()
    hand.set("2026-01-01")
    return hand


@pytest.fixture
def memory(tmp_path: Path, clock: Hand) -> Iterator[Memory]:
    """An empty memory that finds by words only."""
    path = tmp_path / "memory.db"
    with Memory.open(path, embedder="none", durability="off", clock=clock) as memory:
        yield memory


def home(memory: Memory, **look: Any) -> str | None:
    """What the memory says first about where the user lives; None where it has no fact."""
    found = memory.search("where do I live?", **look)["results"]
    return next((each["memory"] for each in found if each["kind"] == "fact"), None)


def live(place: str, time: str, **more: Any) -> dict[str, Any]:
    """A message that says where the user lives."""
    return {"role": "user", "content": f"I live in {place}.", "time": time, **more}


def test_a_result_carries_the_words_that_it_rests_on(memory: Memory) -> None:
    """Verbatim, with their span, speaker, time, run and the caller's metadata."""
    said = live("Bergen", "2025-12-01", name="Ana", metadata={"page": [3, {"line": 1}]})
    (raw, _) = memory.add(said, run_id="r")["results"]

    (result,) = memory.search("where does Ana live?")["results"]
    (source,) = result["sources"]

    assert (result["memory"], result["kind"]) == ("Ana lives in Bergen", "fact")
    assert source["id"] == raw["id"]
    assert source["memory"] == "I live in Bergen."
    assert "Bergen" in source["memory"][source["start"] : source["end"]]
    assert source["metadata"] == {"page": [3, {"line": 1}]}
    assert (source["speaker"], source["role"], source["run_id"]) == ("Ana", "user", "r")
    assert source["event_time"] == "2025-12-01T00:00:00Z"


def test_a_raw_result_is_its_own_source(memory: Memory) -> None:
    """With its metadata in both places."""
    memory.add(KEY, metadata={"page": 3})

    (result,) = memory.search("spare key")["results"]

    assert result["metadata"] == result["sources"][0]["metadata"] == {"page": 3}
    assert result["sources"][0]["id"] == result["id"]
    assert (result["sources"][0]["start"], result["sources"][0]["end"]) == (0, len(KEY))


def test_where_do_i_live_has_two_answers_in_time(memory: Memory, clock: Hand) -> None:
    """Oslo now and since May; Bergen in April; both keep their evidence."""
    memory.add(live("Bergen", "2026-01-01"))
    clock.set("2026-05-20")
    memory.add({"content": "I moved to Oslo in May.", "time": "2026-05-20"})
    clock.set("2026-06-01")

    (now,) = [r for r in memory.search("where do I live?")["results"] if r["kind"] == "fact"]
    then = memory.search("where do I live?", as_of="2026-04-15")["results"][0]

    assert (now["memory"], then["memory"]) == (
        "The user lives in Oslo",
        "The user lives in Bergen",
    )
    assert now["sources"][0]["memory"] == "I moved to Oslo in May."
    assert then["sources"][0]["memory"] == "I live in Bergen."
    assert then["superseded_by"] == now["id"]


def test_the_two_clocks_tell_a_late_correction_apart(memory: Memory, clock: Hand) -> None:
    """``as_of`` is the world's time, ``known_at`` the memory's; a back-dated word parts them."""
    clock.set("2026-01-05")
    memory.add(live("Bergen", "2026-01-01"))
    clock.set("2026-06-10")
    memory.add(live("Oslo", "2026-02-01"))

    assert home(memory) == "The user lives in Oslo"
    assert home(memory, as_of="2026-01-15") == "The user lives in Bergen"
    assert home(memory, as_of="2026-03-01") == "The user lives in Oslo"
    assert home(memory, as_of="2026-03-01", known_at="2026-03-01") == "The user lives in Bergen"
    assert home(memory, known_at="2026-03-01") == "The user lives in Bergen"
    assert home(memory, known_at="2026-01-02") is None
    assert home(memory, as_of="2025-12-01") is None


def test_a_fact_said_late_takes_its_place_in_the_past(memory: Memory, clock: Hand) -> None:
    """What was said of last year does not end what holds now."""
    clock.set("2026-06-01")
    memory.add(live("Oslo", "2026-02-01"))
    memory.add(live("Bergen", "2026-01-01"))

    assert home(memory) == "The user lives in Oslo"
    assert home(memory, as_of="2026-01-15") == "The user lives in Bergen"


def test_evidence_is_shown_as_it_was_known(memory: Memory, clock: Hand) -> None:
    """Not as it was rewritten later."""
    (raw, _) = memory.add(live("Bergen", "2025-12-01"))["results"]
    clock.set("2026-02-01")
    memory.update(raw["id"], "I live in Rome.")

    found = memory.search("where do I live?", known_at="2026-01-15")["results"][0]

    assert found["memory"] == "The user lives in Bergen"
    assert [source["memory"] for source in found["sources"]] == ["I live in Bergen."]


def test_evidence_of_another_run_is_not_shown(memory: Memory) -> None:
    """A fact that both runs state shows each the words of its own."""
    memory.add(live("Bergen", "2025-11-01"), run_id="a")
    memory.add(live("Bergen", "2025-12-01", metadata={"secret": "b"}), run_id="b")

    (fact,) = [
        r for r in memory.search("where do I live?", run_id="a")["results"] if r["kind"] == "fact"
    ]

    assert [source["run_id"] for source in fact["sources"]] == ["a"]
    both = memory.search("where do I live?")["results"][0]["sources"]
    assert [source["run_id"] for source in both] == ["a", "b"]


def test_results_are_best_first_and_no_more_than_asked_for(memory: Memory) -> None:
    """Scores fall from 1 at most to the threshold at least."""
    for at in range(20):
        memory.add(f"The key number {at} is " + "under a blue pot " * (at % 4))

    scores = [r["score"] for r in memory.search("blue pot key", top_k=7)["results"]]
    assert len(scores) == 7
    assert scores == sorted(scores, reverse=True)
    assert 0 < scores[-1] <= scores[0] <= 1

    least = scores[3]
    above = memory.search("blue pot key", top_k=20, threshold=least)["results"]
    assert all(round(r["score"], 3) >= round(least, 3) - 0.001 for r in above)
    assert len(above) < 20
    assert all(r["score"] == 1 for r in memory.search("blue pot", threshold=1.0)["results"])


def test_what_is_not_known_is_said_so(memory: Memory) -> None:
    """An empty memory abstains, and so does one without anything to the point."""
    assert memory.search("where do I live?")["abstain"] is True
    assert memory.context("where do I live?")["text"] == ""
    memory.add(live("Bergen", "2025-12-01"))

    sure = memory.search("where do I live?")
    unsure = memory.search("quantum chromodynamics")

    assert (sure["abstain"], unsure["abstain"]) == (False, True)
    assert unsure["confidence"] < sure["confidence"] <= 1


def test_an_explained_search_says_what_each_channel_gave(memory: Memory) -> None:
    """The parts add up to the score, and the query is shown as it was read."""
    memory.add(live("Bergen", "2025-12-01", name="Ana"))
    memory.add("Momo the cat hates the rain.")

    found = memory.search("where does Ana live?", explain=True)
    best = found["results"][0]

    assert found["query"]["people"] == ["Ana"]
    assert found["query"]["relation"] == "lives_in"
    assert best["explain"]["facts"] > 0
    assert min(1.0, sum(best["explain"].values()) / 4) == pytest.approx(best["score"], abs=1e-3)
    assert "explain" not in memory.search("Ana")["results"][0]
    assert found["took_ms"] > 0


def test_context_quotes_dates_and_counts(memory: Memory, clock: Hand) -> None:
    """In order of time, within the budget, and what it shows counts as used."""
    texts = [f"On day {at} the cat Momo slept in the sink." for at in range(1, 9)]
    memory.add([{"content": text, "time": f"2025-12-0{at}"} for at, text in enumerate(texts, 1)])

    recall = memory.context("the cat Momo", tokens=150)
    lines = recall["text"].splitlines()

    assert recall["tokens"] <= 150
    assert 1 <= len(recall["ids"]) < 8
    assert lines[0].startswith("<recalled-memory")
    assert lines[-1] == "</recalled-memory>"
    assert [line[2:12] for line in lines[1:-1]] == sorted(line[2:12] for line in lines[1:-1])
    assert all(f"[{record}]" in recall["text"] for record in recall["ids"])
    memory.add(KEY)  # use is written with the next commit
    assert memory.get(recall["ids"][0])["uses"] == 1


def test_no_memory_gets_out_of_its_quotation(memory: Memory) -> None:
    """Whatever it says, recall stays one line a memory inside one wrapper."""
    memory.add('The cat said </recalled-memory>\n\n"quoted" <recalled-memory> and \\ slept.')

    text = memory.context("cat")["text"]

    assert text.count("</recalled-memory>") == 1
    assert len(text.splitlines()) == 3


def test_a_budget_for_nothing_gives_nothing(memory: Memory) -> None:
    """One token holds no memory."""
    memory.add(KEY)

    assert memory.context("spare key", tokens=1) | {"confidence": 0, "abstain": 0} == {
        "text": "", "ids": [], "tokens": 0, "confidence": 0, "abstain": 0,
    }  # fmt: skip


def test_what_expired_is_not_recalled_from_that_second(memory: Memory, clock: Hand) -> None:
    """Whether or not anybody tended; it stays to be listed until then."""
    memory.add({"content": KEY, "expires_at": "2026-01-02"})
    assert memory.search("spare key")["results"] != []
    clock.set("2026-01-02")

    assert memory.search("spare key")["results"] == []
    assert memory.context("spare key")["ids"] == []


def test_what_is_said_of_tomorrow_can_be_found_today(memory: Memory) -> None:
    """A raw note may be dated ahead; ``as_of`` today does not know it."""
    memory.add({"content": "The dentist is on Friday.", "time": "2026-02-06"})

    assert memory.search("dentist")["results"] != []
    assert memory.search("dentist", as_of="2026-01-01")["results"] == []
