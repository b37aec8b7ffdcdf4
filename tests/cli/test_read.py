"""Commands that recall: search, ask, context, get."""

import json
from pathlib import Path
from typing import Any

import pytest

from engram import Memory
from engram.cli.read import NOTHING

ANA = ["--user", "ana"]


def test_a_result_shows_score_day_speaker_words_and_id(run: Any, store: Path) -> None:
    """Best first; the words are those of the question without quotation marks."""
    shown = run("search", "when", "are", "the", "pills", "--path", store, *ANA, "-k", "1").stdout

    head, row, below = shown.splitlines()[:3]
    assert head.split() == ["score", "date", "who", "memory"]
    assert "2026-02-01" in row
    assert "Ana" in row
    assert "The cat gets her pills at eight." in row
    found = json.loads(run("search", "pills", "--path", store, *ANA, "--json").stdout)
    assert below.split() == [found["results"][0]["id"]]


def test_the_clocks_and_the_filter_are_passed_on(run: Any, store: Path) -> None:
    """What was true then, and what the store held then."""

    def answer(*more: str) -> str:
        done = run("ask", "where does Ana live", "--path", store, *ANA, "--json", *more)
        return str(json.loads(done.stdout)["answer"])

    def found(*more: str) -> list[Any]:
        done = run("search", "live", "--path", store, *ANA, "--json", *more)
        return list(json.loads(done.stdout)["results"])

    assert answer() == "Ana lives in Oslo"
    assert answer("--as-of", "2026-04-01") == "Ana lives in Bergen"
    assert found("--known-at", "2020-01-01") == []
    assert {one["kind"] for one in found("--filter", '{"kind": "raw"}')} == {"raw"}
    assert all(one["score"] >= 0.4 for one in found("--threshold", "0.4"))


def test_an_explanation_names_what_each_channel_gave(run: Any, store: Path) -> None:
    """And how the query was read."""
    shown = run("search", "where did I live in January 2026", "--path", store, *ANA, "--explain")

    lines = [line.split() for line in shown.stdout.splitlines()]
    assert ["relation", "lives_in"] in lines
    assert ["periods", "2026-01-01", "to", "2026-02-01"] in lines
    assert any("words" in line and any(part[0] in "+-" for part in line) for line in lines)
    found = json.loads(run("search", "cat", "--path", store, *ANA, "--explain", "--json").stdout)
    assert found["query"]["content"] == "cat"
    assert found["results"][0]["explain"]


def test_nothing_relevant_is_said_to_be_nothing(run: Any, store: Path) -> None:
    """In every command that answers; a program reads ``abstain``."""
    odd = ["quantum chromodynamics lecture", "--path", str(store), *ANA]

    assert run("ask", *odd).stdout == f"{NOTHING}\n"
    assert json.loads(run("ask", *odd, "--json").stdout) == {
        "answer": None,
        "confidence": json.loads(run("search", *odd, "--json").stdout)["confidence"],
        "abstain": True,
        "evidence": [],
        "id": None,
    }
    assert run("search", *odd[:-2], "--user", "nobody").stdout == f"{NOTHING}\n"
    assert run("context", *odd[:-2], "--user", "nobody").stdout == f"{NOTHING}\n"


def test_an_answer_rests_on_the_words_that_were_said(run: Any, store: Path) -> None:
    """The best memory, then the evidence, then how sure it is."""
    lines = run("ask", "where does Ana live?", "--path", store, *ANA).stdout.splitlines()

    assert lines[0] == "Ana lives in Oslo"
    assert lines[1].startswith("  “I moved to Oslo”  Ana, 2026-05-20  ")
    assert lines[2].startswith("  confidence 0.")


def test_recall_for_a_prompt_keeps_to_its_budget(run: Any, store: Path) -> None:
    """Text for people, and its size for programs."""
    text = run("context", "the cat", "--path", store, *ANA).stdout
    packed = json.loads(
        run("context", "cat", "--tokens", "60", "--path", store, *ANA, "--json").stdout
    )

    assert "The cat gets her pills at eight." in text
    assert packed["tokens"] <= 60
    assert set(packed) == {"text", "ids", "tokens", "confidence", "abstain"}


def test_one_memory_is_shown_whole(run: Any, store: Path) -> None:
    """Every field that says something, one a line; scope is checked."""
    every = json.loads(run("get", "--all", "--path", store, *ANA, "--json").stdout)["results"]
    cat = next(one for one in every if one["memory"].startswith("The cat"))

    shown = run("get", cat["id"], "--path", store).stdout
    document = json.loads(run("get", cat["id"], "--path", store, "--json").stdout)

    lines = dict(line.split(maxsplit=1) for line in shown.splitlines())
    assert lines["memory"].strip() == "The cat gets her pills at eight."
    assert lines["fields"].strip() == "role: user, speaker: Ana"
    assert "superseded_by" not in lines
    assert document == cat
    assert (
        "check the id and the scope"
        in run("get", cat["id"], "--path", store, "--user", "ben", code=1).stderr
    )


def test_a_listing_comes_in_pages(run: Any, tmp_path: Path) -> None:
    """Each says how the next is asked for, the last says nothing."""
    path = tmp_path / "many.db"
    with Memory.open(path, embedder="none") as memory:
        memory.add([f"Line {at}." for at in range(5)], infer=False)

    seen, page = [], run("get", "--all", "--limit", "2", "--path", path).stdout
    for _ in range(3):
        seen += [line.split()[-2:] for line in page.splitlines() if "Line" in line]
        *_, last = page.splitlines()
        if not last.startswith("more: "):
            break
        page = run(
            "get", "--all", "--limit", "2", "--path", path, *last.removeprefix("more: ").split()
        ).stdout

    assert seen == [["Line", f"{at}."] for at in range(5)]
    assert not last.startswith("more: ")


def test_other_states_are_listed_when_they_are_named(run: Any, store: Path) -> None:
    """What was deleted is archived."""
    run("delete", "--all", "--user", "ben", "--path", store)

    listing = ["get", "--all", "--user", "ben", "--path", str(store)]
    assert "Hello." not in run(*listing).stdout
    assert "Hello." in run(*listing, "--state", "archived").stdout
    assert "Hello." in run(*listing, "--state", "active", "--state", "archived").stdout


@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_keep_to_the_width_of_the_terminal(
    width: int, run: Any, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long memories wrap in their own column."""
    run("add", "A very long memory. " * 20, "--path", store, *ANA)
    monkeypatch.setenv("COLUMNS", str(width))

    for args in (["search", "long memory"], ["get", "--all"]):
        shown = run(*args, "--path", store, *ANA).stdout
        assert max(map(len, shown.splitlines())) <= width
